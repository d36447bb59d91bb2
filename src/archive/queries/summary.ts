import { type Archive, isMissing } from '../archive.js'

export interface ArchiveSummary {
  readonly engine: 'embedded' | 'server'
  /** ClickHouse's version. */
  readonly version: string
  readonly samples: number
  readonly spans: number
  readonly traces: number
  readonly links: number
  /** All tables of the archive together. */
  readonly bytesOnDisk: number
  /** Start of the oldest span; undefined when there is none. */
  readonly oldestNs: bigint | undefined
}

interface Row {
  readonly version: string
  readonly spans: string
  readonly links: string
  readonly oldest: string
  readonly bytes: string
  readonly traces: string
}

/** What is in the archive. Nothing archived yet: zeros. Throws the client's errors. */
export async function archiveSummary(archive: Archive): Promise<ArchiveSummary> {
  const { database } = archive
  return archive.run(async client => {
    const ask = async (query: string): Promise<Row | undefined> =>
      (await (await client.query({ query, query_params: { database }, format: 'JSONEachRow' })).json<Row>())[0]
    const server = await ask(`SELECT version() AS version,
      (SELECT sum(bytes_on_disk) FROM system.parts WHERE database = {database:String} AND active) AS bytes`)
    let rows: Row | undefined
    try {
      rows = await ask(`SELECT count() AS spans, countIf(link_evidence != '') AS links, uniq(trace_key) AS traces,
        toString(toUnixTimestamp64Nano(min(Timestamp))) AS oldest FROM ${database}.otel_traces`)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
    const spans = Number(rows?.spans ?? 0)
    return {
      engine: archive.place,
      version: server?.version ?? '',
      samples: spans,
      spans,
      traces: Number(rows?.traces ?? 0),
      links: Number(rows?.links ?? 0),
      bytesOnDisk: Number(server?.bytes ?? 0),
      oldestNs: spans === 0 ? undefined : BigInt(rows!.oldest),
    }
  })
}
