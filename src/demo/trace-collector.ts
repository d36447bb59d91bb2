import type { FinishedTrace, TraceSink } from '../traces/span.js'

/** Keeps all traces in memory: the demo looks at each of them when it is over. */
export interface TraceCollector extends TraceSink {
  readonly traces: readonly FinishedTrace[]
}

export function createTraceCollector(): TraceCollector {
  const traces: FinishedTrace[] = []
  return {
    traces,
    accept: trace => {
      traces.push(trace)
    },
    flush: async () => {},
    close: async () => {},
  }
}
