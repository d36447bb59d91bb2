import type { Archive } from './archive.js'

export interface SelfCheckOptions {
  readonly archive: Archive
  /** Rows that the archive acknowledged since `since`, not begun before; retention's drops taken off. */
  readonly expectedRows: () => number
  /** The server's clock when counting began: unix seconds, from `serverTime`. */
  readonly since: number
}

export interface SelfCheckResult {
  readonly spans: number
  /** Rows by the parts' own count; differs from `spans` only if a part cannot be read as it says. */
  readonly partRows: number
  /** Acknowledged but not there. */
  readonly missingRows: number
  /** Traces of the last hour that the table of trace ids does not know. */
  readonly unknownTraces: number
  readonly agrees: boolean
}

/** The server's clock, unix seconds. */
export async function serverTime(archive: Archive): Promise<number> {
  return (await numbers(archive, 'SELECT toUnixTimestamp(now()) AS time'))['time'] ?? 0
}

/** Asks whether what was acknowledged is there, and whether the tables agree with each other. */
export async function selfCheck(options: SelfCheckOptions): Promise<SelfCheckResult> {
  const { archive } = options
  const { database } = archive
  // Read before the archive is asked: what is acknowledged meanwhile must not count as missing.
  const expected = options.expectedRows()
  let counts: Record<string, number> = {}
  // An insert or a drop between the two counts makes them differ for once, a damaged part for good.
  for (let round = 0; round < 5 && (round === 0 || counts['spans'] !== counts['parts']); round++) {
    counts = await numbers(
      archive,
      `SELECT count(Timestamp) AS spans, countIf(archived >= fromUnixTimestamp({since:UInt32})) AS recent,
        (SELECT sum(rows) FROM system.parts
         WHERE database = {database:String} AND table = 'otel_traces' AND active) AS parts
       FROM ${database}.otel_traces`,
      { since: options.since, database },
    )
  }
  // The last minute is left out: the table of ids is filled just after the spans.
  const ids = await numbers(
    archive,
    `SELECT uniqExact(trace_key) AS unknown FROM ${database}.otel_traces
     WHERE archived >= now() - 3600 AND archived < now() - 60
       AND trace_key NOT IN (SELECT trace_key FROM ${database}.otel_traces_trace_id_ts)`,
  )
  const spans = counts['spans'] ?? 0
  const partRows = counts['parts'] ?? 0
  const missingRows = Math.max(0, expected - (counts['recent'] ?? 0))
  const unknownTraces = ids['unknown'] ?? 0
  return {
    spans,
    partRows,
    missingRows,
    unknownTraces,
    agrees: missingRows === 0 && unknownTraces === 0 && spans === partRows,
  }
}

async function numbers(
  archive: Archive,
  query: string,
  parameters: Record<string, unknown> = {},
): Promise<Record<string, number>> {
  return archive.run(async client => {
    const result = await client.query({ query, query_params: parameters, format: 'JSONEachRow' })
    const [row] = await result.json<Record<string, string | number>>()
    return Object.fromEntries(Object.entries(row ?? {}).map(([name, value]) => [name, Number(value)]))
  })
}
