import { ExchangeQueue } from '../exchange-queue.js'
import { ENVELOPE_POLICY } from '../oslo/copy-policy.js'
import type { ConnectionOptions, CopyPolicy, Exchange } from '../protocol.js'
import type { KafkaCall } from './call.js'
import { failExchange } from './call.js'
import { type KafkaMessage, nameOffset, nameTopic } from './message.js'
import { type TopicNames, topicNamesOf } from './topic-names.js'

/** Requests in flight on one connection; clients have five, or some hundreds (librdkafka's default has no bound). */
const MOST_PENDING = 4096

/** What both sides of one connection know together: which requests have not been answered, in order. */
export class Dialogue {
  failed = false
  /** More than the module asks for, once oslo.messaging's envelopes are seen. */
  wants: CopyPolicy | undefined
  readonly names: TopicNames
  readonly #options: ConnectionOptions
  readonly #pending = new ExchangeQueue<KafkaCall>(MOST_PENDING)
  /** What has begun and is not over. */
  readonly #open = new Set<KafkaCall | KafkaMessage>()

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.names = topicNamesOf(options.counters)
  }

  count(cause: string): void {
    this.#options.counters.add(`protocols.kafka.${cause}`)
  }

  giveUp(): void {
    this.count('gave_up')
    this.failed = true
  }

  get awaitsAnswer(): boolean {
    return this.#pending.size > 0
  }

  /** A request has begun at `offset`; its answer comes after those of all earlier ones. */
  requested(call: KafkaCall, offset: number): void {
    if (!this.#pending.push(call)) {
      this.count('pending.evicted')
      this.#giveUpCall(this.#pending.shift()!)
      this.#pending.push(call)
    }
    this.begin(call, offset)
  }

  /** The request that was made last wants no answer (acks = 0). */
  unanswered(call: KafkaCall): void {
    if (this.#pending.at(this.#pending.size - 1) === call) this.#pending.pop()
  }

  /** All of the request has been sent. */
  requestEnded(call: KafkaCall, offset: number): void {
    if (call.requestEnded) return
    call.requestEnded = true
    if (!call.answered && !call.over) this.#options.sink.requestEnd(call, offset)
  }

  /** All that is known of a batch's records is known. */
  batchRead(message: KafkaMessage): void {
    if (this.wants !== undefined) return
    if (message.contentKeys.some(({ type }) => type.startsWith('oslo-'))) this.wants = ENVELOPE_POLICY
  }

  begin(exchange: KafkaCall | KafkaMessage, offset: number): void {
    this.#open.add(exchange)
    this.#options.sink.begin(exchange, offset)
  }

  messageSent(message: KafkaMessage, offset: number): void {
    message.sent = true
    if (!message.over) this.#options.sink.requestEnd(message, offset)
  }

  /** The request that an answer with this id belongs to; those before it were answered where nobody saw it. */
  answered(correlationId: number, offset: number): KafkaCall | undefined {
    for (let i = 0; ; i++) {
      const call = this.#pending.at(i)
      if (call === undefined) return undefined
      if (call.correlationId !== correlationId) continue
      for (; i > 0; i--) this.#giveUpCall(this.#pending.shift()!)
      this.#pending.shift()
      call.answered = true
      this.#options.sink.responseBegin(call, offset)
      for (const message of call.messages) if (!message.over) this.#options.sink.responseBegin(message, offset)
      return call
    }
  }

  /** A Produce answer about one partition. */
  produced(call: KafkaCall, topic: string, partition: number, error: number, baseOffset: number): void {
    let offset = baseOffset
    for (const message of call.messages) {
      if (message.partition !== partition || (message.topic.id ?? message.topic.name) !== topic) continue
      nameTopic(message, this.names)
      if (error !== 0) failExchange(message, error)
      else nameOffset(message, offset, this.names)
      offset += Math.max(1, message.count)
    }
  }

  /** The answer has come to its end. */
  answerEnded(call: KafkaCall, offset: number): void {
    for (const message of call.messages) this.end(message, offset)
    this.end(call, offset)
  }

  end(exchange: KafkaCall | KafkaMessage, offset: number): void {
    if (exchange.over) return
    exchange.over = true
    this.#open.delete(exchange)
    this.#options.sink.end(exchange, offset)
  }

  close(): void {
    while (this.#pending.shift() !== undefined);
    for (const exchange of this.#open) this.#abandon(exchange)
  }

  #giveUpCall(call: KafkaCall): void {
    for (const message of call.messages) this.#abandon(message)
    this.#abandon(call)
  }

  #abandon(exchange: (KafkaCall | KafkaMessage) & Exchange): void {
    if (exchange.over) return
    exchange.over = true
    this.#open.delete(exchange)
    this.#options.sink.abandon(exchange)
  }
}
