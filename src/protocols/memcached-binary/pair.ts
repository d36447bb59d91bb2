import type { Counter } from '../../telemetry/counters.js'
import { Attribute } from '../attribute-names.js'
import { ExchangeQueue } from '../exchange-queue.js'
import type { InputStream } from '../input-stream.js'
import { keyHash } from '../key-hash.js'
import type { ConnectionOptions, Exchange, ExchangeSink, ProtocolConnection, Sender } from '../protocol.js'
import { type BinaryCommand, commandOf, isRefusal, isServersFault, Status, statusName } from './commands.js'
import { detectBinary } from './detect.js'
import { BinaryHeader, HEADER, Magic } from './header.js'

/** Operations sent and not answered on one connection; beyond it all are given up. */
const MOST_WAITING = 16_384
const MOST_REFUSED = 8

interface BinaryExchange extends Exchange {
  readonly command: BinaryCommand
  readonly opcode: number
  readonly opaque: number
  answered: boolean
  over: boolean
}

const header = new BinaryHeader()

/** Pairs operations with answers: in order, by opcode and opaque; what is quiet may be answered by silence. */
export class BinaryConnection implements ProtocolConnection {
  failed = false
  readonly #sink: ExchangeSink
  readonly #waiting = new ExchangeQueue<BinaryExchange>(MOST_WAITING)
  /** The next byte of each direction is known to begin a message. */
  readonly #synced = { client: true, server: true }
  readonly #lost: Counter
  readonly #unexpected: Counter
  readonly #overflow: Counter
  /** The message whose last byte has not come. */
  #sending: BinaryExchange | undefined
  #answering: BinaryExchange | undefined
  #refused = 0

  constructor({ sink, counters, joined }: ConnectionOptions) {
    this.#sink = sink
    this.#synced.client = this.#synced.server = !joined
    this.#lost = counters.counter('protocols.memcached_binary.lost_place')
    this.#unexpected = counters.counter('protocols.memcached_binary.unexpected_answer')
    this.#overflow = counters.counter('protocols.memcached_binary.too_many_waiting')
  }

  read(sender: Sender, stream: InputStream): void {
    if (stream.dropped > 0) {
      stream.dropped = 0
      this.#lose(sender)
    }
    while (!this.failed && !stream.skipping) {
      if (sender === 'client') this.#sent(stream.position)
      else this.#received(stream.position)
      if (!this.#message(sender, stream)) return
    }
  }

  close(): void {
    this.#abandonAll()
  }

  #lose(sender: Sender): void {
    this.#synced[sender] = false
    this.#lost.value++
  }

  /** Takes one message; false while its header is not there. */
  #message(sender: Sender, stream: InputStream): boolean {
    const { bytes, start, end, hole } = stream
    if (start === end && hole === 0) return false
    const magic = sender === 'client' ? Magic.request : Magic.answer
    if (end - start < HEADER) {
      if (hole === 0) return false
      stream.resume()
      this.#lose(sender)
      return false
    }
    const isOwn = header.read(bytes, start, magic)
    if (!isOwn || (!this.#synced[sender] && detectBinary(bytes, start, Math.min(end, start + 256)).match !== 'yes')) {
      stream.resume()
      if (this.#synced[sender]) this.#lose(sender)
      if (++this.#refused > MOST_REFUSED) this.failed = true
      return false
    }
    const wanted = sender === 'client' ? HEADER + header.extras + header.keyLength : HEADER
    if (end - start < wanted && hole === 0) return false
    this.#synced[sender] = true
    this.#refused = 0
    const { body } = header
    if (sender === 'client') this.#ask(stream)
    else this.#answer(stream)
    stream.skip(HEADER + body)
    return true
  }

  #ask(stream: InputStream): void {
    const exchange = createExchange(header)
    const keyStart = stream.start + HEADER + header.extras
    const keyEnd = keyStart + header.keyLength
    if (header.keyLength > 0 && !exchange.housekeeping) {
      if (keyEnd <= stream.end) {
        exchange.attributes[Attribute.ghostspanDbKeyHash] = keyHash(stream.bytes, keyStart, keyEnd)
      } else exchange.truncated = true
    }
    this.#sending = exchange
    this.#sink.begin(exchange, stream.position)
    if (this.#waiting.push(exchange)) return
    this.#overflow.value++
    this.#abandonWaiting()
    this.#waiting.push(exchange)
  }

  #sent(offset: number): void {
    const exchange = this.#sending
    if (exchange === undefined) return
    this.#sending = undefined
    if (exchange.over) return
    if (!exchange.answered) this.#sink.requestEnd(exchange, offset)
    if (exchange.shape !== 'message') return
    exchange.over = true
    this.#sink.end(exchange, offset)
  }

  #answer(stream: InputStream): void {
    const exchange = this.#owner(stream.position)
    if (exchange === undefined) {
      this.#unexpected.value++
      return
    }
    if (exchange.over) {
      this.#waiting.shift()
      return
    }
    if (!exchange.answered) {
      exchange.answered = true
      this.#sink.responseBegin(exchange, stream.position)
    }
    // Statistics are many messages, the last without a key.
    if (exchange.command.kind === 'stat' && header.keyLength > 0 && header.status === Status.ok) return
    this.#waiting.shift()
    describeAnswer(exchange, header.status)
    this.#answering = exchange
  }

