import type { Counter } from '../../telemetry/counters.js'
import { Attribute } from '../attribute-names.js'
import { ExchangeQueue } from '../exchange-queue.js'
import type { InputStream } from '../input-stream.js'
import { hashOf, keyHash } from '../key-hash.js'
import type {
  Attributes,
  ConnectionOptions,
  ContentKey,
  CopyPolicy,
  Exchange,
  ExchangeSink,
  ProtocolConnection,
  Sender,
} from '../protocol.js'
import type { Command } from './commands.js'
import type { Words } from './lines.js'
import { type ReplyHandler, ReplyReader } from './parse-replies.js'
import { type RequestHandler, type RequestLine, RequestReader } from './parse-requests.js'

/** Enough for one line with a hashed key, and for a VALUE line with its length. */
export const LEAN: CopyPolicy = { clientHead: 128, serverHead: 64, clientTail: 0, serverTail: 0, countOnly: false }
/** Where several commands or answers share a call, or keys are many or long. */
const WIDE: CopyPolicy = { clientHead: 1024, serverHead: 1024, clientTail: 0, serverTail: 0, countOnly: false }
const NOTHING: CopyPolicy = { clientHead: 0, serverHead: 0, clientTail: 0, serverTail: 0, countOnly: true }

/** Commands sent and not answered on one connection; beyond it all are given up. */
const MOST_WAITING = 16_384

// Flags of the meta commands: q, k, O.
const QUIET_FLAG = 0x71
const KEY_FLAG = 0x6b
const OPAQUE_FLAG = 0x4f

const FAULTS = new Set(['ERROR', 'CLIENT_ERROR', 'SERVER_ERROR'])
/** Not errors, but worth telling from success. */
const REFUSALS = new Set(['NOT_STORED', 'EXISTS', 'NOT_FOUND', 'NS', 'EX', 'NF'])

interface MemcachedExchange extends Exchange {
  readonly command: Command
  /** Keys asked for; 0 while unknown. */
  keys: number
  hits: number
  /** The server may keep silent: a meta command with the `q` flag. */
  quiet: boolean
  /** Hashes of what a meta answer repeats: the opaque token (`O` flag) and the key (`k` flag); 0: neither. */
  opaque: number
  key: number
  readonly echoesKey: boolean
  answered: boolean
  /** Its end has been reported; it stays in the queue only because a line may still answer it. */
  over: boolean
}

const NO_KEYS: readonly ContentKey[] = Object.freeze([])

/** Pairs commands with answers, first in, first out; among quiet commands by opaque token, key and kind of answer. */
export class MemcachedConnection implements ProtocolConnection, RequestHandler, ReplyHandler {
  failed = false
  wants: CopyPolicy | undefined

  readonly #sink: ExchangeSink
  readonly #requests: RequestReader
  readonly #replies: ReplyReader
  readonly #waiting = new ExchangeQueue<MemcachedExchange>(MOST_WAITING)
  #sending: MemcachedExchange | undefined
  #answering: MemcachedExchange | undefined
  /** The connection has become a log (`watch`). */
  #opaque = false

  readonly #lost: Counter
  readonly #malformed: Counter
  readonly #unexpected: Counter
  readonly #overflow: Counter

  constructor({ sink, counters, joined }: ConnectionOptions) {
    this.#sink = sink
    this.#requests = new RequestReader(this, joined)
    this.#replies = new ReplyReader(this, joined)
    this.#lost = counters.counter('protocols.memcached.lost_place')
    this.#malformed = counters.counter('protocols.memcached.malformed')
    this.#unexpected = counters.counter('protocols.memcached.unexpected_answer')
    this.#overflow = counters.counter('protocols.memcached.too_many_waiting')
  }

  read(sender: Sender, stream: InputStream): void {
    if (this.#opaque || this.failed) {
      stream.resume()
      return
    }
    if (sender === 'client') this.#requests.read(stream)
    else this.#replies.read(stream)
    if (this.#requests.failed || this.#replies.failed) {
      this.#malformed.value++
      this.failed = true
      this.#abandonAll()
    }
  }

  close(): void {
    this.#abandonAll()
  }

