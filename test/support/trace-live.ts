import type { TestContext } from 'node:test'
import { createLiveSource, type LiveSourceOptions } from '../../src/capture/live-source.js'
import { nativePaths } from '../../src/capture/native-addon.js'
import { createPipeline } from '../../src/create-pipeline.js'
import type { PipelineOptions, PipelineStatus } from '../../src/pipeline.js'
import { createCounters } from '../../src/telemetry/counters.js'
import type { FinishedTrace } from '../../src/traces/span.js'
import { hooksOfTests } from './hooks.js'
import { btf, file, root } from './requirements.js'

/** What live capture takes; given to `requires` with whatever else a test needs. */
export const liveCapture = [
  root,
  btf,
  file(nativePaths().addon, 'the addon'),
  file(nativePaths().bpf, 'the BPF object'),
] as const

export interface LiveTracing {
  readonly traces: FinishedTrace[]
  readonly counters: ReturnType<typeof createCounters>
  status(): PipelineStatus
  /** Stops watching; all traces have left then. */
  stop(): Promise<void>
}

/** The whole pipeline on the live kernel, its traces kept; closed with the test at the latest. */
export async function traceLive(
  t: TestContext,
  source: Partial<LiveSourceOptions>,
  options: Partial<PipelineOptions> = {},
): Promise<LiveTracing> {
  const counters = createCounters()
  const live = await createLiveSource({ counters, ownChildren: false, hooks: hooksOfTests, ...source })
  t.after(() => live.close())
  const traces: FinishedTrace[] = []
  const sink = {
    accept: (trace: FinishedTrace) => void traces.push(trace),
    flush: async () => {},
    close: async () => {},
  }
  const pipeline = createPipeline({ source: live, sinks: [sink], counters, ...options })
  const ending = new AbortController()
  const running = pipeline.run(ending.signal)
  return {
    traces,
    counters,
    status: () => pipeline.status(),
    stop: async () => {
      ending.abort()
      await running
    },
  }
}
