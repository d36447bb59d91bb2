import { ExchangeQueue } from '../exchange-queue.js'
import type { ConnectionOptions } from '../protocol.js'
import { POSTGRESQL, type SqlDialect } from '../sql/dialect.js'
import { failOperation, type Operation } from './operation.js'
import { PreparedStatements } from './statements.js'

/** What a client's message makes the server answer. */
export const Step = {
  parse: 0,
  bind: 1,
  describe: 2,
  execute: 3,
  close: 4,
  /** The steps from here on are answered with ReadyForQuery. */
  sync: 5,
  query: 6,
  functionCall: 7,
  startup: 8,
  /** Answered with one byte. */
  encryption: 9,
} as const

interface Awaited {
  readonly step: number
  readonly operation: Operation | undefined
}

/** Messages whose answers are awaited at once: clients that send batches have some thousands. */
const MOST_AWAITED = 16_384

/**
 * What both sides of one connection know together: which answers are awaited, in order, and what operations they
 * belong to. The server answers in order; after an error it passes over everything up to the client's next Sync.
 */
export class Dialogue {
  failed = false
  /** Database of the connection; undefined where its start was not seen. */
  namespace: string | undefined
  dialect: SqlDialect = POSTGRESQL
  readonly statements = new PreparedStatements()
  /** The client sends messages without a type so far. */
  opening: boolean
  /** Messages of the server's answer were not seen: its end is looked for. */
  lost = false
  lastSeen = 0
  lastSeenNs = 0

