import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLiveSource } from '../../src/capture/live-source.js'
import { createRecordingWriter } from '../../src/capture/recording-writer.js'
import type { EvidenceKind } from '../../src/correlate/link.js'
import { createPipeline } from '../../src/create-pipeline.js'
import { createTraceCollector } from '../../src/demo/trace-collector.js'
import { createCounters } from '../../src/telemetry/counters.js'
import { hooksOfTests } from '../support/hooks.js'
import { createLab, type RunningLab } from './lab.js'
import type { LoadResult } from './load.js'
import type { RecordedRun } from './recorded-run.js'
import { type Score, scoreTraces } from './score.js'
import { createSurroundings, type Surroundings } from './surroundings.js'
import { buildTruth, type Notes } from './truth.js'
import { DEFAULT_BACKEND_MILLIS, DEFAULT_EVIDENCE, DEFAULT_REQUESTS, type Workload } from './workload.js'

export interface Measured extends Score {
  readonly name: string
  readonly carrier: string
  readonly concurrency: number
  readonly evidence: readonly EvidenceKind[]
  readonly requests: number
  readonly failures: number
  /** CPU of ours, user space, for 1,000 requests of the load; null where it was not measured live. */
  readonly cpuMsPer1000: number | null
  readonly events: number
  readonly lostEvents: number
  readonly seconds: number
}

export interface MeasureOptions {
  readonly concurrency: number
  readonly requests?: number
  readonly evidence?: readonly EvidenceKind[]
  /** A folder for the recording and the notes. */
  readonly recordTo?: string
  readonly progress: (text: string) => void
  readonly signal: AbortSignal
}

/** What run-times show only after a moment (carriers that are looked for in running processes) is there after this. */
const DISCOVERY_MILLIS = 1_500
/** What goroutines and tasks do after the answer, and what the kernel still holds, is there after this. */
const SETTLE_MILLIS = 800
/** Work that goes on behind a queue is over when the backend has heard nothing for this long. */
const QUIET_MILLIS = 600
const LONGEST_WORK_MILLIS = 60_000

/** Runs the workload once at one level of concurrency, watches it live, and scores what was seen. */
export async function measure(workload: Workload, options: MeasureOptions): Promise<Measured> {
  const { signal, progress } = options
  const lab = await createLab(signal)
  const backend = createSurroundings(signal)
  const client = createSurroundings(signal)
  try {
    progress('starting')
    await backend.startBackend(lab.backendPort, workload.backendMillis ?? DEFAULT_BACKEND_MILLIS)
    await workload.start(lab)
    return await watch(workload, options, lab, backend, client)
  } finally {
    client.stop()
    await lab.stop()
    backend.stop()
  }
}

async function watch(
  workload: Workload,
  options: MeasureOptions,
  lab: RunningLab,
  backend: Surroundings,
  client: Surroundings,
): Promise<Measured> {
  const { signal, progress, concurrency } = options
  const requests = options.requests ?? workload.requests ?? DEFAULT_REQUESTS
  const evidence = options.evidence ?? workload.evidence ?? DEFAULT_EVIDENCE
  const since = performance.now()
  const counters = createCounters()
  const collector = createTraceCollector()
  const source = await createLiveSource({ counters, selection: lab.selection, ownChildren: false, hooks: hooksOfTests })
  const recording = options.recordTo === undefined ? undefined : recordingPath(options.recordTo, workload, concurrency)
  const writer =
    recording === undefined ? undefined : createRecordingWriter(`${recording}.gspn`, source.origin, { overwrite: true })
  try {
    const pipeline = createPipeline({
      source,
      sinks: [collector],
      counters,
      evidence,
      ...(writer && { tap: batch => writer.write(batch) }),
    })
    const over = new AbortController()
    const stop = AbortSignal.any([over.signal, signal])
    const seen = pipeline.run(stop)
    const load = await (async () => {
      await sleep(DISCOVERY_MILLIS, undefined, { signal })
      const before = process.cpuUsage()
      const order = { port: lab.port, requests, concurrency, keepAlive: workload.keepAlive ?? true }
      const result = await client.load(order, count => progress(`${count} of ${requests} answered`))
      await quiet(backend, signal)
      return { ...result, before }
    })().finally(() => over.abort())
    await seen
    const { user, system } = process.cpuUsage(load.before)
    const notes: Notes = { load: load.notes, backend: await backend.notes() }
    checkRun(workload, load, requests)
    const run: RecordedRun = { workload: workload.name, concurrency, requests, failures: load.failures.length, notes }
    if (recording !== undefined) writeFileSync(`${recording}.json`, JSON.stringify(run), { mode: 0o600 })
    const status = pipeline.status()
    return {
      name: workload.name,
      carrier: workload.carrier,
      concurrency,
      evidence,
      requests,
      failures: load.failures.length,
      ...scoreTraces(collector.traces, buildTruth(notes), workload.goal.sure),
      cpuMsPer1000: Math.round((user + system) / load.notes.length),
      events: status.events,
      lostEvents: status.lostEvents,
      seconds: Math.round((performance.now() - since) / 100) / 10,
    }
  } finally {
    writer?.close()
    await source.close()
  }
}

/** A load that was not answered measures nothing. */
function checkRun(workload: Workload, load: LoadResult, requests: number): void {
  if (load.failures.length * 50 <= requests) return
  throw new Error(`${workload.name}: ${load.failures.length} of ${requests} requests failed: ${load.failures[0]}`)
}

/** Waits until what outlives its request, or lies in a queue, has been done. */
async function quiet(backend: Surroundings, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + LONGEST_WORK_MILLIS
  for (let before = -1, now = await backend.count(); before !== now && performance.now() < deadline; ) {
    before = now
    await sleep(QUIET_MILLIS, undefined, { signal })
    now = await backend.count()
  }
  await sleep(SETTLE_MILLIS, undefined, { signal })
}

function recordingPath(folder: string, workload: Workload, concurrency: number): string {
  return join(folder, `${workload.name}-${concurrency}`)
}
