import type { Counter, Counters } from '../../telemetry/counters.js'
import type { ExchangeSink } from '../protocol.js'
import { createExchange, type DnsExchange, describeAnswer } from './exchange.js'
import type { DnsMessage } from './message.js'

/** Questions without an answer on one socket; beyond it the oldest is given up. */
const MOST_WAITING = 4096
/** Resolvers give up after 5 to 30 s. */
const LONGEST_WAIT_NS = 60e9

/** Questions and their answers, by id and question: in any order, over a connection or a socket with many peers. */
export class Dialogue {
  readonly #sink: ExchangeSink
  /** In the order in which they were asked. */
  readonly #waiting = new Set<DnsExchange>()
  /** The latest that waits with an id. */
  readonly #byId = new Map<number, DnsExchange>()
  /** A zone that is being transferred, and where its latest message ended. */
  #transfer: { readonly exchange: DnsExchange; end: number; timeNs: number } | undefined
  readonly #repeated: Counter
  readonly #unexpected: Counter
  readonly #unanswered: Counter

  constructor(sink: ExchangeSink, counters: Counters) {
    this.#sink = sink
    this.#repeated = counters.counter('protocols.dns.question_repeated')
    this.#unexpected = counters.counter('protocols.dns.unexpected_answer')
    this.#unanswered = counters.counter('protocols.dns.unanswered')
  }

  /** `begin` and `end`: offsets of the message; its header lies at bytes[start]. */
  question(
    message: DnsMessage,
    bytes: Uint8Array,
    start: number,
    begin: number,
    end: number,
    timeNs: number,
  ): DnsExchange | undefined {
    this.#endTransfer()
    if (this.#find(message) !== undefined) {
      // Sent again because no answer came, or to another server: still one question.
      this.#repeated.value++
      return undefined
    }
    this.#makeRoom(timeNs)
    const exchange = createExchange(message, bytes, start, timeNs)
    this.#waiting.add(exchange)
    this.#byId.set(exchange.id, exchange)
    this.#sink.begin(exchange, begin)
    this.#sink.requestEnd(exchange, end)
    return exchange
  }

  answer(message: DnsMessage, begin: number, end: number, timeNs: number): void {
    const transfer = this.#transfer
    if (transfer !== undefined && transfer.exchange.id === message.id) {
      transfer.end = end
      transfer.timeNs = timeNs
      return
    }
    const exchange = this.#find(message)
    if (exchange === undefined) {
      this.#unexpected.value++
      return
    }
    this.#leave(exchange)
    describeAnswer(exchange, message)
    this.#sink.responseBegin(exchange, begin)
    if (exchange.isTransfer && message.responseCode === 0) {
      this.#endTransfer()
      this.#transfer = { exchange, end, timeNs }
      return
    }
    this.#sink.end(exchange, end)
  }

  /** What waits is given up: its answers were not seen. */
  abandonAll(): void {
    this.#endTransfer()
    for (const exchange of this.#waiting) this.#abandon(exchange)
  }

  #find({ id, questionHash }: DnsMessage): DnsExchange | undefined {
    const latest = this.#byId.get(id)
    if (latest === undefined || latest.questionHash === questionHash) return latest
    // A refusal need not repeat the question, and what was not in view cannot be compared.
    if (questionHash === 0 || latest.questionHash === 0) return latest
    for (const each of this.#waiting) if (each.id === id && each.questionHash === questionHash) return each
    return undefined
  }

  /** The last message of a transfer is known only by what comes behind it. */
  #endTransfer(): void {
    if (this.#transfer === undefined) return
    const { exchange, end, timeNs } = this.#transfer
    this.#transfer = undefined
    this.#sink.end(exchange, end, timeNs)
  }

  #makeRoom(timeNs: number): void {
    for (const oldest of this.#waiting) {
      if (this.#waiting.size < MOST_WAITING && timeNs - oldest.beganNs < LONGEST_WAIT_NS) return
      this.#abandon(oldest)
    }
  }

  #abandon(exchange: DnsExchange): void {
    this.#leave(exchange)
    this.#unanswered.value++
    this.#sink.abandon(exchange)
  }

  #leave(exchange: DnsExchange): void {
    this.#waiting.delete(exchange)
    if (this.#byId.get(exchange.id) === exchange) this.#byId.delete(exchange.id)
  }
}
