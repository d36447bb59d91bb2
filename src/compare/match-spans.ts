import type { OsprofilerSpan, OsprofilerTrace } from './osprofiler-trace.js'
import type { RebuiltSpan } from './rebuilt-span.js'
import { FARTHEST_US, groupsOf, groupsOfRebuilt, kindOf, type PointKind } from './span-likeness.js'

export interface Match {
  readonly osprofiler: OsprofilerSpan
  readonly rebuilt: RebuiltSpan
}

/** Matched one to one. */
export interface Matching {
  readonly byOsprofiler: ReadonlyMap<OsprofilerSpan, RebuiltSpan>
  readonly byRebuilt: ReadonlyMap<RebuiltSpan, OsprofilerSpan>
  /** The trace that holds most of the matches; '' without any. */
  readonly traceId: string
}

interface Candidate extends Match {
  readonly cost: number
}

/** Requests first, since they say in which service and trace the rest is. */
const ORDER: readonly (readonly PointKind[])[] = [['wsgi'], ['rpc', 'rpcClient'], ['db']]
/** A match outside of the trace, or of what its parent was found as, must be closer by this much, µs. */
const ELSEWHERE_US = 5e3

/**
 * Finds the span of each of OSProfiler's among those that were reconstructed around the same time: same operation (method
 * and path, remote method, statement), nearest start, each used once, the closest pairs first. No header is looked at.
 */
export function matchSpans(trace: OsprofilerTrace, rebuilt: readonly RebuiltSpan[]): Matching {
  const groups = new Map<string, RebuiltSpan[]>()
  for (const span of rebuilt) {
    for (const group of groupsOfRebuilt(span)) {
      const known = groups.get(group)
      if (known === undefined) groups.set(group, [span])
      else known.push(span)
    }
  }
  const byOsprofiler = new Map<OsprofilerSpan, RebuiltSpan>()
  const byRebuilt = new Map<RebuiltSpan, OsprofilerSpan>()
  const byId = new Map(trace.spans.map(span => [span.id, span]))
  for (const kinds of ORDER) {
    const traceId = commonTrace(byRebuilt.keys())
    const candidates: Candidate[] = []
    for (const span of trace.spans) {
      const kind = kindOf(span)
      if (!kinds.includes(kind)) continue
      const owner = nearestMatched(span, byId, byOsprofiler)
      for (const group of groupsOf(span)) {
        for (const candidate of groups.get(group) ?? []) {
          if (byRebuilt.has(candidate)) continue
          const cost = costOf(span, candidate, kind, owner, traceId)
          if (cost !== undefined) candidates.push({ osprofiler: span, rebuilt: candidate, cost })
        }
      }
    }
    candidates.sort((a, b) => a.cost - b.cost)
    for (const { osprofiler, rebuilt: found } of candidates) {
      if (byOsprofiler.has(osprofiler) || byRebuilt.has(found)) continue
      byOsprofiler.set(osprofiler, found)
      byRebuilt.set(found, osprofiler)
    }
  }
  return { byOsprofiler, byRebuilt, traceId: commonTrace(byRebuilt.keys()) }
}

/** Undefined where they cannot be the same. */
function costOf(
  span: OsprofilerSpan,
  candidate: RebuiltSpan,
  kind: PointKind,
  owner: RebuiltSpan | undefined,
  traceId: string,
): number | undefined {
  const apart = Math.abs(candidate.startUs - span.startUs)
  if (apart > FARTHEST_US[kind]) return undefined
  // Statements are the same in many services: those of another one than the request's are not meant.
  if (kind === 'db' && owner !== undefined && owner.service !== candidate.service) return undefined
  const isElsewhere = traceId !== '' && candidate.traceId !== traceId && candidate.traceId !== owner?.traceId
  return apart + Math.abs(candidate.endUs - span.endUs) / 2 + (isElsewhere ? ELSEWHERE_US : 0)
}

/** What the nearest of a span's ancestors that has a match was found as. */
export function nearestMatched(
  span: OsprofilerSpan,
  byId: ReadonlyMap<string, OsprofilerSpan>,
  matches: ReadonlyMap<OsprofilerSpan, RebuiltSpan>,
): RebuiltSpan | undefined {
  let parent = byId.get(span.parentId)
  for (let depth = 0; parent !== undefined && depth < 1_000; depth++) {
    const found = matches.get(parent)
    if (found !== undefined) return found
    parent = byId.get(parent.parentId)
  }
  return undefined
}

function commonTrace(spans: Iterable<RebuiltSpan>): string {
  const counts = new Map<string, number>()
  for (const { traceId } of spans) counts.set(traceId, (counts.get(traceId) ?? 0) + 1)
  let best = ''
  let most = 0
  for (const [traceId, count] of counts) {
    if (count > most) {
      best = traceId
      most = count
    }
  }
  return best
}
