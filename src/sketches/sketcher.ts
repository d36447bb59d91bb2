import type { Counters } from '../telemetry/counters.js'
import type { FinishedSpan, FinishedTrace } from '../traces/span.js'
import { createMinuteSketches, type MinuteSketches } from './minute-sketches.js'
import type { SketchRow } from './sketch-row.js'
import { statusClass, untracedPeer } from './span-classes.js'

/** Sums finished spans up by the minute in which they ended. */
export interface Sketcher {
  add(trace: FinishedTrace): void
  /** Takes out every minute that ended at or before `until`, seconds since 1970; all without it. */
  take(until?: number): SketchRow[]
}

export interface SketcherOptions {
  /** `sketches.other.{operations,edges}`, `sketches.minutes.closed_early`. */
  readonly counters: Counters
  /** Takes the rows of a minute that had to leave early. */
  readonly early: (rows: SketchRow[]) => void
}

/** A clock that jumps, or a recording, opens many minutes at once; beyond so many the oldest leaves. */
const MOST_OPEN_MINUTES = 8
const MINUTE = 60

export function createSketcher({ counters, early }: SketcherOptions): Sketcher {
  const open = new Map<number, MinuteSketches>()
  const otherOperations = counters.counter('sketches.other.operations')
  const otherEdges = counters.counter('sketches.other.edges')
  const services = new Map<string, string>()
  const answered = new Set<string>()
  let lastTime = -1
  let last: MinuteSketches | undefined

  const minuteOf = (seconds: number): MinuteSketches => {
    const time = seconds - (seconds % MINUTE)
    if (time === lastTime && last !== undefined) return last
    let minute = open.get(time)
    if (minute === undefined) {
      if (open.size >= MOST_OPEN_MINUTES) {
        const oldest = Math.min(...open.keys())
        early(open.get(oldest)!.rows())
        open.delete(oldest)
        counters.add('sketches.minutes.closed_early')
      }
      minute = createMinuteSketches(time)
      open.set(time, minute)
    }
    lastTime = time
    last = minute
    return minute
  }
  /** A call with both ends in the trace is one edge, told by the end that was called. */
  const edge = (span: FinishedSpan): void => {
    if (span.kind === 'internal') return
    const { parentSpanId, resource, kind } = span
    const minute = minuteOf(span.end[0])
    if (kind === 'server' || kind === 'consumer') {
      const caller = parentSpanId === undefined ? undefined : services.get(parentSpanId)
      if (!minute.edge(caller ?? '', resource.service, span)) otherEdges.value++
    } else if (!answered.has(span.spanId) && !minute.edge(resource.service, untracedPeer(span), span)) {
      otherEdges.value++
    }
  }
  return {
    add: ({ spans }) => {
      services.clear()
      answered.clear()
      for (const span of spans) {
        services.set(span.spanId, span.resource.service)
        if (span.parentSpanId !== undefined && (span.kind === 'server' || span.kind === 'consumer')) {
          answered.add(span.parentSpanId)
        }
      }
      for (const span of spans) {
        if (!minuteOf(span.end[0]).operation(span, statusClass(span))) otherOperations.value++
        edge(span)
      }
    },
    take: until => {
      const rows: SketchRow[] = []
      for (const [time, minute] of [...open].sort(([a], [b]) => a - b)) {
        if (until !== undefined && time + MINUTE > until) continue
        rows.push(...minute.rows())
        open.delete(time)
      }
      last = undefined
      return rows
    },
  }
}
