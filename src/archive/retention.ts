import { type ClickHouseClient, ClickHouseError } from '@clickhouse/client'
import type { Counters } from '../telemetry/counters.js'
import type { Archive } from './archive.js'

export interface RetentionOptions {
  readonly archive: Archive
  /** Rows are dropped this long after they were archived (not after they happened: a replayed recording is kept). */
  readonly retentionSeconds: number
  /** All tables of the archive together, on disk. */
  readonly limitBytes: number
  readonly counters: Counters
  readonly warn?: (message: string) => void
}

export interface RetentionResult {
  readonly droppedSpans: number
  readonly droppedBytes: number
  /** What is left. */
  readonly bytesOnDisk: number
}

interface Part {
  readonly name: string
  readonly rows: number
  readonly bytes: number
}

/** ClickHouse: NO_SUCH_DATA_PART; a merge was quicker. */
const NO_SUCH_PART = '232'

/**
 * Drops what is too old, then the oldest until the rest fits. Part by part: a part never holds more than a tenth of the
 * limit. The tables' TTL does the first as well, but only when the server finds time for it. Counted in
 * `archive.retention.{age,size}.{spans,bytes}`. Throws the client's errors.
 */
export async function enforceRetention(options: RetentionOptions): Promise<RetentionResult> {
  const { archive, counters } = options
  const { database } = archive
  return archive.run(async client => {
    let droppedSpans = 0
    let droppedBytes = 0
    const drop = async (part: Part, cause: 'age' | 'size'): Promise<boolean> => {
      if (!(await dropPart(client, database, part.name))) return false
      droppedSpans += part.rows
      droppedBytes += part.bytes
      counters.add(`archive.retention.${cause}.spans`, part.rows)
      counters.add(`archive.retention.${cause}.bytes`, part.bytes)
      return true
    }
    for (const part of await expiredParts(client, database, options.retentionSeconds)) await drop(part, 'age')
    let bytesOnDisk = await totalBytes(client, database)
    const before = droppedSpans
    // A merge may replace a part between the list and the drop: then the list is made anew.
    for (let round = 0; round < 5 && bytesOnDisk > options.limitBytes; round++) {
      for (const part of await partsByAge(client, database)) {
        if (bytesOnDisk <= options.limitBytes || !(await drop(part, 'size'))) break
        bytesOnDisk -= part.bytes
      }
      bytesOnDisk = await totalBytes(client, database)
    }
    if (droppedSpans > before) {
      options.warn?.(
        `archive: ${droppedSpans - before} of the oldest spans were dropped: the archive exceeded ${options.limitBytes} bytes`,
      )
    }
    if (droppedSpans > 0) await dropEmptyDays(client, database)
    return { droppedSpans, droppedBytes, bytesOnDisk: await totalBytes(client, database) }
  })
}

async function rows<T>(client: ClickHouseClient, query: string, parameters: Record<string, unknown>): Promise<T[]> {
  return (await client.query({ query, query_params: parameters, format: 'JSONEachRow' })).json<T>()
}

const toPart = (row: { name: string; rows: string; bytes: string }): Part => ({
  name: row.name,
  rows: Number(row.rows),
  bytes: Number(row.bytes),
})

async function expiredParts(client: ClickHouseClient, database: string, seconds: number): Promise<Part[]> {
  const found = await rows<{ name: string; rows: string; bytes: string }>(
    client,
    `SELECT p.name AS name, p.rows AS rows, p.bytes_on_disk AS bytes FROM system.parts AS p
     WHERE p.database = {database:String} AND p.table = 'otel_traces' AND p.active AND p.name IN (
       SELECT _part FROM ${database}.otel_traces GROUP BY _part
       HAVING max(archived) < now() - toIntervalSecond({seconds:UInt32}))`,
    { database, seconds: Math.round(seconds) },
  )
  return found.map(toPart)
}

/** Oldest day first, in it what was archived first. */
async function partsByAge(client: ClickHouseClient, database: string): Promise<Part[]> {
  const found = await rows<{ name: string; rows: string; bytes: string }>(
    client,
    `SELECT name, rows, bytes_on_disk AS bytes FROM system.parts
     WHERE database = {database:String} AND table = 'otel_traces' AND active
     ORDER BY partition_id, min_block_number`,
    { database },
  )
  return found.map(toPart)
}

async function totalBytes(client: ClickHouseClient, database: string): Promise<number> {
  const [row] = await rows<{ bytes: string }>(
    client,
    'SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE database = {database:String} AND active',
    { database },
  )
  return Number(row?.bytes ?? 0)
}

/** False if the part is not there any more. */
async function dropPart(client: ClickHouseClient, database: string, name: string): Promise<boolean> {
  try {
    await client.command({ query: `ALTER TABLE ${database}.otel_traces DROP PART '${name}'` })
    return true
  } catch (error) {
    if (error instanceof ClickHouseError && error.code === NO_SUCH_PART) return false
    throw error
  }
}

/** Ids of days of which no span is left. */
async function dropEmptyDays(client: ClickHouseClient, database: string): Promise<void> {
  const days = await rows<{ day: string }>(
    client,
    `SELECT DISTINCT partition_id AS day FROM system.parts
     WHERE database = {database:String} AND active AND table = 'otel_traces_trace_id_ts' AND partition_id NOT IN (
       SELECT partition_id FROM system.parts WHERE database = {database:String} AND active AND table = 'otel_traces')`,
    { database },
  )
  for (const { day } of days) {
    await client.command({ query: `ALTER TABLE ${database}.otel_traces_trace_id_ts DROP PARTITION ID '${day}'` })
  }
}
