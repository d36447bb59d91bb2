import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRecordingSource } from '../../src/capture/recording-source.js'
import type { EvidenceKind } from '../../src/correlate/link.js'
import { createPipeline } from '../../src/create-pipeline.js'
import { createTraceCollector } from '../../src/demo/trace-collector.js'
import { createCounters } from '../../src/telemetry/counters.js'
import type { Measured } from './measure.js'
import { scoreTraces } from './score.js'
import { buildTruth, type Notes } from './truth.js'
import { DEFAULT_EVIDENCE, type Workload } from './workload.js'

/** What lies beside a recording. */
export interface RecordedRun {
  readonly workload: string
  readonly concurrency: number
  readonly requests: number
  readonly failures: number
  readonly notes: Notes
}

/** The recordings that `--record` has left in a folder, without their ending. */
export function recordingsIn(folder: string): { path: string; run: RecordedRun }[] {
  return readdirSync(folder)
    .filter(name => name.endsWith('.json'))
    .map(name => join(folder, name))
    .map(path => ({ path: path.slice(0, -'.json'.length), run: JSON.parse(readFileSync(path, 'utf8')) as RecordedRun }))
    .sort((a, b) => a.run.workload.localeCompare(b.run.workload) || a.run.concurrency - b.run.concurrency)
}

/** Scores a recording with other kinds of evidence than it was recorded with. */
export async function rescore(
  path: string,
  run: RecordedRun,
  workload: Workload,
  given: readonly EvidenceKind[] | undefined,
): Promise<Measured> {
  const since = performance.now()
  const evidence = given ?? workload.evidence ?? DEFAULT_EVIDENCE
  const before = process.cpuUsage()
  const counters = createCounters()
  const collector = createTraceCollector()
  const source = createRecordingSource(`${path}.gspn`, counters)
  const pipeline = createPipeline({ source, sinks: [collector], counters, evidence })
  await pipeline.run()
  const { user, system } = process.cpuUsage(before)
  const status = pipeline.status()
  return {
    name: workload.name,
    carrier: workload.carrier,
    concurrency: run.concurrency,
    evidence,
    requests: run.requests,
    failures: run.failures,
    ...scoreTraces(collector.traces, buildTruth(run.notes), workload.goal.sure),
    cpuMsPer1000: Math.round((user + system) / run.notes.load.length),
    events: status.events,
    lostEvents: status.lostEvents,
    seconds: Math.round((performance.now() - since) / 100) / 10,
  }
}