  readonly #options: ConnectionOptions
  readonly #awaited = new ExchangeQueue<Awaited>(MOST_AWAITED)
  /** Operations that have begun and are not over. */
  readonly #open = new Set<Operation>()
  /** Steps that waited when the answer's place was lost. */
  #pendingAtLoss = 0
  /** Answered but for the ReadyForQuery that comes next. */
  #closing: Operation | undefined
  /** The operation that the client is sending. */
  current: Operation | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.opening = !options.joined
  }

  get idle(): boolean {
    return this.#awaited.size === 0
  }

  /** What is answered next. */
  get step(): number | undefined {
    return this.#awaited.peek()?.step
  }

  count(cause: string): void {
    this.#options.counters.add(`protocols.postgresql.${cause}`)
  }

  giveUp(cause: string): void {
    this.count(`gave_up.${cause}`)
    this.failed = true
  }

  begin(operation: Operation, offset: number): void {
    if (this.lost) this.endLost(this.lastSeen, this.lastSeenNs)
    if (this.#open.size >= MOST_AWAITED) this.abandon(this.#open.values().next().value!)
    this.#open.add(operation)
    this.#options.sink.begin(operation, offset)
  }

  /** Nothing answers it. */
  told(operation: Operation, offset: number): void {
    this.#end(operation, offset)
  }

  expect(step: number, operation: Operation | undefined): void {
    if (!this.#awaited.push({ step, operation })) {
      this.count('pending.evicted')
      this.close()
      this.#awaited.push({ step, operation })
    }
    if (operation !== undefined) operation.awaited++
  }

  /** The client has sent all of the operation. */
  sent(operation: Operation, offset: number): void {
    if (this.current === operation) this.current = undefined
    if (operation.sent || operation.over) return
    operation.sent = true
    if (!operation.answered) this.#options.sink.requestEnd(operation, offset)
    else if (operation.awaited === 0) this.#end(operation, operation.answeredTo)
  }

  /** A message of the server that belongs to what is answered next, from `at` on. */
  answering(at: number): Operation | undefined {
    const operation = this.#awaited.peek()?.operation
    if (operation !== undefined) this.#answering(operation, at)
    return operation
  }

  /** A step was answered, with the message at [at, next). */
  done(step: number, at: number, next: number): void {
    if (!this.#seek(step)) return
    const { operation } = this.#awaited.shift()!
    if (operation === undefined || operation.over) return
    this.#answering(operation, at)
    operation.answeredTo = next
    if (--operation.awaited > 0 || !operation.sent) return
    // A client that asks for the end of the transaction at once waits for that, too.
    if (this.step === Step.sync) this.#closing = operation
    else this.#end(operation, next)
  }

  /** ReadyForQuery, up to `next`. */
  ready(at: number, next: number): void {
    for (let awaited = this.#awaited.shift(); awaited !== undefined; awaited = this.#awaited.shift()) {
      const { step, operation } = awaited
      if (step < Step.sync) {
        // Passed over after an error, or answered where nobody saw it.
        if (operation !== undefined && operation !== this.#closing) this.abandon(operation)
        continue
      }
      if (operation !== undefined && !operation.over) {
        this.#answering(operation, at)
        this.#end(operation, next)
      }
      break
    }
    this.#endClosing(next)
  }

  /** ErrorResponse. @param moved how far the server's bytes are known to have come */
  error(sqlState: string, at: number, moved: number): void {
    const awaited = this.#awaited.peek()
    if (awaited === undefined || awaited.step === Step.sync) {
      // The transaction failed as it ended.
      if (this.#closing !== undefined) failOperation(this.#closing, sqlState)
      return
    }
    const { step, operation } = awaited
    if (operation !== undefined && !operation.over) {
      failOperation(operation, sqlState)
      this.#answering(operation, at)
    }
    if (step === Step.query || step === Step.functionCall) return
    if (step > Step.sync) {
      this.#awaited.shift()
      if (operation !== undefined) this.#end(operation, moved)
      return
    }
    this.#passOver(operation)
    if (operation === undefined || operation.over) return
    this.sent(operation, moved)
    if (this.step === Step.sync) this.#closing = operation
    else this.#end(operation, moved)
  }

  /** The answer cannot be followed any more. */
  lose(at: number, timeNs: number): void {
    this.count('answer.not_followed')
    const operation = this.answering(at) ?? this.#closing
    if (operation !== undefined) operation.truncated = true
    if (!this.lost) this.#pendingAtLoss = this.#awaited.size
    this.lost = true
    this.lastSeen = at
    this.lastSeenNs = timeNs
  }

  /**
   * The answer that could not be followed is over: everything up to its ReadyForQuery. Which of several that is nobody
   * can say: a server answers what it has read in one go, so all that waited when the place was lost counts as answered.
   */
  endLost(offset: number, timeNs?: number): void {
    this.lost = false
    for (let awaited = this.#awaited.shift(); awaited !== undefined; awaited = this.#awaited.shift()) {
      const { step, operation } = awaited
      this.#pendingAtLoss--
      if (operation !== undefined && !operation.over) {
        operation.truncated = true
        if (this.current === operation) this.current = undefined
        this.#end(operation, offset, timeNs)
      }
      if (step >= Step.sync && this.#pendingAtLoss <= 0) break
    }
    this.#endClosing(offset, timeNs)
  }

  abandon(operation: Operation): void {
    if (this.current === operation) this.current = undefined
    if (operation.over) return
    operation.over = true
    this.#open.delete(operation)
    this.#options.sink.abandon(operation)
  }

  close(): void {
    while (this.#awaited.shift() !== undefined);
    for (const operation of this.#open) this.abandon(operation)
    this.#closing = undefined
  }

  #answering(operation: Operation, at: number): void {
    if (operation.answered || operation.over) return
    operation.answered = true
    this.#options.sink.responseBegin(operation, at)
  }

  #end(operation: Operation, offset: number, timeNs?: number): void {
    if (operation.over) return
    operation.over = true
    this.#open.delete(operation)
    if (timeNs === undefined) this.#options.sink.end(operation, offset)
    else this.#options.sink.end(operation, offset, timeNs)
  }

  #endClosing(offset: number, timeNs?: number): void {
    const closing = this.#closing
    this.#closing = undefined
    if (closing !== undefined) this.#end(closing, offset, timeNs)
  }

  /** Makes `step` the next; what stands before it up to the next Sync was answered where nobody saw it. */
  #seek(step: number): boolean {
    if (this.step === step) return true
    for (let i = 0; ; i++) {
      const awaited = this.#awaited.at(i)
      if (awaited === undefined || awaited.step >= Step.sync) return false
      if (awaited.step !== step) continue
      for (; i > 0; i--) {
        const { operation } = this.#awaited.shift()!
        if (operation === undefined) continue
        operation.truncated = true
        if (--operation.awaited === 0 && operation !== awaited.operation) this.abandon(operation)
      }
      return true
    }
  }

  /** Steps up to the next Sync are not answered. */
  #passOver(failed: Operation | undefined): void {
    while (this.step !== undefined && this.step < Step.sync) {
      const { operation } = this.#awaited.shift()!
      if (operation !== undefined && operation !== failed) this.abandon(operation)
    }
  }
}