  #received(offset: number): void {
    const exchange = this.#answering
    if (exchange === undefined) return
    this.#answering = undefined
    this.#done(exchange, offset)
  }

  /** Whose answer this is: what stands before it was answered by silence, or where nobody saw it. */
  #owner(offset: number): BinaryExchange | undefined {
    let at = 0
    for (let each = this.#waiting.at(at); each !== undefined; each = this.#waiting.at(++at)) {
      if (each.opaque === header.opaque && each.opcode === header.opcode) break
    }
    if (at === this.#waiting.size) return undefined
    for (; at > 0; at--) {
      const silent = this.#waiting.shift()!
      if (silent.over) continue
      if (silent.command.quiet) this.#silence(silent, offset)
      else this.#abandon(silent)
    }
    return this.#waiting.peek()
  }

  /** A quiet get that found nothing. */
  #silence(exchange: BinaryExchange, offset: number): void {
    if (exchange.command.kind === 'get') exchange.attributes[Attribute.ghostspanCacheHit] = false
    exchange.answered = true
    this.#sink.responseBegin(exchange, offset)
    this.#done(exchange, offset)
  }

  #done(exchange: BinaryExchange, offset: number): void {
    if (this.#sending === exchange) this.#sending = undefined
    exchange.over = true
    this.#sink.end(exchange, offset)
  }

  #abandonWaiting(): void {
    for (let exchange = this.#waiting.shift(); exchange !== undefined; exchange = this.#waiting.shift()) {
      this.#abandon(exchange)
    }
  }

  #abandon(exchange: BinaryExchange): void {
    if (exchange.over) return
    exchange.over = true
    this.#sink.abandon(exchange)
  }

  #abandonAll(): void {
    this.#abandonWaiting()
    for (const exchange of [this.#answering, this.#sending]) {
      if (exchange !== undefined) this.#abandon(exchange)
    }
    this.#answering = this.#sending = undefined
  }
}

function createExchange({ opcode, opaque }: BinaryHeader): BinaryExchange {
  const command = commandOf(opcode)!
  // Whoever stores quietly wants to know of failures at most; whoever gets quietly waits for what is found.
  const isMessage = command.quiet && command.kind !== 'get'
  return {
    protocol: 'memcached',
    initiator: 'client',
    shape: isMessage ? 'message' : 'call',
    name: command.name,
    attributes: {
      [Attribute.dbSystemName]: 'memcached',
      [Attribute.dbOperationName]: command.name,
      [Attribute.dbQueryText]: command.text,
    },
    clientError: undefined,
    serverError: undefined,
    contentKeys: [],
    truncated: false,
    housekeeping: command.housekeeping,
    requestBodyBytes: undefined,
    responseBodyBytes: undefined,
    tag: 0,
    follower: undefined,
    command,
    opcode,
    opaque,
    answered: false,
    over: false,
  }
}

function describeAnswer(exchange: BinaryExchange, status: number): void {
  const { command, attributes } = exchange
  if (command.kind === 'get' && (status === Status.ok || status === Status.notFound)) {
    attributes[Attribute.ghostspanCacheHit] = status === Status.ok
    return
  }
  if (status === Status.ok) return
  const name = statusName(status)
  attributes[Attribute.dbResponseStatusCode] = name
  if (isRefusal(status)) return
  exchange.clientError = name
  if (isServersFault(status)) exchange.serverError = name
}
