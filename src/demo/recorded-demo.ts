import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { createRecordingSource } from '../capture/recording-source.js'
import { createPipeline } from '../create-pipeline.js'
import type { Counters } from '../telemetry/counters.js'
import type { TraceSink } from '../traces/span.js'
import type { DemoRun } from './demo-run.js'
import { demoRecordingPath, demoTruthPath } from './recording-path.js'
import { scoreTraces } from './score.js'
import type { TraceCollector } from './trace-collector.js'
import { buildTruth, parseTruth } from './truth.js'

export interface RecordedDemo {
  readonly counters: Counters
  readonly collector: TraceCollector
  readonly sinks: readonly TraceSink[]
  readonly signal: AbortSignal | undefined
  readonly progress: (text: string) => void
}

/** Runs the recording that the package brings along through the same pipeline, and scores it in the same way. */
export async function runRecordedDemo(demo: RecordedDemo): Promise<DemoRun> {
  const since = performance.now()
  const path = demoRecordingPath()
  if (!existsSync(path)) throw new Error(`demo: the package lacks its recording ${path}; install it again`)
  demo.progress(`replay: ${path}`)
  const source = createRecordingSource(path, demo.counters)
  try {
    const pipeline = createPipeline({ source, sinks: [demo.collector, ...demo.sinks], counters: demo.counters })
    await pipeline.run(demo.signal)
    demo.signal?.throwIfAborted()
    const truth = buildTruth(parseTruth(gunzipSync(readFileSync(demoTruthPath())).toString('utf8')))
    return {
      source: source.kind,
      score: scoreTraces(demo.collector.traces, truth),
      status: pipeline.status(),
      failures: [],
      startSeconds: 0,
      runSeconds: (performance.now() - since) / 1000,
    }
  } finally {
    await source.close()
  }
}
