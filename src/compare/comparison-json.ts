import type { Comparison, KindCounts } from './comparison.js'

const round = (value: number): number | null => (Number.isFinite(value) ? Math.round(value * 10) / 10 : null)

/** The object that `ghostspan compare --json` prints. Times in µs since the epoch. */
export function comparisonToJson(comparison: Comparison): Record<string, unknown> {
  const { trace, traceId, traces, matched, missing, internal, extra, kinds, parentsEqual } = comparison
  const spans = Object.values(kinds).reduce((sum: number, kind: KindCounts) => sum + kind.spans, 0)
  return {
    osprofilerId: trace.baseId,
    traceId,
    traces,
    spans,
    matched: matched.length,
    parentsEqual,
    missing: missing.length,
    internal: internal.length,
    extra: extra.length,
    kinds,
    startDifferenceUs: {
      p50: round(comparison.startP50Us),
      p99: round(comparison.startP99Us),
      netP50: round(comparison.netStartP50Us),
      netP99: round(comparison.netStartP99Us),
    },
    durationDifferenceUs: { p50: round(comparison.durationP50Us), p99: round(comparison.durationP99Us) },
    extraReasons: countReasons(extra),
    matches: matched.map(each => ({
      osprofiler: each.osprofiler.id,
      spanId: each.rebuilt.spanId,
      traceId: each.rebuilt.traceId,
      startUs: round(each.startUs),
      durationUs: round(each.durationUs),
      parentAgrees: each.parentAgrees,
    })),
    missingSpans: missing.map(({ osprofiler, reason }) => ({
      osprofiler: osprofiler.id,
      name: osprofiler.name,
      service: osprofiler.service,
      detail: osprofiler.detail,
      reason,
    })),
    extraSpans: extra.map(({ rebuilt, reason }) => ({ spanId: rebuilt.spanId, name: rebuilt.name, reason })),
  }
}

/** How many for each reason, the most first. */
export function countReasons(items: readonly { readonly reason: string }[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const { reason } of items) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return Object.fromEntries([...counts].sort((a, b) => b[1] - a[1]))
}
