import type { Counters } from '../../telemetry/counters.js'
import { ExchangeQueue } from '../exchange-queue.js'
import type { Exchange, ExchangeSink } from '../protocol.js'
import { describeRequestBody, describeResponseBody } from './describe.js'

/** Bits of `Exchange.tag`. */
export const Tag = {
  head: 1,
  connect: 2,
  /** The request waits for `100 Continue` before it sends its body. */
  expect: 4,
  continued: 8,
  requestDone: 16,
  /** The head of the final response was seen. */
  answered: 32,
  ended: 64,
} as const

/** Most requests that wait for their answers on one connection. */
const MOST_OPEN = 1024

/**
 * The exchanges of one connection, in the order of their requests, which is the order of their answers (RFC 9112,
 * 9.3.2).
 */
export class Pairing {
  /** The module has given the connection up, or another protocol follows. */
  failed = false
  /** Answers that were seen to their end. */
  completed = 0

  /**
   * An answer may have passed unseen: a request that comes while another waits then means that the other's answer is
   * lost, not that requests are sent ahead.
   */
  #unsure = false
  /** The client was seen to send a request before the answer to the one before. */
  #sendsAhead = false
  #answering: Exchange | undefined
  readonly #open = new ExchangeQueue<Exchange>(MOST_OPEN)
  readonly #sink: ExchangeSink
  readonly #counters: Counters

  constructor(sink: ExchangeSink, counters: Counters) {
    this.#sink = sink
    this.#counters = counters
  }

  /** The request that the next answer belongs to. */
  get next(): Exchange | undefined {
    return this.#open.peek()
  }

  count(cause: string): void {
    this.#counters.add(`protocols.http.${cause}`)
  }

  begin(exchange: Exchange, offset: number): void {
    if (this.#unsure && this.#open.size > 0) {
      this.abandonWaiting()
      this.#unsure = false
    }
    this.#sink.begin(exchange, offset)
    if (this.#open.push(exchange)) return
    this.count('pipeline_too_deep')
    this.#abandon(exchange)
    this.fail()
  }

  endRequest(exchange: Exchange, offset: number, bodyBytes: number | undefined): void {
    if ((exchange.tag & (Tag.ended | Tag.requestDone)) !== 0) return
    exchange.tag |= Tag.requestDone
    if (bodyBytes !== undefined) describeRequestBody(exchange, bodyBytes)
    this.#sink.requestEnd(exchange, offset)
  }

  /** The head of the final answer to `next` begins at `offset`. */
  answer(offset: number): Exchange {
    const exchange = this.#open.shift()!
    // It may be another request's answer, whose events were lost.
    if (this.#unsure) exchange.truncated = true
    if (this.#open.size === 0) this.#unsure = false
    else this.#sendsAhead = true
    exchange.tag |= Tag.answered
    this.#answering = exchange
    this.#sink.responseBegin(exchange, offset)
    return exchange
  }

  endAnswer(exchange: Exchange, offset: number, bodyBytes: number | undefined, timeNs?: number): void {
    if (bodyBytes !== undefined) describeResponseBody(exchange, bodyBytes)
    exchange.tag |= Tag.ended
    this.#answering = undefined
    this.completed++
    if (timeNs === undefined) this.#sink.end(exchange, offset)
    else this.#sink.end(exchange, offset, timeNs)
  }

  /** An answer that no request waits for. */
  orphan(): void {
    this.#unsure = true
    this.count('answer_without_request')
  }

  /**
   * Bytes from `offset` to `end` of the server's stream, where an answer begins, were not seen. If one request waits
   * they are its answer.
   */
  answersUnseen(offset: number, end: number): void {
    const waiting = this.#open.peek()
    const expectsInterim = waiting !== undefined && (waiting.tag & (Tag.expect | Tag.continued)) === Tag.expect
    if (this.#open.size === 1 && waiting !== undefined && !expectsInterim) {
      const exchange = this.answer(offset)
      exchange.truncated = true
      this.endAnswer(exchange, end, undefined)
    }
    this.answersMissed()
    this.#unsure = true
  }

  /**
   * Bytes of the server's that could not be followed have passed. Of several requests that wait the last one is still
   * to be answered, unless the client sends ahead: then nobody can say whose answers passed.
   */
  answersMissed(): void {
    if (this.#open.size === 0) return
    if (this.#sendsAhead && this.#open.size > 1) this.abandonWaiting()
    while (this.#open.size > 1) this.#abandon(this.#open.shift()!)
    this.#unsure = true
  }

  /**
   * A request may have passed unseen. Unless the client sends ahead, what it sent before had been answered by then.
   */
  requestsUnseen(): void {
    if (!this.#sendsAhead) this.abandonWaiting()
    this.#unsure = true
  }

  abandonWaiting(): void {
    for (let exchange = this.#open.shift(); exchange !== undefined; exchange = this.#open.shift()) {
      this.#abandon(exchange)
    }
  }

  abandonAll(): void {
    if (this.#answering !== undefined) this.#abandon(this.#answering)
    this.#answering = undefined
    this.abandonWaiting()
  }

  fail(): void {
    this.abandonAll()
    this.failed = true
  }

  #abandon(exchange: Exchange): void {
    exchange.tag |= Tag.ended
    this.count('unanswered')
    this.#sink.abandon(exchange)
  }
}