  command(line: RequestLine, offset: number, timeNs: number): void {
    const { command, words, bytes } = line
    const exchange = exchangeOf(line)
    if (command.keyAt > 0 && command.keyAt < words.known) {
      const start = words.start(command.keyAt)
      const end = words.end(command.keyAt)
      exchange.attributes[Attribute.ghostspanDbKeyHash] = keyHash(bytes, start, end)
      if (exchange.echoesKey) exchange.key = hashOf(bytes, start, end)
    }
    this.#sending = exchange
    // Whatever could not be followed of the answers belongs to earlier commands: the next answer is this one's.
    if (this.#waiting.size === 0) this.#replies.findPlace(timeNs)
    this.#sink.begin(exchange, offset)
    if (exchange.shape === 'call' || exchange.quiet) this.#wait(exchange)
  }

  commandEnd(offset: number, words: number, truncated: boolean): void {
    const exchange = this.#sending
    if (exchange === undefined) return
    this.#sending = undefined
    if (truncated) exchange.truncated = true
    else if (exchange.command.kind === 'retrieve') this.#keysKnown(exchange, words - exchange.command.keyAt)
    this.#sink.requestEnd(exchange, offset)
    if (exchange.shape === 'message') {
      exchange.over = true
      this.#sink.end(exchange, offset)
    }
    if (exchange.command.kind === 'watch') {
      this.#abandonAll()
      this.#opaque = true
      this.wants = NOTHING
    }
  }

  requestsLost(): void {
    this.#lost.value++
    this.wants = WIDE
  }

  replyBegin(word: string, bytes: Uint8Array, words: Words, flagsAt: number, offset: number): void {
    const exchange = this.#owner(word, bytes, words, flagsAt, offset)
    this.#answering = exchange
    if (exchange === undefined) this.#unexpected.value++
    else this.#begun(exchange, offset)
  }

  value(): void {
    if (this.#answering !== undefined) this.#answering.hits++
  }

  everyKeyAnswered(): boolean {
    const exchange = this.#answering
    return exchange !== undefined && exchange.keys > 0 && exchange.hits === exchange.keys
  }

  replyEnd(word: string, offset: number): void {
    const exchange = this.#answering
    this.#answering = undefined
    if (exchange === undefined) return
    this.#waiting.shift()
    if (exchange.over) return
    const { attributes, command } = exchange
    if (FAULTS.has(word)) {
      attributes[Attribute.dbResponseStatusCode] = word
      exchange.clientError = word
      if (word === 'SERVER_ERROR') exchange.serverError = word
    } else if (REFUSALS.has(word)) attributes[Attribute.dbResponseStatusCode] = word
    else if (command.kind === 'retrieve') setHits(exchange)
    else if (command.name === 'mg') attributes[Attribute.ghostspanCacheHit] = word !== 'EN'
    this.#done(exchange, offset)
  }

  repliesLost(offset: number): void {
    this.#lost.value++
    if (this.#waiting.size > 1 || this.#answering !== undefined) this.wants = WIDE
    this.#answering = undefined
    // The server answers what it has read in one go: all that waits was most likely answered in what was not seen.
    for (let exchange = this.#waiting.shift(); exchange !== undefined; exchange = this.#waiting.shift()) {
      if (exchange.over) continue
      exchange.truncated = true
      this.#begun(exchange, offset)
      this.#done(exchange, offset)
    }
  }

  #keysKnown(exchange: MemcachedExchange, keys: number): void {
    exchange.keys = Math.max(0, keys)
    if (keys > 1) exchange.attributes[Attribute.dbOperationBatchSize] = keys
  }

  /**
   * Whose answer begins. A quiet command that it cannot belong to has been answered by silence: that is known now.
   */
  #owner(
    word: string,
    bytes: Uint8Array,
    words: Words,
    flagsAt: number,
    offset: number,
  ): MemcachedExchange | undefined {
    for (let exchange = this.#waiting.peek(); exchange !== undefined; exchange = this.#waiting.peek()) {
      if (!exchange.quiet || mayAnswer(exchange, word, bytes, words, flagsAt)) return exchange
      this.#waiting.shift()
      if (exchange.over) continue
      if (exchange.command.name === 'mg') exchange.attributes[Attribute.ghostspanCacheHit] = false
      this.#begun(exchange, offset)
      this.#done(exchange, offset)
    }
    return undefined
  }

  #wait(exchange: MemcachedExchange): void {
    if (this.#waiting.push(exchange)) return
    if (this.#waiting.peek()?.over) {
      this.#waiting.shift()
      this.#waiting.push(exchange)
      return
    }
    this.#overflow.value++
    this.#sending = undefined
    this.#abandonAll()
    this.#replies.adrift = true
    this.#sending = exchange
    this.#waiting.push(exchange)
  }

  #begun(exchange: MemcachedExchange, offset: number): void {
    if (exchange.answered || exchange.over) return
    exchange.answered = true
    this.#sink.responseBegin(exchange, offset)
  }

