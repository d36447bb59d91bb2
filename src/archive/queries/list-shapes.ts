import { type OutlineNode, similarity } from '../../shapes/shape-outline.js'
import { type Archive, isMissing } from '../archive.js'

export interface ShapeFilter {
  /** Seconds since 1970: seen since then, or with `fresh`, first seen since then. */
  readonly since: number
  readonly fresh?: boolean
  /** Seen at most so often. */
  readonly atMost?: number
  readonly service?: string
  readonly limit: number
}

export interface ShapeSummary {
  /** 32 hex digits. */
  readonly shape: string
  /** Seconds since 1970. */
  readonly firstSeen: number
  readonly lastSeen: number
  readonly traces: number
  readonly failed: number
  /** Of its root. */
  readonly service: string
  readonly name: string
  readonly spans: number
  readonly outline: readonly OutlineNode[]
  /** Durations by place in the outline: bins of a quantile sketch. */
  readonly nodeBins: ReadonlyMap<number, { readonly indexes: number[]; readonly counts: number[] }>
  readonly slowest: { readonly traceId: string; readonly durationNs: number } | undefined
  readonly latest: string | undefined
  readonly latestFailed: string | undefined
  /** The older shape that has most paths in common with this one, if it is at least half of them. */
  readonly like: { readonly shape: string; readonly share: number } | undefined
}

interface Row {
  readonly id: string
  readonly first: string
  readonly last: string
  readonly traces: string
  readonly failed: string
  readonly service: string
  readonly name: string
  readonly spans: number
  readonly outline: string
  readonly similarity: number[]
  readonly node_keys: number[]
  readonly node_counts: string[]
  readonly slowest_ns: string
  readonly slowest_trace: string
  readonly latest_trace: string
  readonly failed_trace: string
}

const MOST_COMPARED = 20_000
const NO_TRACE = '0'.repeat(32)

/** The newest first. Nothing archived yet: nothing. Throws the client's errors. */
export async function listShapes(archive: Archive, filter: ShapeFilter): Promise<ShapeSummary[]> {
  const { database } = archive
  const conditions = [
    filter.fresh === true ? 'first >= {since:UInt32}' : 'last >= {since:UInt32}',
    ...(filter.atMost === undefined ? [] : ['traces <= {most:UInt64}']),
    ...(filter.service === undefined ? [] : ['position(outline, {service:String}) > 0']),
  ]
  const parameters = {
    ...{ since: filter.since, most: filter.atMost ?? 0, limit: filter.limit },
    service: `"service":${JSON.stringify(filter.service ?? '')}`,
  }
  try {
    return await archive.run(async client => {
      const result = await client.query({
        query: `SELECT * FROM (
            SELECT lower(hex(shape)) AS id, toUnixTimestamp(min(first_seen)) AS first, toUnixTimestamp(max(last_seen)) AS last,
              sum(t.traces) AS traces, sum(t.failed) AS failed, max(t.service) AS service, max(t.name) AS name,
              max(t.spans) AS spans, max(t.outline) AS outline, max(t.similarity) AS similarity,
              sumMap(node_bins.1, node_bins.2) AS merged, merged.1 AS node_keys, merged.2 AS node_counts,
              max(t.slowest) AS top, top.1 AS slowest_ns, lower(hex(top.2)) AS slowest_trace,
              lower(hex(max(t.latest).2)) AS latest_trace, lower(hex(max(t.latest_failed).2)) AS failed_trace
            FROM ${database}.trace_shapes AS t GROUP BY shape)
          WHERE ${conditions.join(' AND ')} ORDER BY first DESC, traces DESC LIMIT {limit:UInt32}`,
        query_params: parameters,
        format: 'JSONEachRow',
      })
      const rows = await result.json<Row>()
      const others = await client.query({
        query: `SELECT lower(hex(shape)) AS id, toUnixTimestamp(min(first_seen)) AS first, max(t.similarity) AS similarity
          FROM ${database}.trace_shapes AS t GROUP BY shape ORDER BY first LIMIT ${MOST_COMPARED}`,
        format: 'JSONEachRow',
      })
      const older = await others.json<{ id: string; first: string; similarity: number[] }>()
      return rows.map(row => summaryOf(row, older))
    })
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

function summaryOf(row: Row, others: readonly { id: string; first: string; similarity: number[] }[]): ShapeSummary {
  const nodeBins = new Map<number, { indexes: number[]; counts: number[] }>()
  row.node_keys.forEach((key, i) => {
    const place = Math.floor(key / 4_096)
    const bins = nodeBins.get(place) ?? { indexes: [], counts: [] }
    bins.indexes.push((key % 4_096) - 1)
    bins.counts.push(Number(row.node_counts[i]))
    nodeBins.set(place, bins)
  })
  let like: ShapeSummary['like']
  for (const other of others) {
    if (other.id === row.id || Number(other.first) > Number(row.first)) continue
    const share = similarity(row.similarity, other.similarity)
    if (share >= 0.5 && share > (like?.share ?? 0)) like = { shape: other.id, share }
  }
  const trace = (id: string): string | undefined => (id === NO_TRACE ? undefined : id)
  return {
    ...{ shape: row.id, firstSeen: Number(row.first), lastSeen: Number(row.last), traces: Number(row.traces) },
    ...{ failed: Number(row.failed), service: row.service, name: row.name, spans: row.spans, nodeBins, like },
    outline: row.outline === '' ? [] : (JSON.parse(row.outline) as OutlineNode[]),
    slowest:
      row.slowest_trace === NO_TRACE ? undefined : { traceId: row.slowest_trace, durationNs: Number(row.slowest_ns) },
    latest: trace(row.latest_trace),
    latestFailed: trace(row.failed_trace),
  }
}

/** Every shape of the archive, and how often it was seen. */
export async function knownShapes(archive: Archive): Promise<{ readonly shape: string; readonly traces: number }[]> {
  try {
    return await archive.run(async client => {
      const result = await client.query({
        query: `SELECT lower(hex(shape)) AS id, sum(t.traces) AS seen FROM ${archive.database}.trace_shapes AS t
          GROUP BY shape ORDER BY max(last_seen) DESC LIMIT 100000`,
        format: 'JSONEachRow',
      })
      return (await result.json<{ id: string; seen: string }>()).map(row => ({
        shape: row.id,
        traces: Number(row.seen),
      }))
    })
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}
