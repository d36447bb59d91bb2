import type { RebuiltSpan } from '../../src/compare/rebuilt-span.js'
import type { TempestCall } from './tempest-calls.js'

export interface CallScore {
  calls: number
  /** Calls that have a span. */
  traced: number
  /** … whose trace has exactly one root, and every parent in it. */
  oneRoot: number
  /** Traces that hold spans of two calls or more. */
  merged: number
  /** What is missing or wrong, for people. */
  readonly problems: string[]
}

/** How far the log's whole milliseconds, and the logging itself, may lie behind the end of the span. */
const NEAR_US = 400e3
const MOST_PROBLEMS = 40

/**
 * Finds the span of each call by method, path, status, process and time, each used once; and looks at its trace. Traces are
 * judged by structure alone, with no help from what reconstructed them.
 */
export function scoreCalls(calls: readonly TempestCall[], spans: readonly RebuiltSpan[]): CallScore {
  const traces = new Map<string, RebuiltSpan[]>()
  const candidates = new Map<string, RebuiltSpan[]>()
  for (const span of spans) {
    push(traces, span.traceId, span)
    if (span.kind !== 'client' || span.protocol !== 'http') continue
    const { attributes } = span
    push(
      candidates,
      `${String(attributes['process.pid'])} ${String(attributes['http.request.method'])} ${String(attributes['url.path'])} ${String(attributes['http.response.status_code'])}`,
      span,
    )
  }
  const used = new Set<RebuiltSpan>()
  const callsOf = new Map<string, number>()
  const score: CallScore = { calls: calls.length, traced: 0, oneRoot: 0, merged: 0, problems: [] }
  const problem = (call: TempestCall, text: string): void => {
    if (score.problems.length < MOST_PROBLEMS)
      score.problems.push(`${call.method} ${call.path} ${call.status}: ${text}`)
  }
  for (const call of calls) {
    const key = `${call.pid} ${call.method} ${call.path} ${call.status}`
    const found = nearest(candidates.get(key) ?? [], call.endUs, used)
    if (found === undefined) {
      problem(call, 'no span')
      continue
    }
    used.add(found)
    score.traced++
    callsOf.set(found.traceId, (callsOf.get(found.traceId) ?? 0) + 1)
    const trace = traces.get(found.traceId)!
    const ids = new Set(trace.map(span => span.spanId))
    const roots = trace.filter(span => span.parentSpanId === undefined)
    const dangling = trace.filter(span => span.parentSpanId !== undefined && !ids.has(span.parentSpanId))
    if (roots.length === 1 && dangling.length === 0 && roots[0] === found) score.oneRoot++
    else
      problem(call, `${roots.length} roots (${roots[0]?.name}), ${dangling.length} dangling of ${trace.length} spans`)
  }
  score.merged = [...callsOf.values()].filter(count => count > 1).length
  return score
}

function nearest(
  spans: readonly RebuiltSpan[],
  endUs: number,
  used: ReadonlySet<RebuiltSpan>,
): RebuiltSpan | undefined {
  let best: RebuiltSpan | undefined
  for (const span of spans) {
    const apart = Math.abs(span.endUs - endUs)
    if (used.has(span) || apart > NEAR_US) continue
    if (best === undefined || apart < Math.abs(best.endUs - endUs)) best = span
  }
  return best
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, [value])
  else known.push(value)
}
