import { Readable } from 'node:stream'
import { type ClickHouseClient, ClickHouseError } from '@clickhouse/client'
import type { Batch } from './batch.js'

/**
 * Errors of the data itself (parse errors, types, columns): the same batch would fail for ever. Everything else, a
 * missing table and a wrong password included, is the archive being away.
 */
const OF_THE_DATA = new Set([
  '6',
  '16',
  '20',
  '26',
  '27',
  '32',
  '33',
  '38',
  '41',
  '53',
  '62',
  '69',
  '70',
  '117',
  '131',
  '349',
])

export function isRefusal(error: unknown): boolean {
  return error instanceof ClickHouseError && OF_THE_DATA.has(error.code)
}

/** Inserts one batch; the same token twice inserts once, in the table and in what its views feed. */
export async function insertBatch(
  client: ClickHouseClient,
  database: string,
  batch: Batch,
  signal: AbortSignal,
): Promise<void> {
  const columns = batch.columns.map(column => `\`${column}\``).join(', ')
  const result = await client.exec({
    query: `INSERT INTO ${database}.${batch.table ?? 'otel_traces'} (${columns}) FORMAT RowBinary`,
    values: Readable.from([batch.bytes], { objectMode: false }),
    clickhouse_settings: {
      insert_deduplication_token: batch.token,
      deduplicate_blocks_in_dependent_materialized_views: 1,
      async_insert: 0,
      // A connection that breaks in mid-body must not leave the first half of a batch behind under its token.
      max_insert_block_size: '1048576',
      input_format_parallel_parsing: 0,
    },
    abort_signal: signal,
  })
  // Undrained, the connection would not be given back.
  for await (const _ of result.stream) {
    // An INSERT answers nothing.
  }
}
