import type { Counters } from '../telemetry/counters.js'
import { type Archive, isMissing } from './archive.js'
import type { Batch } from './batch.js'
import { insertBatch, isRefusal } from './insert.js'
import type { Spool, SpooledBatch } from './spool.js'

export interface SenderOptions {
  readonly archive: Archive
  readonly prepare: () => Promise<unknown>
  readonly spool: Spool
  readonly counters: Counters
  readonly warn: (message: string) => void
  readonly insertMillis: number
  readonly longestBackoffMillis: number
}

export interface SenderStatus {
  /** The last try failed, or none has been made yet. */
  readonly away: boolean
  readonly lastError: string | undefined
  readonly inFlight: number
  readonly waitingBatches: number
  readonly spooledBatches: number
  readonly spooledBytes: number
  /** Rows acknowledged by the archive. */
  readonly insertedRows: number
  /** Of these, rows acknowledged at their first try: they cannot have been in the archive before. */
  readonly firstTryRows: number
  /** Rows in their first try just now. */
  readonly firstTryInFlight: number
}

export interface Sender {
  /** Takes a batch; never waits. */
  send(batch: Batch): void
  /** Resolves when all that was sent is in the archive, or on disk because the archive is away, or lost and counted. */
  settled(): Promise<void>
  /** As settled(), but no longer than `millis`: what is then in flight goes to the spool. */
  close(millis: number): Promise<void>
  status(): SenderStatus
}

/** Inserts at the same time; more would only queue in the server. */
const MOST_IN_FLIGHT = 2
/** Batches that wait in memory before they go to the spool. */
const MOST_WAITING = 2
/** Bytes on their way to the spool; beyond it batches are lost (a disk that does not take them any more). */
const MOST_SPOOLING_BYTES = 64 << 20
const FIRST_BACKOFF_MILLIS = 100

/** Carries batches to the archive: two in flight, retries with back-off, and the spool while the archive is away. */
export function createSender(options: SenderOptions): Sender {
  return new SpoolingSender(options)
}

class SpoolingSender implements Sender {
  readonly #options: SenderOptions
  readonly #waiting: Batch[] = []
  readonly #busy = new Set<SpooledBatch>()
  readonly #inserts = new Set<AbortController>()
  readonly #watchers = new Set<() => void>()
  #inFlight = 0
  #spoolingBytes = 0
  #spooling = 0
  #prepared = false
  #preparing: Promise<unknown> | undefined
  #failures = 0
  #lastError: string | undefined
  #nextTry = 0
  #timer: NodeJS.Timeout | undefined
  #spoolFirst = false
  #insertedRows = 0
  #firstTryRows = 0
  #firstTryInFlight = 0
  #closing = false

  constructor(options: SenderOptions) {
    this.#options = options
    // What an earlier process has left behind.
    if (options.spool.size().batches > 0) this.#pumpIn(0)
  }

