import type { ClickHouseClient } from '@clickhouse/client'
import { FREQUENT_CAPACITY } from '../sketches/frequent-items.js'
import { type Archive, isMissing } from './archive.js'
import { SKETCH_RETENTION_SECONDS, type SketchResolution } from './sketch-schema.js'

export interface RollUpResult {
  /** Hours and days that were made (again). */
  readonly hours: number
  readonly days: number
}

/**
 * Rows of `source` with the same key as one: sums and merged sketches. Counts of frequent items are brought back to the
 * sketch's capacity by taking the first that is too many off all, which keeps its bound (Agarwal et al., "Mergeable
 * summaries", 2012).
 */
export function mergedRows(source: string, key: string): string {
  return `SELECT ${key}, all_calls AS calls, all_errors AS errors, all_duration_ns AS duration_ns,
      all_longest_ns AS longest_ns, all_request_bytes AS request_bytes, all_response_bytes AS response_bytes,
      all_bins.1 AS bins, all_bins.2 AS counts, all_registers.1 AS registers, all_registers.2 AS ranks,
      arrayFilter((item, times) -> times > cut, all_items.1, all_items.2) AS items,
      arrayMap(times -> times - cut, arrayFilter(times -> times > cut, all_items.2)) AS item_counts
    FROM (
      SELECT ${key}, sum(calls) AS all_calls, sum(errors) AS all_errors, sum(duration_ns) AS all_duration_ns,
        max(longest_ns) AS all_longest_ns, sum(request_bytes) AS all_request_bytes,
        sum(response_bytes) AS all_response_bytes, sumMap(bins, counts) AS all_bins, maxMap(registers, ranks) AS all_registers,
        sumMap(items, item_counts) AS all_items, arrayReverseSort(all_items.2)[${FREQUENT_CAPACITY + 1}] AS cut
      FROM (${source}) GROUP BY ${key})`
}

const PAYLOAD =
  'calls, errors, duration_ns, longest_ns, request_bytes, response_bytes, bins, counts, registers, ranks, items, item_counts'
/** The clock of whoever wrote the rows may be a little ahead of the archive's. */
const SLACK_SECONDS = 120

/**
 * Makes hours of minutes and days of hours, for every hour and day that has ended and into which something came since
 * the last time. May run at any time, and again: what is made again replaces what was made before.
 */
export async function rollUpSketches(archive: Archive): Promise<RollUpResult> {
  try {
    return await archive.run(async client => ({
      hours: await rollUp(client, archive.database, 'minutes', 'hours'),
      days: await rollUp(client, archive.database, 'hours', 'days'),
    }))
  } catch (error) {
    if (isMissing(error)) return { hours: 0, days: 0 }
    throw error
  }
}

async function rollUp(
  client: ClickHouseClient,
  database: string,
  from: SketchResolution,
  to: 'hours' | 'days',
): Promise<number> {
  const start = to === 'hours' ? 'toStartOfHour(time)' : 'toStartOfDay(time)'
  const came = from === 'minutes' ? 'archived' : 'rolled'
  const result = await client.query({
    query: `SELECT DISTINCT toUnixTimestamp(${start}) AS bucket FROM ${database}.sketches_${from}
      WHERE ${start} < ${to === 'hours' ? 'toStartOfHour(now())' : 'toStartOfDay(now())'}
        AND ${came} >= (SELECT max(rolled) FROM ${database}.sketches_${to}) - ${SLACK_SECONDS} ORDER BY bucket`,
    format: 'JSONEachRow',
  })
  const buckets = (await result.json<{ bucket: number }>()).map(row => Number(row.bucket))
  for (const bucket of buckets) {
    const length = to === 'hours' ? 3_600 : 86_400
    await client.command({
      query: `INSERT INTO ${database}.sketches_${to} (time, kind, service, name, class, format, ${PAYLOAD})
        SELECT toDateTime(${bucket}), kind, service, name, class, format, ${PAYLOAD} FROM (${mergedRows(
          `SELECT kind, service, name, class, format, ${PAYLOAD} FROM ${database}.sketches_${from}${from === 'minutes' ? '' : ' FINAL'}
           WHERE time >= toDateTime(${bucket}) AND time < toDateTime(${bucket + length})`,
          'kind, service, name, class, format',
        )})`,
    })
  }
  return buckets.length
}

/** How long each resolution is kept, as asked. Runs only where it differs. */
export async function setSketchRetention(
  archive: Archive,
  retention: Readonly<Record<SketchResolution, number>> = SKETCH_RETENTION_SECONDS,
): Promise<void> {
  await archive.run(async client => {
    const { database } = archive
    const result = await client.query({
      query: `SELECT name, engine_full FROM system.tables WHERE database = {database:String} AND name LIKE 'sketches_%'`,
      query_params: { database },
      format: 'JSONEachRow',
    })
    for (const { name, engine_full: engine } of await result.json<{ name: string; engine_full: string }>()) {
      const resolution = name.slice('sketches_'.length) as SketchResolution
      const seconds = retention[resolution]
      if (seconds === undefined) continue
      const wanted = `${resolution === 'minutes' ? 'archived' : 'time'} + toIntervalSecond(${Math.round(seconds)})`
      if (!engine.includes(`TTL ${wanted}`)) {
        await client.command({ query: `ALTER TABLE ${database}.${name} MODIFY TTL ${wanted}` })
      }
    }
  })
}
