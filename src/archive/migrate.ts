import { type ClickHouseClient, ClickHouseError } from '@clickhouse/client'
import { type Archive, ArchiveError } from './archive.js'
import { MAP_BUCKETS, migrations, type SchemaOptions, ttl } from './schema.js'

export interface MigrateOptions {
  /** Rows are kept this long after they were archived. Default 7 days. */
  readonly retentionSeconds?: number
  /** The archive's limit, of which the largest part may be a tenth. Default 10 GB. */
  readonly limitBytes?: number
  /** Settings of the span table to try first; they are left out where the server does not know them. */
  readonly mapSettings?: string
}

export interface MigrateResult {
  /** Numbers of the migrations that ran now. */
  readonly applied: readonly number[]
  /** False where the server did not know the settings for maps in buckets. */
  readonly mapSettings: boolean
  readonly retentionChanged: boolean
}

export const DEFAULT_RETENTION_SECONDS = 7 * 86_400
export const DEFAULT_LIMIT_BYTES = 10_000_000_000

/** ClickHouse: UNKNOWN_SETTING, and what older servers say of a value they do not know. */
const UNKNOWN_SETTING = new Set(['115', '36', '72'])

/**
 * Brings the archive's tables up to this version, and retention to what is asked. May be run at any time, by several
 * processes at once. Throws ArchiveError 'newer' if a later version of ghostspan has been here, ClickHouseError else.
 */
export async function migrate(archive: Archive, options: MigrateOptions = {}): Promise<MigrateResult> {
  const { database } = archive
  const retentionSeconds = options.retentionSeconds ?? DEFAULT_RETENTION_SECONDS
  const largestPartBytes = Math.max(16 << 20, Math.round((options.limitBytes ?? DEFAULT_LIMIT_BYTES) / 10))
  return archive.run(async client => {
    await client.command({ query: `CREATE DATABASE IF NOT EXISTS ${database}` })
    await client.command({
      query: `CREATE TABLE IF NOT EXISTS ${database}.migrations (number UInt32, name String, applied DateTime DEFAULT now())
        ENGINE = MergeTree ORDER BY number`,
    })
    const done = await appliedMigrations(client, database)
    const latest = migrations.at(-1)!.number
    const newest = Math.max(0, ...done)
    if (newest > latest) {
      throw new ArchiveError(
        'newer',
        `archive: ${archive.address} was written by a later version of ghostspan (its tables have number ${newest}, this ` +
          `version knows ${latest}); update ghostspan, or choose another database`,
      )
    }
    const schema: SchemaOptions = {
      database,
      retentionSeconds,
      largestPartBytes,
      mapSettings: options.mapSettings ?? MAP_BUCKETS,
    }
    const applied: number[] = []
    let mapSettings = true
    for (const migration of migrations) {
      if (done.has(migration.number)) continue
      for (let i = 0; i < migration.statements(schema).length; i++) {
        const plain = await runStatement(client, migration.statements, schema, i)
        if (plain) mapSettings = false
      }
      await client.insert({
        table: `${database}.migrations`,
        values: [{ number: migration.number, name: migration.name }],
        format: 'JSONEachRow',
        columns: ['number', 'name'],
      })
      applied.push(migration.number)
    }
    const retentionChanged = await setRetention(client, schema)
    return { applied, mapSettings, retentionChanged }
  })
}

/** True if the statement had to do without the settings for maps. */
async function runStatement(
  client: ClickHouseClient,
  statements: (options: SchemaOptions) => readonly string[],
  schema: SchemaOptions,
  index: number,
): Promise<boolean> {
  const query = statements(schema)[index]!
  const plain = statements({ ...schema, mapSettings: '' })[index]!
  try {
    await client.command({ query })
    return false
  } catch (error) {
    if (plain === query || !(error instanceof ClickHouseError) || !UNKNOWN_SETTING.has(error.code)) throw error
    await client.command({ query: plain })
    return true
  }
}

async function appliedMigrations(client: ClickHouseClient, database: string): Promise<Set<number>> {
  const result = await client.query({
    query: `SELECT DISTINCT number FROM ${database}.migrations`,
    format: 'JSONEachRow',
  })
  return new Set((await result.json<{ number: number }>()).map(row => Number(row.number)))
}

/** Changes the tables' TTL and largest part where they differ from what is asked. */
async function setRetention(client: ClickHouseClient, schema: SchemaOptions): Promise<boolean> {
  const { database, retentionSeconds, largestPartBytes } = schema
  const result = await client.query({
    query: `SELECT name, engine_full FROM system.tables
      WHERE database = {database:String} AND name IN ('otel_traces', 'otel_traces_trace_id_ts')`,
    query_params: { database },
    format: 'JSONEachRow',
  })
  const wanted = ttl(retentionSeconds)
  let changed = false
  for (const { name, engine_full: engine } of await result.json<{ name: string; engine_full: string }>()) {
    if (!engine.includes(`TTL ${wanted}`)) {
      await client.command({ query: `ALTER TABLE ${database}.${name} MODIFY TTL ${wanted}` })
      changed = true
    }
    const parts = `max_bytes_to_merge_at_max_space_in_pool = ${largestPartBytes}`
    if (name === 'otel_traces' && !engine.includes(parts)) {
      await client.command({ query: `ALTER TABLE ${database}.${name} MODIFY SETTING ${parts}` })
      changed = true
    }
  }
  return changed
}
