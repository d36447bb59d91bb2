import { join } from 'node:path'
import { type Archive, ArchiveError } from '../archive/archive.js'
import { type ConnectOptions, connectArchive } from '../archive/connect.js'
import { migrate } from '../archive/migrate.js'
import { createArchiveSink } from '../archive/sink.js'
import type { Counters } from '../telemetry/counters.js'
import type { FinishedTrace, TraceSink } from '../traces/span.js'

export interface ArchiveCounts {
  readonly engine: 'server' | 'embedded'
  readonly samples: number
  readonly spans: number
  readonly links: number
}

/** The demo's traces in an archive. */
export interface DemoArchive {
  readonly sink: TraceSink
  /** For people. */
  readonly place: string
  /** The data directory to look in with `ghostspan traces`; undefined for a server. */
  readonly dataDirectory: string | undefined
  readonly enginePid: number | undefined
  /** Asks the archive what it holds of these traces, once they have been flushed. */
  count(traces: readonly FinishedTrace[]): Promise<ArchiveCounts>
  close(): Promise<void>
}

/** Waits less than the archive would: the demo has a folder of its own to go to. */
const WAIT_MILLIS = 3_000

export interface OpenArchiveOptions {
  readonly connect: Omit<ConnectOptions, 'role' | 'warn'>
  readonly counters: Counters
  readonly warn: (message: string) => void
}

/**
 * Opens the archive; where a daemon uses the data directory, one of the demo's own inside it.
 * @throws ArchiveError when there is none to be had
 */
export async function openDemoArchive(options: OpenArchiveOptions): Promise<DemoArchive> {
  try {
    return await open(options)
  } catch (problem) {
    const { dataDirectory } = options.connect
    if (!(problem instanceof ArchiveError) || problem.reason !== 'locked' || dataDirectory === undefined) throw problem
    return open({ ...options, connect: { ...options.connect, dataDirectory: join(dataDirectory, 'demo') } })
  }
}

async function open({ connect, counters, warn }: OpenArchiveOptions): Promise<DemoArchive> {
  const archive = await connectArchive({ waitMillis: WAIT_MILLIS, ...connect, role: 'daemon', warn })
  let sink: TraceSink
  try {
    await migrate(archive)
    sink = createArchiveSink({
      archive,
      prepare: () => migrate(archive),
      spoolDirectory: join(connect.dataDirectory ?? '.', 'spool'),
      counters,
      warn,
    })
  } catch (problem) {
    await archive.close()
    throw problem
  }
  return {
    sink,
    place: archive.address,
    dataDirectory: connect.url === undefined ? connect.dataDirectory : undefined,
    enginePid: archive.enginePid(),
    count: traces => countRows(archive, traces),
    close: async () => {
      await sink.close()
      await archive.close()
    },
  }
}

const CHUNK = 100

/** Rows of these traces, each counted once however often the same recording has been archived. */
async function countRows(archive: Archive, traces: readonly FinishedTrace[]): Promise<ArchiveCounts> {
  const counts = { samples: 0, spans: 0, links: 0 }
  const ids = [...new Set(traces.map(each => each.traceId))]
  for (let at = 0; at < ids.length; at += CHUNK) {
    const rows = await archive.run(async client => {
      const { database } = archive
      const result = await client.query({
        query: `SELECT
          (SELECT uniqExact(TraceId, SpanId) FROM ${database}.otel_traces WHERE TraceId IN {ids: Array(String)}) AS spans,
          (SELECT uniqExact(trace_id, span_id) FROM ${database}.samples WHERE trace_id IN {ids: Array(String)}) AS samples,
          (SELECT uniqExact(trace_id, child) FROM ${database}.links WHERE trace_id IN {ids: Array(String)}) AS links`,
        query_params: { ids: ids.slice(at, at + CHUNK) },
        format: 'JSONEachRow',
      })
      return (await result.json()) as Record<keyof typeof counts, number | string>[]
    })
    for (const name of ['samples', 'spans', 'links'] as const) counts[name] += Number(rows[0]?.[name] ?? 0)
  }
  return { engine: archive.place, ...counts }
}
