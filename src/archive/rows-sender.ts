import { randomUUID } from 'node:crypto'
import type { Counter, Counters } from '../telemetry/counters.js'
import type { Archive } from './archive.js'
import type { Batch } from './batch.js'
import { claimDirectory } from './directory-claim.js'
import { createSender, type Sender } from './sender.js'
import { openSpool } from './spool.js'

export interface RowsSenderOptions {
  readonly archive: Archive
  readonly prepare: () => Promise<unknown>
  readonly spoolDirectory: string
  readonly spoolLimitBytes?: number
  readonly counters: Counters
  /** Instead of `archive` in the counters' names: `sketches.rows.inserted`, `sketches.lost.refused`. */
  readonly room: string
  readonly warn: (message: string) => void
}

/** Carries rows of our own tables to the archive as spans are carried: retried, spooled, once each. */
export interface RowsSender {
  /** Rows of one table in RowBinary; one partition at a time where the table has more. */
  send(table: string, columns: readonly string[], rows: number, bytes: Buffer): void
  settled(): Promise<void>
  close(millis: number): Promise<void>
  readonly status: Sender['status']
}

export function createRowsSender(options: RowsSenderOptions): RowsSender {
  const { archive, prepare, spoolDirectory, room } = options
  const claim = claimDirectory(spoolDirectory, room)
  const counters = renamed(options.counters, room)
  const warn = (message: string): void => options.warn(message.replace(/^archive/, room).replaceAll('spans', 'rows'))
  const sender = createSender({
    archive,
    prepare,
    spool: openSpool({
      directory: spoolDirectory,
      counters,
      warn,
      ...(options.spoolLimitBytes === undefined ? {} : { limitBytes: options.spoolLimitBytes }),
    }),
    counters,
    warn,
    insertMillis: 60_000,
    longestBackoffMillis: 10_000,
  })
  return {
    send: (table, columns, rows, bytes) => {
      const batch: Batch = { token: randomUUID(), table, rows, bytes, columns }
      sender.send(batch)
    },
    settled: () => sender.settled(),
    close: async millis => {
      await sender.close(millis)
      claim.release()
    },
    status: () => sender.status(),
  }
}

/** The sender counts `archive.spans.…`; ours are not spans. */
function renamed(counters: Counters, room: string): Counters {
  const name = (given: string): string => given.replace(/^archive\./, `${room}.`).replace('.spans.', '.rows.')
  return {
    counter: (given): Counter => counters.counter(name(given)),
    add: (given, amount) => counters.add(name(given), amount),
    snapshot: (prefix, zeros) => counters.snapshot(prefix, zeros),
  }
}
