import type { ClickHouseClient } from '@clickhouse/client'
import type { FinishedSpan } from '../../traces/span.js'
import { type Archive, isMissing } from '../archive.js'
import { createSpanReader, SPAN_COLUMNS, type SpanRow } from './span-from-row.js'
import { typedId } from './typed-id.js'

export type SpanLookup =
  | {
      readonly kind: 'span'
      readonly span: FinishedSpan
      /** Its parent and the other candidates, as far as they are in the archive, by their ids. */
      readonly related: ReadonlyMap<string, FinishedSpan>
    }
  /** Several ids begin like that; at most 20 are named. */
  | { readonly kind: 'ambiguous'; readonly spanIds: readonly string[] }
  | { readonly kind: 'none' }
  /** Not 4 to 16 hex digits. */
  | { readonly kind: 'invalid' }

const MOST_IDS = 20
/** A candidate may have begun so much earlier or later. */
const AROUND_SECONDS = 7_200

/** The span with this id, or the only one whose id begins like this (4 hex digits or more). Throws client errors. */
export async function getSpan(archive: Archive, idOrBeginning: string): Promise<SpanLookup> {
  const id = typedId(idOrBeginning)
  if (!/^[0-9a-f]{4,16}$/.test(id)) return { kind: 'invalid' }
  try {
    return await archive.run(async client => {
      const found = await spansBetween(client, archive.database, id)
      const ids = [...new Set(found.map(row => row.span))]
      if (ids.length === 0) return { kind: 'none' }
      if (ids.length > 1) return { kind: 'ambiguous', spanIds: ids }
      const span = createSpanReader()(found[0]!)
      return { kind: 'span', span, related: await relatedTo(client, archive.database, span) }
    })
  } catch (error) {
    if (isMissing(error)) return { kind: 'none' }
    throw error
  }
}

/** Compared as numbers: the column of ids is the only one that is read for all rows. */
async function spansBetween(client: ClickHouseClient, database: string, beginning: string): Promise<SpanRow[]> {
  const result = await client.query({
    query: `SELECT ${SPAN_COLUMNS} FROM ${database}.otel_traces PREWHERE span_key BETWEEN {from:UInt64} AND {to:UInt64}
      ORDER BY span_key LIMIT 1 BY span_key LIMIT ${MOST_IDS}`,
    query_params: { from: number(beginning.padEnd(16, '0')), to: number(beginning.padEnd(16, 'f')) },
    format: 'JSONEachRow',
  })
  return result.json<SpanRow>()
}

async function relatedTo(
  client: ClickHouseClient,
  database: string,
  span: FinishedSpan,
): Promise<Map<string, FinishedSpan>> {
  const ids = [
    ...(span.parentSpanId === undefined || span.parentRemote ? [] : [span.parentSpanId]),
    ...(span.link?.alternatives.map(({ spanId }) => spanId) ?? []),
    ...span.links.map(({ spanId }) => spanId),
  ]
  if (ids.length === 0) return new Map()
  // An array of 64-bit numbers does not go through a parameter; these are digits of our own.
  const result = await client.query({
    query: `SELECT ${SPAN_COLUMNS} FROM ${database}.otel_traces
      PREWHERE span_key IN (${ids.map(number).join(', ')})
      WHERE Timestamp BETWEEN fromUnixTimestamp({from:Int64}) AND fromUnixTimestamp({to:Int64})
      LIMIT 1 BY span_key`,
    query_params: {
      from: span.start[0] - AROUND_SECONDS,
      to: span.start[0] + AROUND_SECONDS,
    },
    format: 'JSONEachRow',
  })
  const read = createSpanReader()
  return new Map((await result.json<SpanRow>()).map(row => [row.span, read(row)]))
}

const number = (id: string): string => BigInt(`0x${id}`).toString()
