import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { EventSource } from '../src/capture/event-source.js'
import { openCapture } from '../src/capture/open-capture.js'
import { createPipeline } from '../src/create-pipeline.js'
import { demoRecordingPath } from '../src/demo/recording-path.js'
import { spanToJson } from '../src/export/span-json.js'
import { createCounters } from '../src/telemetry/counters.js'
import type { FinishedTrace, TraceSink } from '../src/traces/span.js'

/**
 * How many events a second of CPU turns into finished spans, by replaying recordings through the whole pipeline without
 * export and archive. A recording is replayed again and again in one process until enough CPU time has gone by for the
 * figure to be steady; the JSON of all spans is hashed in two more processes, which must agree.
 */
const GOAL_EVENTS_PER_CPU_SECOND = 150_000
const MEASURED_CPU_SECONDS = 4

interface Measured {
  file: string
  rounds: number
  events: number
  messages: number
  samples: number
  spans: number
  traces: number
  wallS: number
  cpuS: number
  eventsPerCpuS: number
  requestsPerCpuS: number
  rssPeakMiB: number
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    child: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log('bench:replay [--json] [--check] [FILE…]   recordings or packet captures; default: the one of the demo')
} else if (values.child === 'measure') {
  console.log(JSON.stringify(await measure(positionals[0]!)))
} else if (values.child === 'hash') {
  console.log(await hash(positionals[0]!))
} else {
  process.exitCode = main(positionals.length > 0 ? positionals : [demoRecordingPath()])
}

function main(files: readonly string[]): number {
  const results: Measured[] = []
  let identical = true
  for (const file of files) {
    if (!existsSync(file)) {
      console.error(`bench:replay: ${file}: no such file`)
      return 1
    }
    console.error(`bench:replay: ${file}`)
    const measured = child('measure', file)
    const hashes = [child('hash', file), child('hash', file)]
    if (measured === undefined || hashes[0] === undefined) return 1
    identical &&= hashes[0] === hashes[1]
    results.push(JSON.parse(measured) as Measured)
  }
  report(results, identical)
  const slowest = Math.min(...results.map(result => result.eventsPerCpuS))
  return values.check && (!identical || slowest < GOAL_EVENTS_PER_CPU_SECOND) ? 1 : 0
}

function report(results: readonly Measured[], identical: boolean): void {
  for (const r of results) {
    console.error(
      `  ${r.events} events, ${r.spans} spans, ${r.rounds} rounds: ` +
        `${Math.round(r.eventsPerCpuS)} events/CPU s, ${Math.round(r.requestsPerCpuS)} traces/CPU s, ` +
        `${r.rssPeakMiB.toFixed(0)} MiB, ${identical ? 'identical' : 'NOT identical'}`,
    )
  }
  if (values.json) console.log(JSON.stringify({ files: results, identical, skipped: [] }))
}

function child(mode: string, file: string): string | undefined {
  const self = fileURLToPath(import.meta.url)
  const result = spawnSync(process.execPath, [...process.execArgv, self, '--child', mode, file], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return result.status === 0 ? result.stdout.trim().split('\n').at(-1) : undefined
}

async function replay(file: string, sink: TraceSink): Promise<ReturnType<ReturnType<typeof createPipeline>['status']>> {
  const counters = createCounters()
  const source: EventSource = await openCapture(file, counters)
  const pipeline = createPipeline({ source, sinks: [sink], counters })
  await pipeline.run()
  await source.close()
  return pipeline.status()
}

function sinkOf(accept: (trace: FinishedTrace) => void): TraceSink {
  return { accept, flush: async () => {}, close: async () => {} }
}

async function measure(file: string): Promise<Measured> {
  const nothing = sinkOf(() => {})
  await replay(file, nothing)
  const cpu = process.cpuUsage()
  const began = performance.now()
  let used = 0
  let rounds = 0
  let status: Awaited<ReturnType<typeof replay>>
  do {
    status = await replay(file, nothing)
    rounds++
    const { user, system } = process.cpuUsage(cpu)
    used = (user + system) / 1e6
  } while (used < MEASURED_CPU_SECONDS)
  const { events, messages, samples, spans, traces } = status
  return {
    file,
    rounds,
    events,
    messages,
    samples,
    spans,
    traces,
    wallS: (performance.now() - began) / 1000,
    cpuS: used,
    eventsPerCpuS: (events * rounds) / used,
    requestsPerCpuS: (traces * rounds) / used,
    rssPeakMiB: process.resourceUsage().maxRSS / 1024,
  }
}

async function hash(file: string): Promise<string> {
  const digest = createHash('sha256')
  await replay(
    file,
    sinkOf(trace => {
      for (const span of trace.spans) digest.update(JSON.stringify(spanToJson(span)))
    }),
  )
  return digest.digest('hex')
}
