import { randomUUID } from 'node:crypto'
import type { Counters } from '../telemetry/counters.js'
import type { TraceSink } from '../traces/span.js'
import type { Archive } from './archive.js'
import { type Batch, createBatcher } from './batch.js'
import { claimDirectory } from './directory-claim.js'
import { createSender, type SenderStatus } from './sender.js'
import { createSpanRowEncoder, ROW_COLUMNS } from './span-row.js'
import { openSpool } from './spool.js'

export interface ArchiveSinkOptions {
  readonly archive: Archive
  /** Run once before the first insert, and again when the tables are gone: `() => migrate(archive, …)`. */
  readonly prepare: () => Promise<unknown>
  /** Batches wait here while the archive is away; one process at a time. */
  readonly spoolDirectory: string
  /** Default 256 MiB. */
  readonly spoolLimitBytes?: number
  readonly counters: Counters
  readonly warn?: (message: string) => void
  /**
   * Default 10,000 rows, 12 MiB, 5,000 ms: whichever comes first. An insert costs the engine a fixed 40 to 100 ms of CPU,
   * so the bytes are meant as a bound of memory, not as what usually ends a batch: a row has 0.5 to 1 kB.
   */
  readonly batchRows?: number
  readonly batchBytes?: number
  readonly batchMillis?: number
  /** Longest wait for one insert. Default 60,000 ms. */
  readonly insertMillis?: number
  /** Longest wait between two tries while the archive is away. Default 10,000 ms. */
  readonly longestBackoffMillis?: number
  /** How long close() waits for the archive before what is left goes to the spool. Default 10,000 ms. */
  readonly closeMillis?: number
  /** Must be unique for ever. Default: a random UUID. */
  readonly newToken?: () => string
}

export interface ArchiveSink extends TraceSink {
  status(): ArchiveSinkStatus
}

export interface ArchiveSinkStatus extends SenderStatus {
  /** Rows that are not yet in a batch on its way. */
  readonly openRows: number
}

const LONGEST_ROW = 16 << 20

/**
 * The archive as a sink of finished traces. accept() encodes and returns: it neither waits nor throws. Counted:
 * `archive.spans.{accepted,inserted,refused…}`, `archive.lost.{spool_full,disk_full,memory_full,refused,row_too_large,
 * spool_corrupt}` in spans, `archive.insert.{batches,failed}`, `archive.spool.{written,replayed}`. Throws only at its
 * making: when another process uses the spool directory.
 */
export function createArchiveSink(options: ArchiveSinkOptions): ArchiveSink {
  const { counters } = options
  const warn = options.warn ?? (() => {})
  const claim = claimDirectory(options.spoolDirectory, 'archive')
  const sender = createSender({
    archive: options.archive,
    prepare: options.prepare,
    spool: openSpool({
      directory: options.spoolDirectory,
      counters,
      warn,
      ...(options.spoolLimitBytes === undefined ? {} : { limitBytes: options.spoolLimitBytes }),
    }),
    counters,
    warn,
    insertMillis: options.insertMillis ?? 60_000,
    longestBackoffMillis: options.longestBackoffMillis ?? 10_000,
  })
  const accepted = counters.counter('archive.spans.accepted')
  const batcher = createBatcher({
    encoder: createSpanRowEncoder(),
    columns: ROW_COLUMNS,
    newToken: options.newToken ?? randomUUID,
    rowLimit: options.batchRows ?? 10_000,
    byteLimit: options.batchBytes ?? 12 << 20,
    longestRow: LONGEST_ROW,
    sealed: (batch: Batch) => sender.send(batch),
    refused: reason => counters.add(`archive.lost.${reason}`),
  })
  const batchMillis = options.batchMillis ?? 5000
  let timer: NodeJS.Timeout | undefined
  let closed = false
  const sealAll = (): void => {
    clearTimeout(timer)
    timer = undefined
    batcher.seal()
  }
  return {
    accept: trace => {
      if (closed) {
        counters.add('archive.lost.closed', trace.spans.length)
        return
      }
      for (const span of trace.spans) batcher.append(trace, span)
      accepted.value += trace.spans.length
      if (timer === undefined) {
        timer = setTimeout(sealAll, batchMillis)
        timer.unref()
      }
    },
    flush: async () => {
      sealAll()
      await sender.settled()
    },
    close: async () => {
      if (closed) return
      closed = true
      sealAll()
      await sender.close(options.closeMillis ?? 10_000)
      claim.release()
    },
    status: () => ({ ...sender.status(), openRows: batcher.openRows() }),
  }
}
