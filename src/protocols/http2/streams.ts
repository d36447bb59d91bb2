import type { Counters } from '../../telemetry/counters.js'
import { forwardKey } from '../http-request-keys.js'
import type { Exchange, ExchangeSink, Sender } from '../protocol.js'
import type { RouteTemplates } from '../route-templates.js'
import {
  describeRequest,
  describeRequestBody,
  describeResponse,
  describeResponseBody,
  errorCodeName,
  forwardHash,
} from './describe.js'
import type { HeaderFields } from './header-fields.js'

/** Most streams that are open at once; beyond it the oldest is given up. */
const MOST_OPEN = 4096
/** Streams that end after a loss before those that it left in doubt, and that were not heard of since, are given up. */
const ENDS_AFTER_LOSS = 16

/** Where a header block stands. */
export interface BlockPlace {
  readonly id: number
  /** Offset of the frame's first byte. */
  readonly offset: number
  /** False: the block goes on unseen. */
  readonly whole: boolean
  readonly endStream: boolean
}

interface Stream {
  readonly id: number
  readonly exchange: Exchange
  requestDone: boolean
  /** A head of the server's was seen that is not an interim one. */
  answered: boolean
  requestBytes: number
  responseBytes: number
  /** Frames of the direction were lost: bodies' lengths are not known. */
  requestLost: boolean
  responseLost: boolean
  /** Of what a proxy passes on; undefined once its key is told, or if it is not known. */
  hash: number | undefined
  /** Its end may have been among the bytes lost at this place of the server's stream. */
  inDoubt: { readonly offset: number; readonly timeNs: number } | undefined
}

/** The streams of one connection (RFC 9113, 5): one exchange each. */
export class Streams {
  /** Offset behind the last frame of the server's. */
  serverOffset = 0

  readonly #open = new Map<number, Stream>()
  readonly #sink: ExchangeSink
  readonly #counters: Counters
  readonly #routes: RouteTemplates
  #doubtful = 0
  #endedSinceLoss = 0
  /** Highest stream of the client's so far. */
  #highest = 0

  constructor(sink: ExchangeSink, counters: Counters, routes: RouteTemplates) {
    this.#sink = sink
    this.#counters = counters
    this.#routes = routes
  }

  count(cause: string): void {
    this.#counters.add(`protocols.http2.${cause}`)
  }

  isOpen(id: number): boolean {
    return this.#open.has(id)
  }

