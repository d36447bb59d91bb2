import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { createRunFolder, type RunFolder, removeLeftovers } from '../src/demo/run-folder.js'
import { startNginxTarget } from './live/nginx-target.js'
import { type PairedResult, runPairs } from './live/paired-runs.js'
import { measurePython } from './live/python-target.js'
import { runSteady } from './live/steady-run.js'

/**
 * What watching a live service costs it, and us: the same load without and with Ghostspan, in turns, load, server and
 * tracer on the same processors. Needs root, BPF, and Debian's nginx and wrk (python: more, see docs/measurements.md).
 */
const HELP = `bench:live [--target nginx|python|steady] [--json] [--check] [--pairs N] [--seconds S] [--archive]
  nginx    saturated: throughput, latency, CPU of ours per 1,000 requests (default)
  python   a service of 7 calls a request, against OpenTelemetry's automatic instrumentation
  steady   nginx at 5,000 requests/s for --seconds: resident memory over time
  --archive  archive on as well (the engine runs on the same processors)`

const NGINX_GOALS = { ourCpuMsPer1000: 20, lossShare: 0.45 }

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: 'nginx' },
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    pairs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '6' },
    archive: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const progress = (text: string): void => console.error(`bench:live: ${text}`)

try {
  process.exitCode = values.help ? help() : await main()
} catch (problem) {
  console.error(`bench:live: cannot be measured: ${problem instanceof Error ? problem.message : problem}`)
  process.exitCode = 1
}

function help(): number {
  console.log(HELP)
  return 0
}

async function main(): Promise<number> {
  if (process.getuid?.() !== 0) throw new Error('root is needed to attach BPF programs')
  await removeLeftovers(tmpdir())
  const folder = createRunFolder(tmpdir())
  const options = {
    pairs: wholeNumber('pairs', values.pairs),
    seconds: wholeNumber('seconds', values.seconds),
    archive: values.archive,
    progress,
  }
  try {
    if (values.target === 'nginx') return await nginx(folder, options)
    if (values.target === 'python') return await measurePython(folder, options, finish)
    if (values.target === 'steady') return await runSteady(folder, options, finish)
    throw new Error(`--target ${values.target}: must be nginx, python or steady`)
  } finally {
    folder.remove()
  }
}

async function nginx(folder: RunFolder, options: Parameters<typeof runPairs>[1]): Promise<number> {
  const target = await startNginxTarget(folder)
  try {
    const result = await runPairs(target, options)
    const missed = misses(result)
    for (const miss of missed) progress(`goal missed: ${miss}`)
    return finish({ target: 'nginx', archive: options.archive, ...result }, missed.length === 0)
  } finally {
    await target.stop()
  }
}

function misses(result: PairedResult): string[] {
  const missed: string[] = []
  if (result.ourCpuMsPer1000 > NGINX_GOALS.ourCpuMsPer1000) missed.push(`ours ${result.ourCpuMsPer1000.toFixed(1)} ms`)
  if (result.lossShare > NGINX_GOALS.lossShare) missed.push(`loss ${result.lossShare.toFixed(3)}`)
  return missed
}

function finish(result: Readonly<Record<string, unknown>>, reached: boolean): number {
  const line = { ...result, reached, skipped: [] }
  if (values.json) console.log(JSON.stringify(line))
  else console.error(JSON.stringify(line, undefined, 2))
  return values.check && !reached ? 1 : 0
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} ${text}: must be a whole number from 1`)
  return value
}
