import type { Attributes } from '../protocols/protocol.js'
import type { Counters } from '../telemetry/counters.js'
import type { FinishedSpan, TraceSink } from './span.js'

/** OpenTelemetry's limits of span attributes (specification, "Attribute limits"). */
export interface AttributeLimits {
  /** Longest text, UTF-16 units; longer ones are cut. */
  readonly valueLength: number
  readonly count: number
}

/**
 * Hands traces on to all sinks, their attributes within the limits: what is too long is cut, what is too many is left
 * out; both are counted (`traces.attributes.{cut,left_out}`). Sinks may be added to the list later.
 */
export function createLimitedSinks(
  sinks: readonly TraceSink[],
  limits: AttributeLimits,
  counters: Counters,
): TraceSink {
  const cut = counters.counter('traces.attributes.cut')
  const leftOut = counters.counter('traces.attributes.left_out')
  const limited = (attributes: Readonly<Attributes>): Attributes => {
    const result: Attributes = {}
    let count = 0
    for (const name in attributes) {
      const value = attributes[name]!
      if (++count > limits.count) {
        leftOut.value++
      } else if (typeof value === 'string' && value.length > limits.valueLength) {
        cut.value++
        result[name] = cutText(value, limits.valueLength)
      } else {
        result[name] = value
      }
    }
    return result
  }
  const limitedSpan = (span: FinishedSpan): FinishedSpan =>
    exceeds(span.attributes, limits) ? { ...span, attributes: limited(span.attributes) } : span
  return {
    accept: trace => {
      const within = trace.spans.some(span => exceeds(span.attributes, limits))
        ? { ...trace, spans: trace.spans.map(limitedSpan) }
        : trace
      for (const sink of sinks) sink.accept(within)
    },
    flush: async () => {
      await Promise.all(sinks.map(sink => sink.flush()))
    },
    close: async () => {
      await Promise.all(sinks.map(sink => sink.close()))
    },
  }
}

function exceeds(attributes: Readonly<Attributes>, limits: AttributeLimits): boolean {
  let count = 0
  for (const name in attributes) {
    const value = attributes[name]
    if (++count > limits.count || (typeof value === 'string' && value.length > limits.valueLength)) return true
  }
  return false
}

/** Never leaves half of a surrogate pair. */
function cutText(text: string, length: number): string {
  const last = text.charCodeAt(length - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length)
}