  requestHeaders({ id, offset, whole, endStream }: BlockPlace, fields: HeaderFields): void {
    const open = this.#open.get(id)
    if (open !== undefined) {
      if (!whole) open.exchange.truncated = true
      return
    }
    // Streams of the server's are pushed; a number that was used, or a block of a request's end, is no new request.
    const trailers = fields.pseudo === 0 && !fields.beginsUnknown && fields.count > 0
    if (id % 2 === 0 || id <= this.#highest || trailers) return
    this.#highest = id
    const exchange = describeRequest(fields, whole, this.#routes)
    const stream: Stream = {
      id,
      exchange,
      requestDone: false,
      answered: false,
      requestBytes: 0,
      responseBytes: 0,
      requestLost: false,
      responseLost: false,
      hash: forwardHash(fields),
      inDoubt: undefined,
    }
    const length = endStream ? 0 : fields.contentLength
    if (length >= 0) this.#tellForward(stream, length)
    if (this.#open.size >= MOST_OPEN) this.#dropOldest()
    this.#open.set(id, stream)
    this.#sink.begin(exchange, offset)
  }

  responseHeaders({ id, offset, whole, endStream }: BlockPlace, fields: HeaderFields): void {
    const stream = this.#open.get(id)
    if (stream === undefined) {
      if (id % 2 === 1) this.count('answer_without_request')
      return
    }
    this.#heardOf(stream)
    const interim = !endStream && !stream.answered && fields.status >= 100 && fields.status < 200
    if (interim) return
    if (!stream.answered) {
      stream.answered = true
      this.#sink.responseBegin(stream.exchange, offset)
    }
    describeResponse(stream.exchange, fields, whole)
  }

  /** @param offset of the frame's first byte */
  data(sender: Sender, id: number, bytes: number, offset: number): void {
    const stream = this.#open.get(id)
    if (stream === undefined) return
    if (sender === 'client') {
      stream.requestBytes += bytes
      return
    }
    stream.responseBytes += bytes
    this.#heardOf(stream)
    if (stream.answered) return
    // The answer's head was not seen.
    stream.answered = true
    stream.responseLost = true
    stream.exchange.truncated = true
    this.#sink.responseBegin(stream.exchange, offset)
  }

  /** The sender has ended its direction of the stream; `offset` is behind the frame that says so. */
  endOf(sender: Sender, id: number, offset: number): void {
    const stream = this.#open.get(id)
    if (stream === undefined) return
    if (sender === 'client') this.#endRequest(stream, offset)
    else if (stream.answered) this.#end(stream, offset)
    else this.#giveUp(stream)
  }

  /** RST_STREAM. @param code -1 if it was not seen */
  reset(sender: Sender, id: number, code: number, offset: number): void {
    const stream = this.#open.get(id)
    if (stream === undefined) return
    const { exchange } = stream
    const error = errorCodeName(code)
    exchange.clientError ??= error
    if (sender === 'server') {
      exchange.serverError ??= error
      if (!stream.answered) {
        stream.answered = true
        this.#sink.responseBegin(exchange, offset)
      }
    }
    if (stream.answered) this.#end(stream, sender === 'server' ? offset : Math.max(offset, this.serverOffset))
    else this.#giveUp(stream)
  }

  /** GOAWAY of the server's: it did not work on later streams, and will not. */
  goAway(last: number): void {
    for (const stream of [...this.#open.values()]) {
      if (stream.id <= last) continue
      stream.exchange.clientError ??= 'GOAWAY'
      this.#giveUp(stream)
    }
  }

  /** Frames of one direction were not seen; the next ones begin behind `offset`. */
  lost(sender: Sender, offset: number, timeNs: number): void {
    this.#endedSinceLoss = 0
    this.#doubtful = 0
    // What was taken for a stream's number before the place was lost need not have been one.
    if (sender === 'client') this.#highest = 0
    for (const stream of this.#open.values()) {
      stream.exchange.truncated = true
      if (sender === 'client') {
        stream.requestLost = true
        stream.hash = undefined
        continue
      }
      stream.responseLost = true
      stream.inDoubt ??= { offset, timeNs }
      this.#doubtful++
    }
  }

  abandonAll(): void {
    for (const stream of [...this.#open.values()]) this.#giveUp(stream)
  }

  #endRequest(stream: Stream, offset: number): void {
    if (stream.requestDone) return
    stream.requestDone = true
    if (!stream.requestLost) {
      describeRequestBody(stream.exchange, stream.requestBytes)
      this.#tellForward(stream, stream.requestBytes)
    }
    this.#sink.requestEnd(stream.exchange, offset)
  }

  #tellForward(stream: Stream, bodyBytes: number): void {
    if (stream.hash === undefined) return
    stream.exchange.contentKeys.push(forwardKey(stream.hash, bodyBytes))
    stream.hash = undefined
  }

  #end(stream: Stream, offset: number, timeNs?: number): void {
    if (!stream.responseLost) describeResponseBody(stream.exchange, stream.responseBytes)
    this.#open.delete(stream.id)
    this.#sink.end(stream.exchange, offset, timeNs)
    this.#clearDoubts()
  }

  /** No end will be seen; if it was among the bytes that were lost, that is when the answer ended. */
  #giveUp(stream: Stream): void {
    const { inDoubt } = stream
    this.#open.delete(stream.id)
    if (stream.answered && inDoubt !== undefined) {
      this.#sink.end(stream.exchange, inDoubt.offset, inDoubt.timeNs)
      return
    }
    this.count('unanswered')
    this.#sink.abandon(stream.exchange)
  }

  #heardOf(stream: Stream): void {
    if (stream.inDoubt === undefined) return
    stream.inDoubt = undefined
    this.#doubtful--
  }

  /** What a loss left in doubt, and was not heard of while others came and went, had its end in what was lost. */
  #clearDoubts(): void {
    if (this.#doubtful === 0 || ++this.#endedSinceLoss < ENDS_AFTER_LOSS) return
    this.#doubtful = 0
    for (const stream of [...this.#open.values()]) {
      if (stream.inDoubt !== undefined) this.#giveUp(stream)
    }
  }

  #dropOldest(): void {
    const oldest = this.#open.values().next().value
    if (oldest === undefined) return
    this.count('too_many_streams')
    this.#giveUp(oldest)
  }
}
