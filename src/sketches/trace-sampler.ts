import type { Counters } from '../telemetry/counters.js'
import type { FinishedTrace } from '../traces/span.js'
import { createSlowSpans } from './slow-spans.js'

/** Traces that are kept whatever the share says. All that is given must fit some span. */
export interface KeepRule {
  readonly service?: string
  readonly operation?: string
}

export interface TraceSamplerOptions {
  /** Of the traces that nothing speaks for, 0 to 1. */
  readonly share: number
  readonly rules: readonly KeepRule[]
  /** How often a trace's shape was seen before; undefined where it has none. */
  readonly seen: (trace: FinishedTrace) => number | undefined
  /** `sampling.{kept,dropped.drawn,kept_for.…}` in traces, `sampling.dropped.late` in parts of traces. */
  readonly counters: Counters
}

export interface TraceSampler {
  /** Of how many traces this one is to stand for; 0: it is dropped. */
  weight(trace: FinishedTrace): number
}

/** So many traces of a shape are kept before the share applies: new shapes, and the rare ones for ever. */
const RARE = 10
/** For the root, and for any other span of a trace: there are many of those. */
const SLOW_ROOT = 0.99
const SLOW_SPAN = 0.999
/** Traces that were kept for a reason, so that spans that come late follow them. */
const REMEMBERED = 20_000

/**
 * Decides when a trace is finished, from all that it holds. What is kept for a reason stands for itself; of the rest a
 * share is drawn by the trace's id (so that hosts agree) and stands for its like: sums of weights are unbiased estimates
 * (Horvitz and Thompson 1952), because no reason depends on the draw.
 */
export function createTraceSampler({ share, rules, seen, counters }: TraceSamplerOptions): TraceSampler {
  const slow = createSlowSpans()
  const remembered = new Set<string>()

  const reason = (trace: FinishedTrace): string | undefined => {
    const { spans } = trace
    let found: string | undefined
    // All spans are looked at: each belongs into its operation's sketch.
    spans.forEach((span, i) => {
      const isSlow = slow.isSlow(span, i === 0 ? SLOW_ROOT : SLOW_SPAN)
      if (span.status.code === 'error') found = 'error'
      else if (isSlow) found ??= 'slow'
    })
    if (found !== undefined) return found
    if ((seen(trace) ?? 0) < RARE) return 'rare_shape'
    return rules.some(rule => fits(rule, trace)) ? 'rule' : undefined
  }
  return {
    weight: trace => {
      if (trace.late) {
        const drawnWeight = isDrawn(trace.traceId, share) ? 1 / share : 0
        const weight = remembered.has(trace.traceId) ? 1 : drawnWeight
        if (weight === 0) counters.add('sampling.dropped.late')
        return weight
      }
      const why = reason(trace)
      if (why !== undefined) {
        counters.add(`sampling.kept_for.${why}`)
        counters.add('sampling.kept')
        if (remembered.size >= REMEMBERED) remembered.delete(remembered.keys().next().value!)
        remembered.add(trace.traceId)
        return 1
      }
      const drawn = isDrawn(trace.traceId, share)
      counters.add(drawn ? 'sampling.kept' : 'sampling.dropped.drawn')
      return drawn ? 1 / share : 0
    },
  }
}

function fits({ service, operation }: KeepRule, { spans }: FinishedTrace): boolean {
  return spans.some(
    span =>
      (service === undefined || span.resource.service === service) &&
      (operation === undefined || span.name === operation),
  )
}

/** By 52 of the trace id's last 56 bits, which are random (OpenTelemetry, "Probability sampling", 2023). */
export function isDrawn(traceId: string, share: number): boolean {
  return Number.parseInt(traceId.slice(-13), 16) < share * 2 ** 52
}