  #done(exchange: MemcachedExchange, offset: number): void {
    if (this.#sending === exchange) this.#sending = undefined
    exchange.over = true
    this.#sink.end(exchange, offset)
  }

  #abandonAll(): void {
    const sending = this.#sending
    this.#sending = this.#answering = undefined
    let met = false
    for (let exchange = this.#waiting.shift(); exchange !== undefined; exchange = this.#waiting.shift()) {
      if (exchange === sending) met = true
      if (!exchange.over) this.#sink.abandon(exchange)
    }
    if (sending !== undefined && !met) this.#sink.abandon(sending)
  }
}

function exchangeOf({ command, bytes, words, silent }: RequestLine): MemcachedExchange {
  const { kind, name } = command
  let quiet = false
  let opaque = 0
  let echoesKey = false
  if (kind === 'meta' || kind === 'metaStore') {
    for (let i = kind === 'metaStore' ? 3 : 2; i < words.known; i++) {
      const flag = bytes[words.start(i)]
      if (flag === QUIET_FLAG) quiet = true
      else if (flag === KEY_FLAG) echoesKey = true
      else if (flag === OPAQUE_FLAG) opaque = hashOf(bytes, words.start(i) + 1, words.end(i))
    }
    if (name === 'mn' || name === 'me') quiet = false
  }
  // Whoever stores quietly wants to know of failures at most; whoever gets quietly waits for what is found.
  const isMessage = silent || kind === 'none' || (quiet && name !== 'mg')
  const attributes: Attributes = {
    [Attribute.dbSystemName]: 'memcached',
    [Attribute.dbOperationName]: name,
    [Attribute.dbQueryText]: command.text(words.count - 1),
  }
  return {
    protocol: 'memcached',
    initiator: 'client',
    shape: isMessage ? 'message' : 'call',
    name,
    attributes,
    clientError: undefined,
    serverError: undefined,
    contentKeys: NO_KEYS as ContentKey[],
    truncated: false,
    housekeeping: command.housekeeping,
    requestBodyBytes: undefined,
    follower: undefined,
    responseBodyBytes: undefined,
    tag: 0,
    command,
    keys: 0,
    hits: 0,
    quiet,
    opaque,
    key: 0,
    echoesKey,
    answered: false,
    over: false,
  }
}

function setHits(exchange: MemcachedExchange): void {
  const { attributes, hits, keys } = exchange
  if (keys === 0) {
    if (hits > 0) attributes[Attribute.ghostspanCacheHits] = hits
    return
  }
  attributes[Attribute.ghostspanCacheHit] = hits === keys
  if (keys > 1) attributes[Attribute.ghostspanCacheHits] = hits
}

/** Whether the line can be the answer to a quiet command (doc/protocol.txt, "Meta Commands", the q, O and k flags). */
function mayAnswer(
  exchange: MemcachedExchange,
  word: string,
  bytes: Uint8Array,
  words: Words,
  flagsAt: number,
): boolean {
  if (FAULTS.has(word)) return true
  const isGet = exchange.command.name === 'mg'
  if (isGet ? word !== 'VA' && word !== 'HD' : word !== 'NS' && word !== 'EX' && word !== 'NF' && word !== 'VA') {
    return false
  }
  let opaque = 0
  let key = 0
  for (let i = flagsAt; i < words.known; i++) {
    const start = words.start(i)
    if (bytes[start] === OPAQUE_FLAG) opaque = hashOf(bytes, start + 1, words.end(i))
    else if (bytes[start] === KEY_FLAG) key = hashOf(bytes, start + 1, words.end(i))
  }
  // Both come back when they were sent, and never else.
  return opaque === exchange.opaque && key === exchange.key
}
