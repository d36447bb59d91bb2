import type { ClickHouseClient } from '@clickhouse/client'
import type { FinishedTrace } from '../../traces/span.js'
import { isMissing } from '../archive.js'
import type { TraceFilter, TraceSummary } from './list-traces.js'
import { createFetchedDictionary } from './shape-dictionary.js'
import { readShapeTraces } from './shape-traces.js'

const PAGE = 500
/** A filter that fits next to nothing ends here: after 50,000 traces. */
const MOST_PAGES = 100

/** The newest traces that are kept as shapes and fit: rebuilt page by page, since a row does not say its services. */
export async function listShapeTraces(
  client: ClickHouseClient,
  database: string,
  filter: TraceFilter,
  limit: number,
): Promise<TraceSummary[]> {
  const found: TraceSummary[] = []
  const dictionary = createFetchedDictionary(database)
  const since = filter.sinceNs === undefined ? '' : 'AND Start >= fromUnixTimestamp64Nano({since:Int64})'
  const until = filter.untilNs === undefined ? '' : 'AND Start <= fromUnixTimestamp64Nano({until:Int64})'
  try {
    for (let page = 0; page < MOST_PAGES && found.length < limit; page++) {
      const size = page === 0 ? Math.min(PAGE, Math.max(limit, 20)) : PAGE
      const offset = page === 0 ? 0 : Math.min(PAGE, Math.max(limit, 20)) + (page - 1) * PAGE
      const traces = await readShapeTraces(
        client,
        database,
        `bitAnd(flags, 1) = 0 ${since} ${until} ORDER BY Start DESC, trace_key LIMIT ${size} OFFSET ${offset}`,
        { since: String(filter.sinceNs ?? 0), until: String(filter.untilNs ?? 0) },
        dictionary,
      )
      for (const trace of traces) {
        const summary = summaryOf(trace)
        if (fits(trace, summary, filter)) found.push(summary)
      }
      if (traces.length < size) break
    }
  } catch (error) {
    // Written by an earlier version, which kept no shapes.
    if (!isMissing(error)) throw error
  }
  return found.slice(0, limit)
}

const nanos = ([seconds, rest]: readonly [number, number]): bigint => BigInt(seconds) * 1_000_000_000n + BigInt(rest)

function summaryOf({ traceId, spans }: FinishedTrace): TraceSummary {
  const root = spans[0]!
  let from = nanos(root.start)
  let to = from
  for (const span of spans) {
    const start = nanos(span.start)
    const end = start + BigInt(span.durationNs)
    if (start < from) from = start
    if (end > to) to = end
  }
  return {
    ...{ traceId, startNs: from, name: root.name, service: root.resource.service, durationNs: Number(to - from) },
    spans: spans.length,
    services: [...new Set(spans.map(span => span.resource.service))].sort(),
    error: spans.some(span => span.status.code === 'error'),
  }
}

function fits({ spans }: FinishedTrace, summary: TraceSummary, filter: TraceFilter): boolean {
  const { service, operation, minDurationNs, maxDurationNs } = filter
  if (filter.errorsOnly === true && !summary.error) return false
  if (minDurationNs !== undefined && summary.durationNs < minDurationNs) return false
  if (maxDurationNs !== undefined && summary.durationNs > maxDurationNs) return false
  if (service === undefined && operation === undefined) return true
  return spans.some(
    span =>
      (service === undefined || span.resource.service === service) &&
      (operation === undefined || span.name === operation),
  )
}
