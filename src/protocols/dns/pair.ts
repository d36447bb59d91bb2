import type { Counter } from '../../telemetry/counters.js'
import type { InputStream } from '../input-stream.js'
import type { ConnectionOptions, ProtocolConnection, Sender } from '../protocol.js'
import { detectDns } from './detect.js'
import { Dialogue } from './dialogue.js'
import { DnsMessage, HEADER_BYTES } from './message.js'

const LENGTH_BYTES = 2
/** Longest question that is waited for: a name of 255 bytes, type and class. */
const ENOUGH = HEADER_BYTES + 259
/** Messages in a row that make no sense before the connection is given up. */
const MOST_REFUSED = 8

const message = new DnsMessage()

/** Messages over TCP: a length in front of each, in both directions, in any order. */
export class DnsConnection implements ProtocolConnection {
  failed = false
  readonly #dialogue: Dialogue
  /** The next byte of each direction is known to begin a message. */
  readonly #synced = { client: true, server: true }
  readonly #lost: Counter
  #refused = 0

  constructor({ sink, counters, joined }: ConnectionOptions) {
    this.#dialogue = new Dialogue(sink, counters)
    this.#synced.client = this.#synced.server = !joined
    this.#lost = counters.counter('protocols.dns.lost_place')
  }

  read(sender: Sender, stream: InputStream): void {
    if (stream.dropped > 0) {
      stream.dropped = 0
      this.#lose(sender)
    }
    while (!this.failed && !stream.skipping && this.#next(sender, stream)) {}
  }

  close(): void {
    this.#dialogue.abandonAll()
  }

  #lose(sender: Sender): void {
    this.#synced[sender] = false
    this.#lost.value++
  }

  /** Takes one message; false while it is not there. */
  #next(sender: Sender, stream: InputStream): boolean {
    const { bytes, start, end } = stream
    if (start === end && stream.hole === 0) return false
    const isCut = stream.hole > 0
    if (end - start < LENGTH_BYTES) return isCut ? this.#giveUp(sender, stream) : false
    const length = (bytes[start]! << 8) | bytes[start + 1]!
    const first = start + LENGTH_BYTES
    const wanted = Math.min(length, ENOUGH)
    if (end - first < wanted && !isCut) return false
    if (!this.#synced[sender]) {
      const found = detectDns(bytes, start, end)
      if (found.match !== 'yes' || found.sender !== sender) {
        stream.resume()
        return false
      }
      this.#synced[sender] = true
    }
    if (length < HEADER_BYTES) return this.#refuse(sender, stream)
    const last = Math.min(end, first + length)
    if (!message.read(bytes, first, last)) return this.#skip(stream, LENGTH_BYTES + length)
    const isAnswer = sender === 'server'
    if (message.isAnswer !== isAnswer || !message.isPlausible(bytes, first)) return this.#refuse(sender, stream)
    // Its end is waited for: when an answer is complete, and how a question is told from one that was cut.
    if (end - first < length && !isCut) return false
    this.#refused = 0
    const { position, timeNs } = stream
    const stop = Math.min(position + LENGTH_BYTES + length, stream.come)
    if (isAnswer) this.#dialogue.answer(message, position, stop, timeNs)
    else this.#dialogue.question(message, bytes, first, position, stop, timeNs)
    return this.#skip(stream, LENGTH_BYTES + length)
  }

  #skip(stream: InputStream, count: number): true {
    stream.skip(count)
    return true
  }

  #giveUp(sender: Sender, stream: InputStream): false {
    stream.resume()
    this.#lose(sender)
    return false
  }

  #refuse(sender: Sender, stream: InputStream): false {
    if (++this.#refused > MOST_REFUSED) this.failed = true
    return this.#giveUp(sender, stream)
  }
}

/** Messages that are datagrams: the stream holds one at a time, and behind it a hole where it was not copied whole. */
export class DnsSocket implements ProtocolConnection {
  failed = false
  readonly #dialogue: Dialogue
  readonly #malformed: Counter
  #refused = 0

  constructor({ sink, counters }: ConnectionOptions) {
    this.#dialogue = new Dialogue(sink, counters)
    this.#malformed = counters.counter('protocols.dns.malformed')
  }

  read(sender: Sender, stream: InputStream): void {
    const { bytes, start, end, position, timeNs } = stream
    const stop = position + (end - start) + stream.hole
    const isPlausible = message.read(bytes, start, end) && message.isPlausible(bytes, start)
    stream.resume()
    if (!isPlausible || message.isAnswer !== (sender === 'server')) {
      this.#malformed.value++
      if (++this.#refused > MOST_REFUSED) this.failed = true
      return
    }
    this.#refused = 0
    if (message.isAnswer) this.#dialogue.answer(message, position, stop, timeNs)
    else this.#dialogue.question(message, bytes, start, position, stop, timeNs)
  }

  close(): void {
    this.#dialogue.abandonAll()
  }
}
