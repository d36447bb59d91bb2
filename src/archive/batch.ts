import type { FinishedSpan, FinishedTrace } from '../traces/span.js'
import { RowBinaryWriter } from './row-binary.js'
import type { SpanRowEncoder } from './span-row.js'

/** Rows of one day (UTC) on their way: one insert, one partition, one token, however often it is tried. */
export interface Batch {
  /** insert_deduplication_token: the server takes a token once. */
  readonly token: string
  /** Default: otel_traces. */
  readonly table?: string
  readonly rows: number
  readonly bytes: Buffer
  /** Column names in the order of the bytes. */
  readonly columns: readonly string[]
}

export interface BatcherOptions {
  readonly encoder: SpanRowEncoder
  readonly columns: readonly string[]
  readonly newToken: () => string
  readonly rowLimit: number
  readonly byteLimit: number
  /** A row larger than this is not written. */
  readonly longestRow: number
  readonly sealed: (batch: Batch) => void
  readonly refused: (reason: 'row_too_large') => void
}

export interface Batcher {
  append(trace: FinishedTrace, span: FinishedSpan): void
  /** Hands over everything that is open. */
  seal(): void
  readonly openRows: () => number
}

/** Days that are filled at the same time; a recording may jump between them. */
const MOST_OPEN_DAYS = 4

interface OpenBatch {
  readonly day: number
  readonly writer: RowBinaryWriter
  rows: number
}

/** Encodes spans row by row as they come, so that no burst of work is left for the end of a batch. */
export function createBatcher(options: BatcherOptions): Batcher {
  const open = new Map<number, OpenBatch>()
  const { encoder } = options
  let last: OpenBatch | undefined
  // Buffers begin at the size that the last one reached: growing copies everything again.
  let usual = 64 << 10

  const seal = (batch: OpenBatch): void => {
    open.delete(batch.day)
    if (last === batch) last = undefined
    if (batch.rows === 0) return
    usual = Math.min(batch.writer.length + (64 << 10), 2 * options.byteLimit)
    options.sealed({
      token: options.newToken(),
      rows: batch.rows,
      bytes: batch.writer.bytes(),
      columns: options.columns,
    })
  }
  const batchOf = (day: number): OpenBatch => {
    let batch = open.get(day)
    if (batch === undefined) {
      if (open.size >= MOST_OPEN_DAYS) seal(open.values().next().value!)
      batch = { day, writer: new RowBinaryWriter(usual), rows: 0 }
      open.set(day, batch)
    }
    last = batch
    return batch
  }
  return {
    append: (trace, span) => {
      const day = Math.floor(span.start[0] / 86_400)
      const batch = last !== undefined && last.day === day ? last : batchOf(day)
      const before = batch.writer.length
      encoder.append(batch.writer, trace, span)
      if (batch.writer.length - before > options.longestRow) {
        batch.writer.truncate(before)
        options.refused('row_too_large')
        return
      }
      batch.rows++
      if (batch.rows >= options.rowLimit || batch.writer.length >= options.byteLimit) seal(batch)
    },
    seal: () => {
      for (const batch of [...open.values()]) seal(batch)
    },
    openRows: () => [...open.values()].reduce((sum, batch) => sum + batch.rows, 0),
  }
}
