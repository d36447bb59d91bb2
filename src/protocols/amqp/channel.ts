import { EnvelopeReader } from '../oslo/envelope-reader.js'
import type { Exchange } from '../protocol.js'
import { BodyHash } from './body-hash.js'
import type { Message } from './message.js'
import { createProperties } from './properties.js'

/** Who gets messages under one consumer tag. */
export interface Consumer {
  readonly queue: string | undefined
  noAck: boolean | undefined
  /** Messages that came without any acknowledgement on the channel, while `noAck` is not known. */
  unanswered: number
}

/** The message that one direction of a channel is sending. */
export class Content {
  message: Message | undefined
  /** The header frame has been read, the body has not ended. */
  open = false
  size = 0
  readonly properties = createProperties()
  readonly body = new BodyHash()
  readonly envelope = new EnvelopeReader()

  /** Bytes of the body. */
  update(bytes: Uint8Array, start: number, end: number): void {
    this.body.update(bytes, start, end)
    this.envelope.update(bytes, start, end)
  }

  /** Bytes of the body that were not copied. */
  missing(count: number): void {
    this.body.missing(count)
    this.envelope.missing()
  }
}

/** Most consumers, and most answers to be awaited, of one channel. */
const MOST = 1024

/** One channel: both directions of it. */
export class Channel {
  readonly fromClient = new Content()
  readonly fromServer = new Content()
  /** Deliveries in order of their tags, until they are settled. */
  readonly unsettled = new Map<number, Message>()
  /** Synchronous methods that have not been answered. */
  syncClient: Exchange | undefined
  syncServer: Exchange | undefined
  /** A settlement was seen: consumers whose mode is not known do acknowledge. */
  acknowledges = false
  /** Queue that the server or the client named last: an empty name stands for it. */
  lastQueue: string | undefined

  readonly #consumers = new Map<string, Consumer>()
  readonly #starting: Consumer[] = []
  readonly #gets: Consumer[] = []

  consuming(tag: string, queue: string | undefined, noAck: boolean): void {
    const consumer: Consumer = { queue, noAck, unanswered: 0 }
    if (tag !== '') this.#set(tag, consumer)
    if (this.#starting.length < MOST) this.#starting.push(consumer)
  }

  /** The server tells the tag, its own choice where the client left it empty. */
  consumes(tag: string): void {
    const consumer = this.#starting.shift()
    if (consumer !== undefined && !this.#consumers.has(tag)) this.#set(tag, consumer)
  }

  cancelled(tag: string): void {
    this.#consumers.delete(tag)
  }

  /** The consumer of that tag; one of which nothing is known where it was not seen to start. */
  consumer(tag: string): Consumer {
    let consumer = this.#consumers.get(tag)
    if (consumer === undefined) {
      consumer = { queue: undefined, noAck: undefined, unanswered: 0 }
      this.#set(tag, consumer)
    }
    return consumer
  }

  getting(queue: string | undefined, noAck: boolean): void {
    if (this.#gets.length < MOST) this.#gets.push({ queue, noAck, unanswered: 0 })
  }

  got(): Consumer | undefined {
    return this.#gets.shift()
  }

  #set(tag: string, consumer: Consumer): void {
    if (this.#consumers.size >= MOST) this.#consumers.delete(this.#consumers.keys().next().value!)
    this.#consumers.set(tag, consumer)
  }
}
