import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { HooksChoice } from '../capture/hooks.js'
import type { LiveSource } from '../capture/live-source.js'
import { createLiveSource } from '../capture/live-source.js'
import { createRecordingWriter, type RecordingWriter } from '../capture/recording-writer.js'
import type { Selection } from '../capture/selection.js'
import { createPipeline } from '../create-pipeline.js'
import type { Counters } from '../telemetry/counters.js'
import type { TraceSink } from '../traces/span.js'
import type { DemoOptions } from './demo-options.js'
import type { DemoRun } from './demo-run.js'
import { type DemoSystem, startDemoSystem } from './demo-system.js'
import { runLoadProcess } from './load-process.js'
import { scoreTraces } from './score.js'
import type { TraceCollector } from './trace-collector.js'
import { buildTruth, readTruthFolder, type TruthRecord } from './truth.js'
import { waitFor } from './wait-for.js'
import { workload } from './workload.js'

/** Longest wait for the worker to be done with all messages. */
const DRAIN_MILLIS = 60_000
/** What the kernel still holds, and the last acknowledgements, are there after this. */
const SETTLE_MILLIS = 600
const SEED = 2_024

/** A folder's paths in a recording, so that no trace of one machine is in it. */
const RECORDED_HOST = 'demo'

/**
 * Starts the capture. Separate from the run, so that a machine that cannot capture is known before any server starts.
 * @throws CaptureUnavailableError
 */
export function startCapture(
  counters: Counters,
  selection: Selection,
  ownPids: readonly number[],
  hooks: HooksChoice,
): Promise<LiveSource> {
  // The demo's servers are our children, and are what is to be seen.
  return createLiveSource({ counters, selection, ownChildren: false, ownPids: [process.pid, ...ownPids], hooks })
}

/** The demo's processes and nobody else's: by their run's folder in the command line, or by the ports they listen on. */
function selectionOf(system: DemoSystem): Selection {
  const folder = system.folder.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')
  return { include: [{ commandLine: folder }, ...Object.values(system.ports).map(port => ({ port }))] }
}

const count = (records: readonly TruthRecord[], kind: TruthRecord['kind']): number =>
  records.filter(each => each.kind === kind).length

/** Every message that was sent has been worked off, by the services' own notes. */
function drained(system: DemoSystem): boolean {
  const records = readTruthFolder(system.truthFolder)
  return count(records, 'producer') === count(records, 'consumer')
}

/** Sends the load and lets the system come to rest; returns what was not answered, and all notes. */
async function exercise(options: DemoOptions, system: DemoSystem) {
  const { requests, concurrency, progress, signal } = options
  progress(`load: ${requests} requests, ${concurrency} at a time`)
  const load = await runLoadProcess({
    port: system.ports.nginx,
    requests: workload(requests, SEED),
    concurrency,
    answered: number => progress(`load: ${number} of ${requests} answered`),
    ...(signal && { signal }),
  })
  const rate = Math.round(load.records.length / load.seconds)
  progress(`load: ${load.records.length} answered in ${load.seconds.toFixed(1)} s (${rate} a second)`)
  if (!(await waitFor(() => drained(system), DRAIN_MILLIS, signal))) {
    signal?.throwIfAborted()
    throw new Error(
      `demo: the worker was not done with its messages after ${DRAIN_MILLIS / 1000} s; see ${system.folder}`,
    )
  }
  await sleep(SETTLE_MILLIS)
  return { failures: load.failures, records: [...load.records, ...readTruthFolder(system.truthFolder)] }
}

export interface LiveDemo {
  readonly options: DemoOptions
  readonly counters: Counters
  readonly collector: TraceCollector
  readonly sinks: readonly TraceSink[]
  /** Processes that are ours and not to be seen, beside this one. */
  readonly ownPids: readonly number[]
}

/** Runs the system, watches it from the kernel, and scores what was seen. */
export async function runLiveDemo(demo: LiveDemo): Promise<DemoRun> {
  const { options } = demo
  const since = performance.now()
  const system = await startDemoSystem({
    parent: tmpdir(),
    worker: { consumers: options.consumers ?? 2, prefetch: options.prefetch ?? 1 },
    progress: text => options.progress(`servers: ${text}`),
    ...(options.signal && { signal: options.signal }),
  })
  const startSeconds = (performance.now() - since) / 1000
  try {
    return { ...(await watch(demo, system)), startSeconds }
  } finally {
    options.progress('servers: stopping')
    await system.stop()
  }
}

async function watch(demo: LiveDemo, system: DemoSystem): Promise<Omit<DemoRun, 'startSeconds'>> {
  const { options, counters, collector } = demo
  const since = performance.now()
  const source = await startCapture(counters, selectionOf(system), demo.ownPids, options.hooks ?? 'auto')
  options.progress('capture: started')
  const recorder = options.recordTo === undefined ? undefined : startRecording(options.recordTo, source)
  try {
    const pipeline = createPipeline({
      source,
      sinks: [collector, ...demo.sinks],
      counters,
      ...(recorder && { tap: batch => recorder.write(batch) }),
    })
    const over = new AbortController()
    const seen = pipeline.run(over.signal)
    const { failures, records } = await exercise(options, system).finally(() => over.abort())
    await seen
    options.progress(`capture: ended, ${pipeline.status().events} events`)
    if (options.recordTo !== undefined) finishRecording(options.recordTo, recorder!, records)
    return {
      source: source.kind,
      score: scoreTraces(collector.traces, buildTruth(records)),
      status: pipeline.status(),
      failures,
      runSeconds: (performance.now() - since) / 1000,
    }
  } finally {
    recorder?.close()
    await source.close()
  }
}

const plainRecording = (folder: string) => join(folder, 'demo.gspn')

function startRecording(folder: string, source: LiveSource): RecordingWriter {
  mkdirSync(folder, { recursive: true })
  return createRecordingWriter(plainRecording(folder), { ...source.origin, host: RECORDED_HOST }, { overwrite: true })
}

function finishRecording(folder: string, recorder: RecordingWriter, records: readonly TruthRecord[]): void {
  recorder.close()
  const plain = plainRecording(folder)
  const notes = records.map(each => `${JSON.stringify(each)}\n`).join('')
  writeFileSync(`${plain}.gz`, gzipSync(readFileSync(plain), { level: 9 }))
  writeFileSync(join(folder, 'truth.jsonl.gz'), gzipSync(notes, { level: 9 }))
  // What the demo's invented services say to each other is nobody's secret.
  for (const name of ['demo.gspn.gz', 'truth.jsonl.gz']) chmodSync(join(folder, name), 0o644)
  rmSync(plain)
}
