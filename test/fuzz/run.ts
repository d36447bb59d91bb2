import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { checkCase, createCorpus, type Verdict } from './check-case.js'
import { cpuMillis } from './cpu-clock.js'
import { floods } from './floods.js'
import { type Growth, measureGrowth } from './growth.js'
import { allSeeds } from './seeds.js'
import type { FuzzFinding, FuzzTask } from './worker.js'

/**
 * Hostile bytes for every protocol module: `npm run fuzz -- [--seconds S] [--seed N]`. A worker makes case after case of
 * the seeds; a case follows from the run's seed and its number alone, so any can be had again with --case.
 */
const HELP = `fuzz [--seconds S] [--seed N] [--seeds DIR]… [--json] [--check]
  --seconds S   how long (default 30)
  --seed N      another run with the same number has the same cases (default 1)
  --seeds DIR   packet captures as further seeds, repeatable
  --case N      only that case of the run, with all it found
  --no-floods   leave out what is sent without end, and how time and memory grow with it
  --keep DIR    where failing cases are written as JSON (default .ghostspan/fuzz)`

const HANG_MILLIS = 20_000
const LOOK_MILLIS = 1_000
const MOST_KEPT = 50

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', multiple: true, default: [] },
    case: { type: 'string' },
    keep: { type: 'string', default: '.ghostspan/fuzz' },
    'no-floods': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

interface Tally {
  cases: number
  crashes: number
  hangs: number
  stateViolations: number
  maxRssMiB: number
}

async function main(): Promise<number> {
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const runSeed = wholeNumber('seed', values.seed)
  if (values.case !== undefined) return showCase(runSeed, wholeNumber('case', values.case))
  const seconds = wholeNumber('seconds', values.seconds)
  const findings: FuzzFinding[] = []
  const growths = values['no-floods'] ? [] : floods.map(flood => measureGrowth(flood, cpuMillis))
  const tally: Tally = { cases: 0, crashes: 0, hangs: 0, stateViolations: 0, maxRssMiB: 0 }
  let left = seconds * 1_000
  for (let from = 0; from >= 0 && left > 0; ) {
    const began = performance.now()
    from = await runWorker(runSeed, from, left, tally, findings)
    left -= performance.now() - began
  }
  report(runSeed, tally, findings, growths)
  const isGrown = growths.some(({ wrong }) => wrong !== undefined)
  const clean = tally.crashes + tally.hangs + tally.stateViolations === 0 && !isGrown
  return values.check && !clean ? 1 : 0
}

/** Until the time is over (-1), or a case hangs: then the number of the next one. */
function runWorker(
  runSeed: number,
  from: number,
  millis: number,
  tally: Tally,
  findings: FuzzFinding[],
): Promise<number> {
  const progress = new Int32Array(new SharedArrayBuffer(8))
  Atomics.store(progress, 0, from)
  const task: FuzzTask = { runSeed, from, millis, seedFolders: values.seeds, progress }
  const worker = new Worker(new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url), {
    workerData: task,
  })
  return new Promise((resolve, reject) => {
    let at = from
    let movedAt = performance.now()
    const stop = (next: number): void => {
      clearInterval(watch)
      tally.cases += Atomics.load(progress, 0) - from
      tally.maxRssMiB = Math.max(tally.maxRssMiB, Atomics.load(progress, 1))
      void worker.terminate().then(() => resolve(next))
    }
    const watch = setInterval(() => {
      const now = Atomics.load(progress, 0)
      process.stderr.write(`\rfuzz: ${now} cases, ${findings.length} findings`)
      if (now !== at) {
        at = now
        movedAt = performance.now()
      } else if (performance.now() - movedAt > HANG_MILLIS) {
        tally.hangs++
        process.stderr.write(`\nfuzz: case ${now} hangs\n`)
        stop(now + 1)
      }
    }, LOOK_MILLIS)
    worker.on('message', (message: FuzzFinding | 'done') => {
      if (message === 'done') {
        stop(-1)
        return
      }
      count(tally, message.verdict)
      if (findings.length < MOST_KEPT) findings.push(message)
    })
    worker.once('error', error => {
      clearInterval(watch)
      reject(error)
    })
  })
}

function count(tally: Tally, verdict: Verdict): void {
  if (verdict === 'crash') tally.crashes++
  else if (verdict === 'slow') tally.hangs++
  else tally.stateViolations++
}

function report(runSeed: number, tally: Tally, findings: readonly FuzzFinding[], growths: readonly Growth[]): void {
  process.stderr.write('\n')
  if (findings.length > 0) mkdirSync(values.keep, { recursive: true })
  for (const { calls, ...finding } of findings) {
    const file = join(values.keep, `${runSeed}-${finding.index}.json`)
    const shown = calls.map(({ sender, bytes, eof }) => ({ sender, eof, hex: Buffer.from(bytes).toString('hex') }))
    writeFileSync(file, JSON.stringify({ ...finding, calls: shown }, undefined, 1))
    process.stderr.write(`fuzz: ${finding.verdict}: ${finding.seed}, ${finding.mutations.join(', ')}: ${file}\n`)
  }
  const grown = growths.filter(({ wrong }) => wrong !== undefined)
  for (const growth of grown) process.stderr.write(`fuzz: ${JSON.stringify(growth)}\n`)
  const result = {
    seed: runSeed,
    ...tally,
    floods: growths.length,
    floodViolations: grown.length,
    floodMostNsPerByte: Math.max(0, ...growths.map(({ longNsPerByte }) => longNsPerByte)),
    floodMostKeptKiB: Math.max(0, ...growths.map(({ keptKiB }) => keptKiB)),
    skipped: values['no-floods'] ? [{ what: 'floods', why: 'asked for' }] : [],
  }
  if (values.json) console.log(JSON.stringify(result))
  else console.log(result)
}

/** One case again, in this process, its exception shown. */
async function showCase(runSeed: number, index: number): Promise<number> {
  const { calls, ...result } = checkCase(createCorpus(await allSeeds(values.seeds)), runSeed, index, cpuMillis)
  console.log({
    ...result,
    calls: calls.map(({ sender, bytes }) => `${sender} ${Buffer.from(bytes).toString('latin1')}`),
  })
  return result.verdict === 'ok' ? 0 : 1
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} ${text}: must be a whole number from 0`)
  return value
}

main().then(
  code => {
    process.exitCode = code
  },
  error => {
    process.stderr.write(`fuzz: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  },
)
