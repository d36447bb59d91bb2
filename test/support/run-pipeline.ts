import type { EventSource } from '../../src/capture/event-source.js'
import { createPipeline } from '../../src/create-pipeline.js'
import type { PipelineOptions, PipelineStatus } from '../../src/pipeline.js'
import { createCounters } from '../../src/telemetry/counters.js'
import type { FinishedSpan, FinishedTrace } from '../../src/traces/span.js'

export interface Outcome {
  readonly traces: FinishedTrace[]
  readonly spans: FinishedSpan[]
  readonly counters: Record<string, number>
  readonly status: PipelineStatus
}

/** Everything that a source holds, through the whole pipeline. */
export async function runPipeline(source: EventSource, options: Partial<PipelineOptions> = {}): Promise<Outcome> {
  const counters = createCounters()
  const traces: FinishedTrace[] = []
  const sink = {
    accept: (trace: FinishedTrace) => void traces.push(trace),
    flush: async () => {},
    close: async () => {},
  }
  const pipeline = createPipeline({ source, sinks: [sink], counters, ...options })
  await pipeline.run()
  const spans = traces.flatMap(trace => trace.spans)
  return { traces, spans, counters: counters.snapshot(), status: pipeline.status() }
}

/** A trace as text: one line a span, indented under its parent: 'nginx server GET /a (wire 1)'. */
export function outline(trace: FinishedTrace | undefined): string[] {
  const depth = new Map<string, number>()
  return (trace?.spans ?? []).map(span => {
    const level = span.parentSpanId === undefined ? 0 : (depth.get(span.parentSpanId) ?? -1) + 1
    depth.set(span.spanId, level)
    const link = span.link === undefined ? '' : ` (${span.link.evidence} ${span.link.confidence})`
    return `${'  '.repeat(level)}${span.resource.service} ${span.kind} ${span.name}${link}`
  })
}
