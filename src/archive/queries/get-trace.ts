import type { ClickHouseClient } from '@clickhouse/client'
import type { FinishedSpan, FinishedTrace } from '../../traces/span.js'
import { type Archive, isMissing } from '../archive.js'
import { FLAG_INCOMPLETE, FLAG_LATE } from '../span-row.js'
import { readShapeTraces, readThinTraces } from './shape-traces.js'
import { createSpanReader, SPAN_COLUMNS, type SpanRow } from './span-from-row.js'
import { typedId } from './typed-id.js'

export type TraceLookup =
  | { readonly kind: 'trace'; readonly trace: FinishedTrace }
  /** Several ids begin like that; at most 20 are named. */
  | { readonly kind: 'ambiguous'; readonly traceIds: readonly string[] }
  | { readonly kind: 'none' }
  /** Not 4 to 32 hex digits. */
  | { readonly kind: 'invalid' }

/** More spans than a person can look at; the rest of such a trace is left out. */
const MOST_SPANS = 100_000
const MOST_IDS = 20

/** The trace with this id, or the only one whose id begins like this (4 hex digits or more). Throws client errors. */
export async function getTrace(archive: Archive, idOrBeginning: string): Promise<TraceLookup> {
  const id = typedId(idOrBeginning)
  if (!/^[0-9a-f]{4,32}$/.test(id)) return { kind: 'invalid' }
  try {
    return await archive.run(async client => {
      const ids = id.length === 32 ? [id] : await idsBeginningWith(client, archive.database, id)
      if (ids.length > 1) return { kind: 'ambiguous', traceIds: ids }
      const trace = ids.length === 0 ? undefined : await readWhole(client, archive.database, ids[0]!)
      return trace === undefined ? { kind: 'none' } : { kind: 'trace', trace }
    })
  } catch (error) {
    if (isMissing(error)) return { kind: 'none' }
    throw error
  }
}

async function idsBeginningWith(client: ClickHouseClient, database: string, beginning: string): Promise<string[]> {
  const from = beginning.padEnd(32, '0')
  const to = beginning.padEnd(32, 'f')
  // Sorted by the hex id, so this reads a few granules; ids of dropped traces may still be in it.
  const result = await client.query({
    query: `SELECT DISTINCT TraceId AS id FROM ${database}.otel_traces_trace_id_ts
      WHERE lower(hex(trace_key)) BETWEEN {from:String} AND {to:String} ORDER BY id LIMIT ${MOST_IDS}`,
    query_params: { from, to },
    format: 'JSONEachRow',
  })
  const ids = (await result.json<{ id: string }>()).map(row => row.id)
  const shaped = await shapeIdsBeginningWith(client, database, from, to)
  if (ids.length === 0 || shaped.length > 0) return [...new Set([...ids, ...shaped])].sort().slice(0, MOST_IDS)
  if (ids.length < 2) return ids
  const present = await client.query({
    query: `SELECT DISTINCT lower(hex(trace_key)) AS id FROM ${database}.otel_traces
      WHERE lower(hex(trace_key)) IN {ids:Array(String)} ORDER BY id`,
    query_params: { ids },
    format: 'JSONEachRow',
  })
  return (await present.json<{ id: string }>()).map(row => row.id)
}

/** Traces that are kept as shapes have no table of ids. */
async function shapeIdsBeginningWith(
  client: ClickHouseClient,
  database: string,
  from: string,
  to: string,
): Promise<string[]> {
  try {
    const result = await client.query({
      query: `SELECT DISTINCT lower(hex(key)) AS id FROM (
          SELECT trace_key AS key FROM ${database}.shape_traces UNION ALL SELECT trace_key AS key FROM ${database}.thin_traces)
        WHERE key BETWEEN unhex({from:String}) AND unhex({to:String}) ORDER BY id LIMIT ${MOST_IDS}`,
      query_params: { from, to },
      format: 'JSONEachRow',
    })
    return (await result.json<{ id: string }>()).map(row => row.id)
  } catch (error) {
    // Written by an earlier version, which kept no shapes.
    if (isMissing(error)) return []
    throw error
  }
}

/** As rows of spans, as a shape, or thinned; spans that came late may be kept in another way than the rest. */
async function readWhole(client: ClickHouseClient, database: string, id: string): Promise<FinishedTrace | undefined> {
  const asRows = await readTrace(client, database, id)
  const asShapes = await readShapes(client, database, id)
  const all = [...(asRows === undefined ? [] : [asRows]), ...asShapes]
  if (all.length < 2) return all[0]
  const seen = new Set<string>()
  const spans = all.flatMap(trace => trace.spans).filter(span => !seen.has(span.spanId) && seen.add(span.spanId))
  return {
    traceId: id,
    spans: parentsFirst(spans.sort((a, b) => a.start[0] - b.start[0] || a.start[1] - b.start[1])),
    late: all.every(trace => trace.late),
    incomplete: all.some(trace => trace.incomplete),
  }
}

async function readShapes(client: ClickHouseClient, database: string, id: string): Promise<FinishedTrace[]> {
  const condition = 'lower(hex(trace_key)) = {id:String} ORDER BY flags, Start'
  try {
    const whole = await readShapeTraces(client, database, condition, { id })
    return whole.length > 0 ? whole : await readThinTraces(client, database, condition, { id })
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

async function readTrace(client: ClickHouseClient, database: string, id: string): Promise<FinishedTrace | undefined> {
  // The bloom filter on the id's expression finds its granules without knowing the time.
  const result = await client.query({
    query: `SELECT ${SPAN_COLUMNS} FROM ${database}.otel_traces WHERE lower(hex(trace_key)) = {id:String}
      ORDER BY Timestamp LIMIT ${MOST_SPANS}`,
    query_params: { id },
    format: 'JSONEachRow',
  })
  const rows = await result.json<SpanRow>()
  if (rows.length === 0) return undefined
  return {
    traceId: id,
    spans: parentsFirst(onceEach(rows).map(createSpanReader())),
    late: rows.every(row => (row.flags & FLAG_LATE) !== 0),
    incomplete: rows.some(row => (row.flags & FLAG_INCOMPLETE) !== 0),
  }
}

/** The same recording may have been archived several times; ids are derived, so its spans have the same ones. */
function onceEach(rows: readonly SpanRow[]): SpanRow[] {
  const seen = new Set<string>()
  return rows.filter(row => !seen.has(row.span) && seen.add(row.span))
}

/** Parents before children, children by start; spans whose parent is not there begin a tree of their own. */
function parentsFirst(byStart: readonly FinishedSpan[]): FinishedSpan[] {
  const children = new Map<string | undefined, FinishedSpan[]>()
  const known = new Set(byStart.map(span => span.spanId))
  for (const span of byStart) {
    const parent = span.parentSpanId !== undefined && known.has(span.parentSpanId) ? span.parentSpanId : undefined
    const siblings = children.get(parent)
    if (siblings === undefined) children.set(parent, [span])
    else siblings.push(span)
  }
  const ordered: FinishedSpan[] = []
  const stack = [...(children.get(undefined) ?? [])].reverse()
  for (let span = stack.pop(); span !== undefined; span = stack.pop()) {
    ordered.push(span)
    const below = children.get(span.spanId)
    children.delete(span.spanId)
    if (below !== undefined) stack.push(...below.reverse())
  }
  return ordered
}
