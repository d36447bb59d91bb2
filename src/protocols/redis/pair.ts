import type { Counter } from '../../telemetry/counters.js'
import { Attribute } from '../attribute-names.js'
import { ExchangeQueue } from '../exchange-queue.js'
import type { InputStream } from '../input-stream.js'
import { keyHash } from '../key-hash.js'
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
import { type ReplyHandler, ReplyReader } from './parse-replies.js'
import { type RequestHandler, RequestReader } from './parse-requests.js'

/** Enough for the name and the key of one command, and for how one answer begins. */
export const LEAN: CopyPolicy = { clientHead: 128, serverHead: 64, clientTail: 0, serverTail: 0, countOnly: false }
/** Where several commands or answers share a call, their heads lie deep inside it. */
const WIDE: CopyPolicy = { clientHead: 1024, serverHead: 1024, clientTail: 0, serverTail: 0, countOnly: false }
const NOTHING: CopyPolicy = { clientHead: 0, serverHead: 0, clientTail: 0, serverTail: 0, countOnly: true }

/** Commands sent and not answered on one connection; beyond it all are given up. */
const MOST_WAITING = 16_384

/** Errors that are the server's own fault; the others are the caller's. */
const SERVER_FAULTS = new Set(
  'BUSY CLUSTERDOWN LOADING MASTERDOWN MISCONF NOREPLICAS OOM READONLY TRYAGAIN UNKILLABLE'.split(' '),
)

interface RedisExchange extends Exchange {
  readonly command: Command
  /** Answers still to come: one, or one for each channel of a subscription. */
  answersLeft: number
  answered: boolean
}

const NO_KEYS: readonly ContentKey[] = Object.freeze([])

/** Pairs commands with answers, first in, first out, and keeps the few states that change who is answered. */
export class RedisConnection implements ProtocolConnection, RequestHandler, ReplyHandler {
  failed = false
  wants: CopyPolicy | undefined

  readonly #sink: ExchangeSink
  readonly #requests: RequestReader
  readonly #replies: ReplyReader
  readonly #waiting = new ExchangeQueue<RedisExchange>(MOST_WAITING)
  /** The command that is being sent, unless it has been answered already. */
  #sending: RedisExchange | undefined
  /** The command whose answer is being read. */
  #answering: RedisExchange | undefined
  /** Number of the database; undefined while unknown. */
  #namespace: string | undefined
  /** CLIENT REPLY OFF and SKIP. */
  #repliesOff = false
  #skipNext = false
  #clientAction = ''
  #replyMode = ''
  /** The connection has become a stream of something else (replication, MONITOR). */
  #opaque = false

  readonly #lost: Counter
  readonly #malformed: Counter
  readonly #unexpected: Counter
  readonly #pushes: Counter
  readonly #overflow: Counter

