import { openCapture } from '../../src/capture/open-capture.js'
import { createPipeline } from '../../src/create-pipeline.js'
import { missingPackages } from '../../src/demo/demo-packages.js'
import { runLiveDemo } from '../../src/demo/live-demo.js'
import { demoRecordingPath } from '../../src/demo/recording-path.js'
import { createTraceCollector } from '../../src/demo/trace-collector.js'
import { createCounters } from '../../src/telemetry/counters.js'
import type { FinishedTrace } from '../../src/traces/span.js'

export interface Skipped {
  readonly what: string
  readonly why: string
}

/** Traces of recordings, or of the demo run live; where that cannot be, of the recording that the package has. */
export async function collectTraces(
  files: readonly string[],
  requests: number,
  skipped: Skipped[],
  progress: (text: string) => void,
): Promise<readonly FinishedTrace[]> {
  if (files.length > 0) return replayed(files)
  const missing = process.getuid?.() === 0 ? missingPackages() : []
  const why = process.getuid?.() !== 0 ? 'only root may load eBPF programs' : `missing: ${missing.join(' ')}`
  if (process.getuid?.() === 0 && missing.length === 0) {
    try {
      return await live(requests, progress)
    } catch (error) {
      return recorded(skipped, progress, error instanceof Error ? error.message : String(error))
    }
  }
  return recorded(skipped, progress, why)
}

function recorded(skipped: Skipped[], progress: (text: string) => void, why: string): Promise<FinishedTrace[]> {
  progress(`no live demo (${why}); its recording instead: too few spans for the dictionary to pay`)
  skipped.push({ what: 'live demo', why })
  return replayed([demoRecordingPath()])
}

async function live(requests: number, progress: (text: string) => void): Promise<readonly FinishedTrace[]> {
  const collector = createTraceCollector()
  const options = {
    ...{ requests, concurrency: 8, check: false, json: true, source: 'live' as const, archive: undefined },
    ...{ otlp: undefined, setupSeconds: 0, print: () => {}, progress },
  }
  await runLiveDemo({ options, counters: createCounters(), collector, sinks: [], ownPids: [] })
  return collector.traces
}

async function replayed(files: readonly string[]): Promise<FinishedTrace[]> {
  const traces: FinishedTrace[] = []
  for (const file of files) {
    const counters = createCounters()
    const source = await openCapture(file, counters)
    const sink = { accept: (trace: FinishedTrace) => traces.push(trace), flush: async () => {}, close: async () => {} }
    await createPipeline({ source, sinks: [sink], counters }).run()
    await source.close()
  }
  return traces
}
