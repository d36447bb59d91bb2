import { extraReason } from './extra-reason.js'
import { type Matching, matchSpans, nearestMatched } from './match-spans.js'
import type { OsprofilerSpan, OsprofilerTrace } from './osprofiler-trace.js'
import type { RebuiltSpan } from './rebuilt-span.js'
import { kindOf, type PointKind } from './span-likeness.js'

export interface MatchedSpan {
  readonly osprofiler: OsprofilerSpan
  readonly rebuilt: RebuiltSpan
  /** rebuilt - OSProfiler, µs. */
  readonly startUs: number
  /** Of that, the time in which OSProfiler was seen writing its start point, which it does before the work begins. */
  readonly writingUs: number
  readonly durationUs: number
  /** The nearest ancestor that both have is the same; roots agree where neither has one. */
  readonly parentAgrees: boolean
  /** It is in the trace that has most of the others. */
  readonly inTrace: boolean
}

export interface MissingSpan {
  readonly osprofiler: OsprofilerSpan
  readonly reason: string
}

export interface ExtraSpan {
  readonly rebuilt: RebuiltSpan
  /** Why OSProfiler has none. */
  readonly reason: string
}

/** Counts of spans of one kind. */
export interface KindCounts {
  readonly spans: number
  readonly matched: number
  readonly parentsEqual: number
}

export interface Comparison {
  readonly trace: OsprofilerTrace
  /** The reconstructed trace with most matches; '' if there is none. Its spans, parents before children. */
  readonly traceId: string
  readonly rebuilt: readonly RebuiltSpan[]
  /** Traces over which the matches are spread: 1 when nothing is torn. */
  readonly traces: number
  readonly matched: readonly MatchedSpan[]
  readonly missing: readonly MissingSpan[]
  /** Function calls inside of a process, which touch no socket: nobody outside can see them. */
  readonly internal: readonly OsprofilerSpan[]
  readonly extra: readonly ExtraSpan[]
  readonly kinds: Readonly<Record<Exclude<PointKind, 'internal'>, KindCounts>>
  readonly parentsEqual: number
  /** Of |start difference|, µs; NaN without matches. */
  readonly startP50Us: number
  readonly startP99Us: number
  /** The same without OSProfiler's own writing, as far as it was seen (Redis). */
  readonly netStartP50Us: number
  readonly netStartP99Us: number
  readonly durationP50Us: number
  readonly durationP99Us: number
}

/** @param around every reconstructed span of that time, whatever its trace. */
export function compareTraces(trace: OsprofilerTrace, around: readonly RebuiltSpan[]): Comparison {
  const matching = matchSpans(trace, around)
  const { byOsprofiler, byRebuilt, traceId } = matching
  const parentAgrees = parentCheck(trace, around, matching)
  const writings = writingsByParent(around)
  const matched: MatchedSpan[] = []
  const missing: MissingSpan[] = []
  const internal: OsprofilerSpan[] = []
  for (const osprofiler of trace.spans) {
    const rebuilt = byOsprofiler.get(osprofiler)
    if (rebuilt !== undefined) {
      matched.push({
        osprofiler,
        rebuilt,
        startUs: rebuilt.startUs - osprofiler.startUs,
        writingUs: writingBetween(writings, osprofiler, rebuilt),
        durationUs: rebuilt.endUs - rebuilt.startUs - (osprofiler.endUs - osprofiler.startUs),
        parentAgrees: parentAgrees(osprofiler, rebuilt),
        inTrace: rebuilt.traceId === traceId,
      })
    } else if (kindOf(osprofiler) === 'internal') internal.push(osprofiler)
    else missing.push({ osprofiler, reason: missingReason(osprofiler) })
  }
  const rebuilt = around.filter(span => span.traceId === traceId)
  const context = { byRebuilt, servicesWithSql: servicesWithSql(matched), spans: rebuilt }
  const extra = rebuilt
    .filter(span => !byRebuilt.has(span))
    .map(span => ({ rebuilt: span, reason: extraReason(span, context) }))
  const starts = matched.map(({ startUs }) => Math.abs(startUs)).sort((a, b) => a - b)
  const netStarts = matched.map(({ startUs, writingUs }) => Math.abs(startUs - writingUs)).sort((a, b) => a - b)
  const durations = matched.map(({ durationUs }) => Math.abs(durationUs)).sort((a, b) => a - b)
  return {
    trace,
    traceId,
    rebuilt,
    traces: new Set(matched.map(({ rebuilt: { traceId: id } }) => id)).size,
    matched,
    missing,
    internal,
    extra,
    kinds: countKinds(trace, matched),
    parentsEqual: matched.filter(each => each.parentAgrees).length,
    startP50Us: quantile(starts, 0.5),
    startP99Us: quantile(starts, 0.99),
    netStartP50Us: quantile(netStarts, 0.5),
    netStartP99Us: quantile(netStarts, 0.99),
    durationP50Us: quantile(durations, 0.5),
    durationP99Us: quantile(durations, 0.99),
  }
}

