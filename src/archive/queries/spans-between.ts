import type { FinishedSpan } from '../../traces/span.js'
import { type Archive, isMissing } from '../archive.js'
import { createSpanReader, SPAN_COLUMNS, type SpanRow } from './span-from-row.js'

const MOST_SPANS = 500_000

/** Every span that began in this time, ns since 1970, by start, once each; at most half a million. Throws client errors. */
export async function spansBetween(archive: Archive, sinceNs: bigint, untilNs: bigint): Promise<FinishedSpan[]> {
  try {
    return await archive.run(async client => {
      const result = await client.query({
        query: `SELECT ${SPAN_COLUMNS} FROM ${archive.database}.otel_traces
          WHERE Timestamp BETWEEN fromUnixTimestamp64Nano({since:Int64}) AND fromUnixTimestamp64Nano({until:Int64})
          ORDER BY Timestamp LIMIT ${MOST_SPANS}`,
        query_params: { since: String(sinceNs), until: String(untilNs) },
        format: 'JSONEachRow',
      })
      const read = createSpanReader()
      const seen = new Set<string>()
      return (await result.json<SpanRow>()).filter(row => !seen.has(row.span) && seen.add(row.span)).map(read)
    })
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}
