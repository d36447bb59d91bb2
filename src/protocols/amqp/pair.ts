import type { InputStream } from '../input-stream.js'
import { ENVELOPE_POLICY } from '../oslo/copy-policy.js'
import type { ConnectionOptions, CopyPolicy, ProtocolConnection, Sender } from '../protocol.js'
import { createCall, errorOf } from './call.js'
import { Channel, type Consumer, type Content } from './channel.js'
import {
  addKeys,
  createDelivery,
  createPublish,
  createReturn,
  describeContent,
  fail,
  type Message,
  nameOperation,
} from './message.js'
import { noteMethod } from './method-notes.js'
import { Method, type MethodKind, methodKind, Part } from './methods.js'
import { type FrameHandler, FrameReader } from './parse.js'
import { readProperties } from './properties.js'
import { afterShortString, shortString, uint32, uint64 } from './wire-types.js'

const MOST_CHANNELS = 4096
/** Deliveries of one connection that wait for their settlement; RabbitMQ's clients prefetch hundreds at most. */
const MOST_UNSETTLED = 16_384
/** Deliveries without any acknowledgement after which a consumer of unknown mode is taken for one that sends none. */
const SILENT_AFTER = 64

/** One AMQP connection: frames of both directions in, messages and synchronous calls out. */
export class AmqpConnection implements ProtocolConnection {
  wants: CopyPolicy | undefined
  readonly #options: ConnectionOptions
  readonly #client: FrameReader
  readonly #server: FrameReader
  readonly #channels = new Map<number, Channel>()
  #unsettled = 0
  /** The stream that is being read. */
  #stream: InputStream | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#client = new FrameReader(this.#handler('client'), options.joined)
    this.#server = new FrameReader(this.#handler('server'), options.joined)
  }

  get failed(): boolean {
    return this.#client.failed || this.#server.failed
  }

  read(sender: Sender, stream: InputStream): void {
    this.#stream = stream
    if (sender === 'client') this.#client.read(stream)
    else this.#server.read(stream)
    this.#stream = undefined
  }

  close(): void {
    for (const channel of this.#channels.values()) this.#closeChannel(channel)
    this.#channels.clear()
  }

  #handler(sender: Sender): FrameHandler {
    return {
      method: (channel, bytes, start, end, hidden, at, next) =>
        this.#method(sender, channel, bytes, start, end, hidden, at, next),
      header: (channel, bytes, start, end, hidden, next) =>
        this.#header(this.#content(sender, channel), bytes, start, end, hidden, next),
      body: (channel, bytes, start, end) => this.#content(sender, channel)?.update(bytes, start, end),
      bodyHole: (channel, count) => this.#content(sender, channel)?.missing(count),
      bodyEnd: (channel, next) => {
        const content = this.#content(sender, channel)
        if (content?.open === true && content.body.position >= content.size) this.#complete(sender, channel, next)
      },
      lost: () => this.#lost(sender),
    }
  }

  #channel(number: number): Channel {
    let channel = this.#channels.get(number)
    if (channel === undefined) {
      if (this.#channels.size >= MOST_CHANNELS) {
        const [oldest, old] = this.#channels.entries().next().value!
        this.#closeChannel(old)
        this.#channels.delete(oldest)
      }
      channel = new Channel()
      this.#channels.set(number, channel)
    }
    return channel
  }

  #content(sender: Sender, number: number): Content | undefined {
    const channel = this.#channels.get(number)
    return sender === 'client' ? channel?.fromClient : channel?.fromServer
  }

  #method(
    sender: Sender,
    number: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    hidden: boolean,
    at: number,
    next: number,
  ): void {
    const id = uint32(bytes, start)
    const kind = methodKind(id)
    if (kind === undefined || (kind.sender !== undefined && kind.sender !== sender)) return
    const channel = this.#channel(number)
    this.#interrupt(sender === 'client' ? channel.fromClient : channel.fromServer, at)
    const from = start + 4
    switch (id) {
      case Method.publish:
        this.#publish(channel, bytes, from, end, hidden, at)
        return
      case Method.deliver:
        this.#deliver(channel, bytes, from, end, hidden, at)
        return
      case Method.return:
        this.#returned(channel, bytes, from, end, hidden, at)
        return
      case Method.ack:
        if (sender === 'client') this.#settle(channel, bytes, from, end, at, next, 'ack')
        return
      case Method.nack:
        if (sender === 'client') this.#settle(channel, bytes, from, end, at, next, 'nack')
        return
      case Method.reject:
        this.#settle(channel, bytes, from, end, at, next, 'reject')
        return
    }
    this.#synchronous(sender, kind, channel, at, next)
    this.#note(id, number, channel, bytes, from, end)
    if (id === Method.getOk) this.#getOk(channel, bytes, from, end, hidden, at)
  }

  /** Methods that tell what later ones mean. */
  #note(id: number, number: number, channel: Channel, bytes: Uint8Array, from: number, end: number): void {
    switch (id) {
      case Method.channelClose:
        this.#giveUpMessages(channel, errorOf(bytes, from, end))
        return
      case Method.channelCloseOk:
        this.#closeChannel(channel)
        this.#channels.delete(number)
        return
      case Method.connectionClose:
        for (const each of this.#channels.values()) this.#giveUpMessages(each, errorOf(bytes, from, end))
        return
      default:
        noteMethod(id, channel, bytes, from, end)
    }
  }

  #synchronous(sender: Sender, kind: MethodKind, channel: Channel, at: number, next: number): void {
    const { sink } = this.#options
    if (kind.part === Part.request) {
      const open = sender === 'client' ? channel.syncClient : channel.syncServer
      // It was told not to wait, or its answer was not seen.
      if (open !== undefined) sink.abandon(open)
      const call = createCall(sender, kind.name)
      if (sender === 'client') channel.syncClient = call
      else channel.syncServer = call
      sink.begin(call, at)
    } else if (kind.part === Part.reply) {
      const call = sender === 'client' ? channel.syncServer : channel.syncClient
      if (call === undefined) return
      if (sender === 'client') channel.syncServer = undefined
      else channel.syncClient = undefined
      sink.responseBegin(call, at)
      sink.end(call, next)
    }
  }

  /** reserved: 2, exchange, routing key, bits */
  #publish(channel: Channel, bytes: Uint8Array, from: number, end: number, hidden: boolean, at: number): void {
    const key = afterShortString(bytes, from + 2, end)
    const message = createPublish(shortString(bytes, from + 2, end), shortString(bytes, key, end))
    if (hidden) message.truncated = true
    channel.fromClient.message = message
    this.#options.sink.begin(message, at)
  }

  /** consumer tag, delivery tag: 8, redelivered, exchange, routing key */
  #deliver(channel: Channel, bytes: Uint8Array, from: number, end: number, hidden: boolean, at: number): void {
    const tag = afterShortString(bytes, from, end)
    if (tag + 8 > end) return
    this.#delivered(channel, channel.consumer(shortString(bytes, from, end)), bytes, tag, end, hidden, at)
  }

  /** reply code: 2, reply text, exchange, routing key; the message follows as it was published */
  #returned(channel: Channel, bytes: Uint8Array, from: number, end: number, hidden: boolean, at: number): void {
    const exchangeAt = afterShortString(bytes, from + 2, end)
    const key = shortString(bytes, afterShortString(bytes, exchangeAt, end), end)
    const message = createReturn(shortString(bytes, exchangeAt, end), key, errorOf(bytes, from, end))
    if (hidden) message.truncated = true
    channel.fromServer.message = message
    this.#options.sink.begin(message, at)
  }

  /** delivery tag: 8, redelivered, exchange, routing key, message count */
  #getOk(channel: Channel, bytes: Uint8Array, from: number, end: number, hidden: boolean, at: number): void {
    // Getters that were not seen to ask share one entry, under the tag that no consumer can have.
    const consumer = channel.got() ?? channel.consumer('')
    if (from + 8 <= end) this.#delivered(channel, consumer, bytes, from, end, hidden, at)
  }

  #delivered(
    channel: Channel,
    consumer: Consumer,
    bytes: Uint8Array,
    tagAt: number,
    end: number,
    hidden: boolean,
    at: number,
  ): void {
    const tag = uint64(bytes, tagAt)
    const exchangeAt = tagAt + 9
    const keyAt = afterShortString(bytes, exchangeAt, end)
    const noAck = consumer.noAck ?? (channel.acknowledges ? false : undefined)
    const exchange = shortString(bytes, exchangeAt, end)
    const message = createDelivery(exchange, shortString(bytes, keyAt, end), tag, consumer.queue, noAck)
    if (hidden) message.truncated = true
    channel.fromServer.message = message
    this.#options.sink.begin(message, at)
    if (noAck === true) return
    if (this.#unsettled >= MOST_UNSETTLED) this.#evict()
    const before = channel.unsettled.get(tag)
    if (before !== undefined) this.#forget(channel, before)
    channel.unsettled.set(tag, message)
    this.#unsettled++
    if (noAck === undefined && ++consumer.unanswered > SILENT_AFTER) {
      consumer.noAck = true
      this.#endSilent(channel, message)
    }
  }

  /** class: 2, weight: 2, body size: 8, flags: 2, properties */
  #header(
    content: Content | undefined,
    bytes: Uint8Array,
    start: number,
    end: number,
    hidden: boolean,
    next: number,
  ): void {
    if (content === undefined) return
    const { message } = content
    if (end - start < 14) {
      if (message !== undefined) message.truncated = true
      return
    }
    content.size = uint64(bytes, start + 4)
    content.open = true
    content.body.begin(content.size)
    content.envelope.begin()
    if (message !== undefined) {
      readProperties(bytes, start + 12, end, content.properties)
      if (hidden) message.truncated = true
      describeContent(message, content.properties, content.size)
    }
    if (content.size === 0) this.#completeContent(content, next)
  }

  #complete(sender: Sender, number: number, next: number): void {
    const content = this.#content(sender, number)
    if (content !== undefined) this.#completeContent(content, next)
  }

  #completeContent(content: Content, next: number): void {
    const { message } = content
    content.open = false
    content.message = undefined
    if (message === undefined) return
    addKeys(message, content.properties, content.body)
    if (content.envelope.found) this.wants = ENVELOPE_POLICY
    content.envelope.finish(message.contentKeys)
    nameOperation(message, content.envelope.operation)
    message.contentEnd = next
    message.contentEndNs = this.#stream?.timeNs ?? 0
    if (message.noAck === true) this.#options.sink.end(message, next)
    else this.#options.sink.requestEnd(message, next)
  }

  /** Something else came where the rest of a message was due. */
  #interrupt(content: Content, at: number): void {
    const { message } = content
    content.open = false
    content.message = undefined
    if (message === undefined) return
    message.truncated = true
    if (message.noAck === true) this.#options.sink.end(message, at)
  }

  #lost(sender: Sender): void {
    this.#options.counters.add('protocols.amqp.resync')
    const at = this.#stream?.position ?? 0
    for (const channel of this.#channels.values()) {
      this.#interrupt(sender === 'client' ? channel.fromClient : channel.fromServer, at)
    }
  }

  /** delivery tag: 8, bits: multiple, requeue (nack); requeue (reject) */
  #settle(
    channel: Channel,
    bytes: Uint8Array,
    from: number,
    end: number,
    at: number,
    next: number,
    how: 'ack' | 'nack' | 'reject',
  ): void {
    channel.acknowledges = true
    if (from + 8 > end) return
    const tag = uint64(bytes, from)
    const bits = from + 8 < end ? bytes[from + 8]! : 0
    const failed = how !== 'ack'
    if (how !== 'reject' && (bits & 1) !== 0) {
      for (const [each, message] of channel.unsettled) {
        if (tag !== 0 && each > tag) break
        this.#settled(channel, message, at, next, failed ? how : undefined)
      }
      return
    }
    const message = channel.unsettled.get(tag)
    if (message !== undefined) this.#settled(channel, message, at, next, failed ? how : undefined)
  }

  #settled(channel: Channel, message: Message, at: number, next: number, error: string | undefined): void {
    channel.unsettled.delete(message.deliveryTag)
    this.#unsettled--
    if (channel.fromServer.message === message) channel.fromServer.message = undefined
    if (error !== undefined) fail(message, error)
    this.#options.sink.responseBegin(message, at)
    this.#options.sink.end(message, next)
  }

  /** Nobody on this channel ever acknowledged: its messages were over when they had come. */
  #endSilent(channel: Channel, newest: Message): void {
    for (const [tag, message] of channel.unsettled) {
      if (message.noAck === false) continue
      message.noAck = true
      channel.unsettled.delete(tag)
      this.#unsettled--
      if (message !== newest) {
        if (message.contentEnd < 0) this.#options.sink.abandon(message)
        else this.#options.sink.end(message, message.contentEnd, message.contentEndNs)
      }
    }
  }

  #evict(): void {
    for (const channel of this.#channels.values()) {
      for (const message of channel.unsettled.values()) {
        this.#options.counters.add('protocols.amqp.unsettled.evicted')
        this.#forget(channel, message)
        return
      }
    }
  }

  #forget(channel: Channel, message: Message): void {
    channel.unsettled.delete(message.deliveryTag)
    this.#unsettled--
    if (channel.fromServer.message === message) channel.fromServer.message = undefined
    this.#options.sink.abandon(message)
  }

  #closeChannel(channel: Channel): void {
    this.#giveUpMessages(channel, undefined)
    for (const call of [channel.syncClient, channel.syncServer]) {
      if (call !== undefined) this.#options.sink.abandon(call)
    }
    channel.syncClient = channel.syncServer = undefined
  }

  /** What is not settled now never will be: the broker gives it to somebody else. */
  #giveUpMessages(channel: Channel, error: string | undefined): void {
    const { sink } = this.#options
    for (const content of [channel.fromClient, channel.fromServer]) {
      const { message } = content
      content.open = false
      content.message = undefined
      if (message === undefined || channel.unsettled.get(message.deliveryTag) === message) continue
      if (error !== undefined) fail(message, error)
      sink.abandon(message)
    }
    for (const message of channel.unsettled.values()) {
      if (error !== undefined) fail(message, error)
      sink.abandon(message)
      this.#unsettled--
    }
    channel.unsettled.clear()
  }
}
