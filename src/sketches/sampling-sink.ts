import type { FinishedTrace, TraceSink } from '../traces/span.js'
import type { TraceSampler } from './trace-sampler.js'

/** On every span of a trace that stands for others: of how many it is one. Absent: only for itself. */
export const WEIGHT_ATTRIBUTE = 'ghostspan.trace.weight'

/** Hands on what the sampler keeps. Sinks may be added to the list later. */
export function createSamplingSink(sampler: TraceSampler, sinks: readonly TraceSink[]): TraceSink {
  return {
    accept: trace => {
      const weight = sampler.weight(trace)
      if (weight === 0) return
      const kept = weight === 1 ? trace : weighted(trace, weight)
      for (const sink of sinks) sink.accept(kept)
    },
    flush: async () => {
      await Promise.all(sinks.map(sink => sink.flush()))
    },
    close: async () => {
      await Promise.all(sinks.map(sink => sink.close()))
    },
  }
}

export const weightOf = ({ spans }: FinishedTrace): number => Number(spans[0]?.attributes[WEIGHT_ATTRIBUTE] ?? 1)

function weighted(trace: FinishedTrace, weight: number): FinishedTrace {
  const spans = trace.spans.map(span => ({ ...span, attributes: { ...span.attributes, [WEIGHT_ATTRIBUTE]: weight } }))
  return { ...trace, spans }
}