  constructor({ sink, counters, joined }: ConnectionOptions) {
    this.#sink = sink
    this.#requests = new RequestReader(this, joined)
    this.#replies = new ReplyReader(this, joined)
    this.#namespace = joined ? undefined : '0'
    this.#lost = counters.counter('protocols.redis.lost_place')
    this.#malformed = counters.counter('protocols.redis.malformed')
    this.#unexpected = counters.counter('protocols.redis.unexpected_answer')
    this.#pushes = counters.counter('protocols.redis.pushes')
    this.#overflow = counters.counter('protocols.redis.too_many_waiting')
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

  command(command: Command, argumentCount: number, offset: number, timeNs: number): void {
    const silent = command.effect !== 'client' && (this.#repliesOff || this.#skipNext)
    this.#skipNext = false
    this.#clientAction = this.#replyMode = ''
    const exchange = this.#exchangeOf(command, argumentCount, silent)
    if (command.effect === 'subscribe') {
      exchange.answersLeft = Math.max(1, argumentCount)
      this.#replies.subscribed = true
    }
    this.#sending = exchange
    // Whatever could not be followed of the answers belongs to earlier commands: the next answer is this one's.
    if (this.#waiting.size === 0) this.#replies.findPlace(timeNs)
    this.#sink.begin(exchange, offset)
    if (!silent) this.#wait(exchange)
  }

  argument(index: number, bytes: Uint8Array, start: number, end: number): void {
    const exchange = this.#sending
    if (exchange === undefined) return
    const { effect, keyAt, keyCountAt } = exchange.command
    if (effect === 'client') {
      const word = end - start <= 8 ? String.fromCharCode(...bytes.subarray(start, end)).toUpperCase() : ''
      if (index === 1) this.#clientAction = word
      else this.#replyMode = word
    } else if (effect === 'select') {
      if (end - start <= 5) this.#namespace = databaseNumber(bytes, start, end) ?? this.#namespace
    } else if (index === keyCountAt) {
      exchange.tag = end === start + 1 && bytes[start] === 0x30 ? 0 : 1
    } else if (index === keyAt && exchange.tag !== 0) {
      exchange.attributes[Attribute.ghostspanDbKeyHash] = keyHash(bytes, start, end)
    }
  }

  commandEnd(offset: number, truncated: boolean): void {
    const exchange = this.#sending
    if (exchange === undefined) return
    this.#sending = undefined
    if (truncated) exchange.truncated = true
    this.#sink.requestEnd(exchange, offset)
    this.#effectOf(exchange, offset)
  }

  requestsLost(): void {
    this.#lost.value++
    if (!this.#opaque) this.wants = WIDE
  }

  replyBegin(offset: number): void {
    const exchange = this.#waiting.peek()
    this.#answering = exchange
    if (exchange === undefined) this.#unexpected.value++
    else this.#begun(exchange, offset)
  }

  pushBegin(word: string, offset: number): void {
    const exchange = this.#waiting.peek()
    const confirms = exchange?.command.effect === 'subscribe' && exchange.command.name.toLowerCase() === word
    this.#answering = confirms ? exchange : undefined
    if (confirms) this.#begun(exchange, offset)
    else this.#pushes.value++
  }

  replyError(prefix: string): void {
    const exchange = this.#answering
    if (exchange === undefined) return
    // A refused subscription is not confirmed channel by channel.
    exchange.answersLeft = 1
    exchange.attributes[Attribute.dbResponseStatusCode] = prefix
    exchange.clientError = prefix
    if (SERVER_FAULTS.has(prefix)) exchange.serverError = prefix
  }

  replyEnd(offset: number): void {
    const exchange = this.#answering
    this.#answering = undefined
    if (exchange === undefined || --exchange.answersLeft > 0) return
    this.#waiting.shift()
    this.#done(exchange, offset)
    if (exchange.command.effect === 'monitor' && exchange.clientError === undefined) this.#becomeOpaque()
  }

  repliesLost(offset: number): void {
    this.#lost.value++
    if (this.#waiting.size > 1 && !this.#opaque) this.wants = WIDE
    this.#answering = undefined
    // The server answers what it has read in one go: all that waits was most likely answered in what was not seen.
    for (let exchange = this.#waiting.shift(); exchange !== undefined; exchange = this.#waiting.shift()) {
      exchange.truncated = true
      this.#begun(exchange, offset)
      this.#done(exchange, offset)
    }
  }

  #exchangeOf(command: Command, argumentCount: number, silent: boolean): RedisExchange {
    const attributes: Attributes = {
      [Attribute.dbSystemName]: 'redis',
      [Attribute.dbOperationName]: command.name,
      [Attribute.dbQueryText]: command.text(argumentCount),
    }
    if (this.#namespace !== undefined) attributes[Attribute.dbNamespace] = this.#namespace
    return {
      protocol: 'redis',
      initiator: 'client',
      shape: silent ? 'message' : 'call',
      name: command.name,
      attributes,
      clientError: undefined,
      serverError: undefined,
      contentKeys: NO_KEYS as ContentKey[],
      truncated: false,
      housekeeping: command.housekeeping,
      requestBodyBytes: undefined,
      follower: undefined,
      responseBodyBytes: undefined,
      tag: 1,
      command,
      answersLeft: 1,
      answered: false,
    }
  }

  #wait(exchange: RedisExchange): void {
    if (this.#waiting.push(exchange)) return
    this.#overflow.value++
    this.#abandonAll()
    this.#replies.adrift = true
    this.#sending = exchange
    this.#waiting.push(exchange)
  }

  /** What a command that has been sent changes. */
  #effectOf(exchange: RedisExchange, offset: number): void {
    switch (exchange.command.effect) {
      case 'client':
        this.#client(exchange, offset)
        return
      case 'reset':
        this.#namespace = '0'
        this.#repliesOff = this.#replies.subscribed = false
        break
      case 'replicate':
        if (exchange.shape === 'message') this.#done(exchange, offset)
        this.#becomeOpaque()
        return
      default:
    }
    if (exchange.shape === 'message') this.#done(exchange, offset)
  }

  /** As in the server: SKIP while replies are off changes nothing, ON is always answered. */
  #client(exchange: RedisExchange, offset: number): void {
    const mode = this.#clientAction === 'REPLY' ? this.#replyMode : ''
    const wasOff = this.#repliesOff
    if (mode === 'OFF') this.#repliesOff = true
    else if (mode === 'ON') this.#repliesOff = false
    else if (mode === 'SKIP' && !wasOff) this.#skipNext = true
    if (mode === 'ON' || (!wasOff && mode !== 'OFF' && mode !== 'SKIP')) return
    // Whoever answers before the command is there answers something else.
    if (this.#waiting.at(this.#waiting.size - 1) !== exchange) return
    if (this.#answering === exchange) this.#answering = undefined
    this.#waiting.pop()
    this.#done(exchange, offset)
  }

  #begun(exchange: RedisExchange, offset: number): void {
    if (exchange.answered) return
    exchange.answered = true
    this.#sink.responseBegin(exchange, offset)
  }

  #done(exchange: RedisExchange, offset: number): void {
    if (this.#sending === exchange) this.#sending = undefined
    this.#sink.end(exchange, offset)
  }

  #becomeOpaque(): void {
    this.#abandonAll()
    this.#opaque = true
    this.wants = NOTHING
  }

  #abandonAll(): void {
    if (this.#sending?.shape === 'message') this.#sink.abandon(this.#sending)
    this.#sending = this.#answering = undefined
    for (let exchange = this.#waiting.shift(); exchange !== undefined; exchange = this.#waiting.shift()) {
      this.#sink.abandon(exchange)
    }
  }
}

function databaseNumber(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = ''
  for (let i = start; i < end; i++) {
    if (bytes[i]! < 0x30 || bytes[i]! > 0x39) return undefined
    text += String.fromCharCode(bytes[i]!)
  }
  return text === '' ? undefined : text
}
