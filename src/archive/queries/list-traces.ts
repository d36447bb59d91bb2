import type { ClickHouseClient } from '@clickhouse/client'
import { type Archive, isMissing } from '../archive.js'
import { listShapeTraces } from './list-shape-traces.js'

/** Which traces to list. Nanoseconds since 1970 are bigint: they exceed a double. */
export interface TraceFilter {
  /** Some span of the trace belongs to this service … */
  readonly service?: string
  /** … and some span (the same one, if both are given) has this name. */
  readonly operation?: string
  /** Bounds of the whole trace's duration. */
  readonly minDurationNs?: number
  readonly maxDurationNs?: number
  /** Only traces with a span that failed. */
  readonly errorsOnly?: boolean
  /** Bounds of the trace's start. */
  readonly sinceNs?: bigint
  readonly untilNs?: bigint
  /** Default 20. */
  readonly limit?: number
}

export interface TraceSummary {
  readonly traceId: string
  readonly startNs: bigint
  /** Of the root; of the earliest span where the root is not archived. */
  readonly name: string
  readonly service: string
  readonly durationNs: number
  readonly spans: number
  readonly services: readonly string[]
  readonly error: boolean
}

/** A trace begins and ends within this; spans beyond a bound by so much are read to have traces whole. */
const LONGEST_TRACE_NS = 3_600_000_000_000n
const HOUR_NS = 3_600_000_000_000n

/**
 * The newest traces first. Without a lower bound the last hours of the archive are asked first and more only when they
 * do not hold enough. Nothing archived yet: an empty list. Throws the client's errors.
 */
export async function listTraces(archive: Archive, filter: TraceFilter = {}): Promise<TraceSummary[]> {
  const limit = Math.max(1, Math.floor(filter.limit ?? 20))
  try {
    return await archive.run(async client => {
      const asShapes = await listShapeTraces(client, archive.database, filter, limit)
      const asRows = await listRows(client, archive.database, filter, limit)
      if (asShapes.length === 0) return asRows
      const known = new Set(asRows.map(trace => trace.traceId))
      return [...asRows, ...asShapes.filter(trace => !known.has(trace.traceId))]
        .sort((a, b) => (a.startNs === b.startNs ? 0 : a.startNs > b.startNs ? -1 : 1))
        .slice(0, limit)
    })
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

async function listRows(
  client: ClickHouseClient,
  database: string,
  filter: TraceFilter,
  limit: number,
): Promise<TraceSummary[]> {
  const range = await timeRange(client, database)
  if (range === undefined) return []
  const until = filter.untilNs !== undefined && filter.untilNs < range.newest ? filter.untilNs : range.newest
  const lowest = filter.sinceNs !== undefined && filter.sinceNs > range.oldest ? filter.sinceNs : range.oldest
  for (let hours = 1n; ; hours *= 8n) {
    const since = until - hours * HOUR_NS > lowest ? until - hours * HOUR_NS : lowest
    const found = await tracesBetween(client, database, filter, since, until, limit)
    if (found.length >= limit || since <= lowest) return found
  }
}

async function timeRange(
  client: ClickHouseClient,
  database: string,
): Promise<{ oldest: bigint; newest: bigint } | undefined> {
  const result = await client.query({
    query: `SELECT toString(toUnixTimestamp64Nano(min(Timestamp))) AS oldest,
      toString(toUnixTimestamp64Nano(max(Timestamp))) AS newest, count() AS rows FROM ${database}.otel_traces`,
    format: 'JSONEachRow',
  })
  const [row] = await result.json<{ oldest: string; newest: string; rows: string }>()
  return row === undefined || Number(row.rows) === 0
    ? undefined
    : { oldest: BigInt(row.oldest), newest: BigInt(row.newest) }
}

interface Row {
  readonly id: string
  readonly start: string
  readonly name: string
  readonly service: string
  readonly duration: string
  readonly spans: string
  readonly services: string[]
  readonly error: number
}

async function tracesBetween(
  client: ClickHouseClient,
  database: string,
  filter: TraceFilter,
  since: bigint,
  until: bigint,
  limit: number,
): Promise<TraceSummary[]> {
  const parameters: Record<string, unknown> = {
    from: String(since - LONGEST_TRACE_NS),
    to: String(until + LONGEST_TRACE_NS),
    since: String(since),
    until: String(until),
    limit,
  }
  const having = ['start_ns BETWEEN {since:Int64} AND {until:Int64}']
  const matches: string[] = []
  const where = (condition: string, name: string, value: unknown, into: string[]): void => {
    into.push(condition)
    parameters[name] = value
  }
  if (filter.service !== undefined) where('ServiceName = {service:String}', 'service', filter.service, matches)
  if (filter.operation !== undefined) where('SpanName = {operation:String}', 'operation', filter.operation, matches)
  if (matches.length > 0) having.push(`countIf(${matches.join(' AND ')}) > 0`)
  if (filter.minDurationNs !== undefined) {
    where('duration_ns >= {least:Float64}', 'least', filter.minDurationNs, having)
  }
  if (filter.maxDurationNs !== undefined) where('duration_ns <= {most:Float64}', 'most', filter.maxDurationNs, having)
  if (filter.errorsOnly === true) having.push('failed = 1')
  // Our topmost span is the root also where its parent is an instrumented caller's (flag 1).
  const top = '(parent_key = 0 OR bitAnd(flags, 1) = 1)'
  const result = await client.query({
    query: `SELECT lower(hex(trace_key)) AS id,
        min(toUnixTimestamp64Nano(Timestamp)) AS start_ns,
        max(toUnixTimestamp64Nano(Timestamp) + toInt64(Duration)) - start_ns AS duration_ns,
        max(StatusCode = 'Error') AS failed,
        toString(start_ns) AS start, toString(duration_ns) AS duration, uniqExact(span_key) AS spans,
        argMin(SpanName, (NOT ${top}, Timestamp)) AS name, argMin(ServiceName, (NOT ${top}, Timestamp)) AS service,
        arraySort(groupUniqArray(ServiceName)) AS services, failed AS error
      FROM ${database}.otel_traces
      WHERE Timestamp BETWEEN fromUnixTimestamp64Nano({from:Int64}) AND fromUnixTimestamp64Nano({to:Int64})
      GROUP BY trace_key HAVING ${having.join(' AND ')}
      ORDER BY start_ns DESC, id LIMIT {limit:UInt32}`,
    query_params: parameters,
    format: 'JSONEachRow',
  })
  return (await result.json<Row>()).map(row => ({
    traceId: row.id,
    startNs: BigInt(row.start),
    name: row.name,
    service: row.service,
    durationNs: Number(row.duration),
    spans: Number(row.spans),
    services: row.services,
    error: Number(row.error) === 1,
  }))
}