function parentCheck(trace: OsprofilerTrace, around: readonly RebuiltSpan[], matching: Matching) {
  const byId = new Map(trace.spans.map(span => [span.id, span]))
  const bySpanId = new Map(around.map(span => [span.spanId, span]))
  return (osprofiler: OsprofilerSpan, rebuilt: RebuiltSpan): boolean => {
    const expected = nearestMatched(osprofiler, byId, matching.byOsprofiler)
    let above = rebuilt.parentSpanId === undefined ? undefined : bySpanId.get(rebuilt.parentSpanId)
    for (let depth = 0; above !== undefined && depth < 1_000; depth++) {
      if (matching.byRebuilt.has(above)) break
      above = above.parentSpanId === undefined ? undefined : bySpanId.get(above.parentSpanId)
    }
    // At the top of OSProfiler's trace: only the trace itself can be right or wrong.
    if (expected === undefined) return above === undefined && rebuilt.traceId === matching.traceId
    return above === expected
  }
}

/** OSProfiler's Redis driver pushes each point to a list. */
function writingsByParent(around: readonly RebuiltSpan[]): Map<string, RebuiltSpan[]> {
  const writings = new Map<string, RebuiltSpan[]>()
  for (const span of around) {
    if (span.protocol !== 'redis' || span.parentSpanId === undefined || !span.name.startsWith('LPUSH')) continue
    const known = writings.get(span.parentSpanId)
    if (known === undefined) writings.set(span.parentSpanId, [span])
    else known.push(span)
  }
  return writings
}

function writingBetween(
  writings: ReadonlyMap<string, readonly RebuiltSpan[]>,
  { startUs }: OsprofilerSpan,
  rebuilt: RebuiltSpan,
): number {
  let sum = 0
  for (const writing of writings.get(rebuilt.parentSpanId ?? '') ?? []) {
    if (writing.startUs >= startUs && writing.endUs <= rebuilt.startUs) sum += writing.endUs - writing.startUs
  }
  return sum
}

const servicesWithSql = (matched: readonly MatchedSpan[]): Set<string> =>
  new Set(matched.flatMap(({ osprofiler, rebuilt }) => (kindOf(osprofiler) === 'db' ? [rebuilt.service] : [])))

function missingReason(span: OsprofilerSpan): string {
  const kind = kindOf(span)
  if (kind === 'rpc') return 'no message with this method was seen: the method may have been called inside its process'
  if (kind === 'rpcClient') return 'no message with this method was sent: it may be answered inside its process'
  if (!span.finished) return 'OSProfiler has no stop of it, so its trace was read too early or its process ended'
  return kind === 'db' ? 'no such statement was seen near it' : 'no such request was seen near it'
}

function countKinds(trace: OsprofilerTrace, matched: readonly MatchedSpan[]): Comparison['kinds'] {
  const count = (kind: PointKind): KindCounts => {
    const here = matched.filter(({ osprofiler }) => kindOf(osprofiler) === kind)
    return {
      spans: trace.spans.filter(span => kindOf(span) === kind).length,
      matched: here.length,
      parentsEqual: here.filter(each => each.parentAgrees).length,
    }
  }
  return { wsgi: count('wsgi'), rpc: count('rpc'), rpcClient: count('rpcClient'), db: count('db') }
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * q) - 1)] ?? Number.NaN
}