  send(batch: Batch): void {
    if (this.#failures > 0 || this.#waiting.length >= MOST_WAITING) void this.#toSpool(batch)
    else this.#waiting.push(batch)
    this.#pump()
  }

  async settled(): Promise<void> {
    // Somebody waits: try at once, however long the back-off still is.
    this.#failures = 0
    this.#nextTry = 0
    this.#pump()
    while (!this.#isSettled()) await new Promise<void>(resolve => this.#watchers.add(resolve))
  }

  async close(millis: number): Promise<void> {
    const timer = setTimeout(() => this.#giveUp(), millis)
    await this.settled()
    clearTimeout(timer)
    this.#closing = true
    clearTimeout(this.#timer)
    while (this.#inFlight > 0 || this.#spooling > 0) {
      this.#abortInserts()
      await new Promise<void>(resolve => this.#watchers.add(resolve))
    }
  }

  status(): SenderStatus {
    const { batches, bytes } = this.#options.spool.size()
    return {
      away: this.#failures > 0 || !this.#prepared,
      lastError: this.#lastError,
      inFlight: this.#inFlight,
      waitingBatches: this.#waiting.length,
      spooledBatches: batches,
      spooledBytes: bytes,
      insertedRows: this.#insertedRows,
      firstTryRows: this.#firstTryRows,
      firstTryInFlight: this.#firstTryInFlight,
    }
  }

  #isSettled(): boolean {
    if (this.#waiting.length > 0 || this.#spooling > 0) return false
    if (this.#failures > 0 || this.#closing) return this.#inFlight === this.#busy.size
    return this.#inFlight === 0 && this.#options.spool.size().fresh === 0
  }

  #giveUp(): void {
    this.#closing = true
    this.#abortInserts()
    for (const batch of this.#waiting.splice(0)) void this.#toSpool(batch)
    this.#changed()
  }

  #abortInserts(): void {
    for (const insert of this.#inserts) insert.abort()
  }

  #changed(): void {
    const watchers = [...this.#watchers]
    this.#watchers.clear()
    for (const watcher of watchers) watcher()
  }

  #pumpIn(millis: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#pump(), millis)
    this.#timer.unref()
  }

  #pump(): void {
    const { spool } = this.#options
    // While the archive is away one batch is enough to find out whether it is back.
    while (!this.#closing && this.#inFlight < (this.#failures > 0 ? 1 : MOST_IN_FLIGHT)) {
      const pause = this.#nextTry - Date.now()
      if (pause > 0) {
        this.#pumpIn(pause)
        return
      }
      const spooled = spool.oldest(this.#busy)
      const fresh = this.#waiting[0]
      if (spooled === undefined && fresh === undefined) return
      // In turns, so that a long spool does not keep what is new away from its readers.
      this.#spoolFirst = !this.#spoolFirst
      if (spooled !== undefined && (fresh === undefined || this.#spoolFirst)) void this.#replay(spooled)
      else void this.#deliver(this.#waiting.shift()!)
    }
  }

  async #deliver(batch: Batch): Promise<void> {
    this.#inFlight++
    this.#firstTryInFlight += batch.rows
    const outcome = await this.#insert(batch)
    this.#firstTryInFlight -= batch.rows
    if (outcome === 'away') await this.#toSpool(batch)
    else if (outcome === 'inserted') this.#firstTryRows += batch.rows
    this.#inFlight--
    this.#next()
  }

  async #replay(entry: SpooledBatch): Promise<void> {
    const { spool, counters } = this.#options
    this.#inFlight++
    this.#busy.add(entry)
    const batch = await spool.read(entry)
    if (batch !== undefined) {
      const outcome = await this.#insert(batch)
      if (outcome === 'inserted') counters.add('archive.spool.replayed', batch.rows)
      // Removed only when the archive has it: a crash in between replays it under the same token.
      if (outcome !== 'away') await spool.remove(entry)
    }
    this.#busy.delete(entry)
    this.#inFlight--
    this.#next()
  }

  #next(): void {
    this.#changed()
    this.#pump()
  }

  /** One try. Never throws. */
  async #insert(batch: Batch): Promise<'inserted' | 'refused' | 'away'> {
    const { archive, counters, warn, insertMillis } = this.#options
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(), insertMillis)
    this.#inserts.add(abort)
    try {
      await this.#prepare()
      abort.signal.throwIfAborted()
      await archive.run(client => insertBatch(client, archive.database, batch, abort.signal))
      counters.add('archive.insert.batches')
      counters.add('archive.spans.inserted', batch.rows)
      this.#insertedRows += batch.rows
      if (this.#failures > 0) warn('archive: it answers again; spooled spans follow')
      this.#failures = 0
      this.#lastError = undefined
      return 'inserted'
    } catch (error) {
      this.#lastError = (error instanceof Error ? error.message : String(error)).slice(0, 300)
      counters.add('archive.insert.failed')
      if (isRefusal(error)) {
        warn(`archive: ${batch.rows} spans were refused and are lost: ${this.#lastError}`)
        counters.add('archive.lost.refused', batch.rows)
        return 'refused'
      }
      if (isMissing(error)) this.#prepared = false
      if (this.#failures === 0)
        warn(`archive: ${archive.address} does not take spans (${this.#lastError}); they are spooled`)
      const { longestBackoffMillis } = this.#options
      const pause = Math.min(longestBackoffMillis, FIRST_BACKOFF_MILLIS * 2 ** Math.min(20, this.#failures))
      this.#failures++
      this.#nextTry = Date.now() + pause
      return 'away'
    } finally {
      clearTimeout(timer)
      this.#inserts.delete(abort)
    }
  }

  async #prepare(): Promise<void> {
    if (this.#prepared) return
    this.#preparing ??= this.#options.prepare()
    try {
      await this.#preparing
      this.#prepared = true
    } finally {
      this.#preparing = undefined
    }
  }

  async #toSpool(batch: Batch): Promise<void> {
    const { spool, counters, warn } = this.#options
    if (this.#spoolingBytes + batch.bytes.length > MOST_SPOOLING_BYTES) {
      counters.add('archive.lost.memory_full', batch.rows)
      warn(`archive: ${batch.rows} spans are lost: the disk does not take the spool fast enough`)
      return
    }
    this.#spooling++
    this.#spoolingBytes += batch.bytes.length
    await spool.put(batch)
    this.#spooling--
    this.#spoolingBytes -= batch.bytes.length
    this.#next()
  }
}
