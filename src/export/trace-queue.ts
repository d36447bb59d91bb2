export interface DroppedTraces {
  readonly traces: number
  readonly spans: number
}

/** Traces that wait to be sent, oldest first, bounded by their spans. */
export interface TraceQueue<Span> {
  readonly spans: number
  /** Adds a trace; returns what had to go for it: the oldest, whole. */
  add(trace: { readonly spans: readonly Span[] }): DroppedTraces
  /** Takes whole traces of at most `limit` spans together; of a single longer trace, its next `limit` spans. */
  take(limit: number): Span[]
  /** Drops everything. */
  clear(): DroppedTraces
}

const none: DroppedTraces = { traces: 0, spans: 0 }

export function createTraceQueue<Span>(limit: number): TraceQueue<Span> {
  let traces: (readonly Span[])[] = []
  let head = 0
  /** Spans of the first trace that were taken before. */
  let taken = 0
  let spans = 0

  const shift = (): number => {
    const left = traces[head]!.length - taken
    traces[head] = []
    head++
    taken = 0
    spans -= left
    // Moves the rest once in so many, not once a trace.
    if (head >= 1_024 && head * 2 >= traces.length) {
      traces = traces.slice(head)
      head = 0
    }
    return left
  }

  const clear = (): DroppedTraces => {
    const dropped = { traces: traces.length - head, spans }
    traces = []
    head = taken = spans = 0
    return dropped
  }

  return {
    get spans() {
      return spans
    },
    add(trace) {
      if (trace.spans.length === 0) return none
      if (trace.spans.length > limit) return { traces: 1, spans: trace.spans.length }
      let droppedTraces = 0
      let droppedSpans = 0
      while (spans + trace.spans.length > limit) {
        droppedSpans += shift()
        droppedTraces++
      }
      traces.push(trace.spans)
      spans += trace.spans.length
      return droppedTraces === 0 ? none : { traces: droppedTraces, spans: droppedSpans }
    },
    take(most) {
      const out: Span[] = []
      while (head < traces.length) {
        const trace = traces[head]!
        const left = trace.length - taken
        if (out.length + left <= most) {
          for (let i = taken; i < trace.length; i++) out.push(trace[i]!)
          shift()
          continue
        }
        if (out.length > 0) break
        for (let i = taken; i < taken + most; i++) out.push(trace[i]!)
        taken += most
        spans -= most
        break
      }
      return out
    },
    clear,
  }
}
