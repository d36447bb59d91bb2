import type { InputStream } from '../input-stream.js'
import type { Detection, Exchange } from '../protocol.js'
import { BodyReader, BodyState } from './body.js'
import { Byte, findLineFeed, lowerCaseWord } from './bytes.js'
import { describeResponse } from './describe.js'
import { detectHttp } from './detect.js'
import { type Pairing, Tag } from './pair.js'
import { ContentLength, Header, HeadState, lastListItemIs, MessageHead, parseResponseHead } from './parse.js'
import { LONGEST_HEAD } from './request-reader.js'
import { Resync } from './resync.js'

const Step = { head: 0, body: 1, lost: 2 } as const

const CHUNKED = lowerCaseWord('chunked')
/** `HTTP/1.1 200` has been searched at least. */
const STATUS_LINE_LENGTH = 12
const SWITCHING_PROTOCOLS = 101

/** Used by all connections: what it holds does not outlive one call of `read`. */
const head = new MessageHead()

/** Reads the server's direction of one connection. */
export class ResponseReader {
  /** A head did not fit into what is copied. */
  sawCutHead = false

  #step: number
  #exchange: Exchange | undefined
  /** Where a head is that has begun and not ended. */
  #unfinished: InputStream | undefined
  #searched = 0
  #cut = false
  /** Offset behind the last byte seen of a body that only the connection's end ends, and when that came. */
  #bodyEnd = 0
  #bodyEndNs = 0
  readonly #body = new BodyReader()
  readonly #resync = new Resync('server')
  readonly #pairing: Pairing
  readonly #answered: (exchange: Exchange) => void

  /** @param answered called when an answer is complete and HTTP goes on. */
  constructor(pairing: Pairing, joined: boolean, answered: (exchange: Exchange) => void) {
    this.#pairing = pairing
    this.#answered = answered
    this.#step = joined ? Step.lost : Step.head
  }

  read(stream: InputStream): void {
    while (!this.#pairing.failed && this.#advance(stream));
  }

  /** The connection is closed: that ends a body without a length. */
  close(): void {
    if (this.#exchange !== undefined && this.#body.untilEnd) this.#end(this.#bodyEnd, this.#body.bytes)
    else if (this.#step === Step.head && this.#unfinished !== undefined) this.#endUnfinished(this.#unfinished)
  }

  /** The connection ends within a head: its status line is an answer all the same. */
  #endUnfinished(stream: InputStream): void {
    const { bytes, start, end } = stream
    if (start === end || this.#pairing.next === undefined) return
    const state = parseResponseHead(head, bytes, start, end)
    if (state !== HeadState.incomplete || !head.wholeStartLine || head.status < 200) return
    const exchange = this.#pairing.answer(stream.position)
    describeResponse(exchange, head, bytes)
    exchange.truncated = true
    stream.consume(stream.available)
    this.#pairing.endAnswer(exchange, stream.position, undefined)
  }

  /** One step; false when more bytes are needed. */
  #advance(stream: InputStream): boolean {
    if (stream.dropped > 0) {
      stream.dropped = 0
      this.#lose(stream)
    }
    switch (this.#step) {
      case Step.head:
        return this.#readHead(stream)
      case Step.body:
        return this.#readBody(stream)
      default:
        return this.#findResponse(stream)
    }
  }

  #readHead(stream: InputStream): boolean {
    const { bytes, end } = stream
    let { start } = stream
    while (start < end && (bytes[start] === Byte.carriageReturn || bytes[start] === Byte.lineFeed)) start++
    if (start > stream.start) stream.consume(start - stream.start)
    if (start === end) {
      if (stream.hole > 0) this.#lose(stream)
      return false
    }
    if (this.#nothingNew(stream)) return false
    const state = parseResponseHead(head, bytes, start, end)
    if (state === HeadState.malformed) {
      this.#giveUp(stream)
      return false
    }
    if (state === HeadState.incomplete && stream.hole === 0 && stream.available <= LONGEST_HEAD) {
      this.#searched = stream.available
      this.#unfinished = stream
      return false
    }
    this.#searched = 0
    this.#unfinished = undefined
    const isInterim = head.status >= 100 && head.status < 200 && head.status !== SWITCHING_PROTOCOLS
    if (isInterim) return this.#passInterim(stream, state)
    if (this.#pairing.next === undefined) {
      this.#pairing.orphan()
      this.#lost(stream, false)
      return false
    }
    if (state === HeadState.complete) this.#begin(stream)
    else this.#beginCut(stream)
    return true
  }

  #nothingNew(stream: InputStream): boolean {
    const searched = this.#searched
    if (searched < STATUS_LINE_LENGTH || stream.hole > 0 || stream.available > LONGEST_HEAD) return false
    if (findLineFeed(stream.bytes, stream.start + searched, stream.end) !== -1) return false
    this.#searched = stream.available
    return true
  }

  /** `100 Continue`, `103 Early Hints`: the final answer is still to come. */
  #passInterim(stream: InputStream, state: HeadState): boolean {
    const waiting = this.#pairing.next
    if (waiting !== undefined) waiting.tag |= Tag.continued
    if (state === HeadState.complete) stream.consume(head.end - stream.start)
    else this.#lost(stream, false)
    return true
  }

  #begin(stream: InputStream): void {
    const { bytes, start } = stream
    const exchange = this.#pairing.answer(stream.position)
    describeResponse(exchange, head, bytes)
    this.#exchange = exchange
    this.#cut = false
    const transferCoded = head.has(Header.transferEncoding)
    const chunked = transferCoded && endsInChunked(bytes)
    const hasBody = !isBodiless(exchange)
    stream.consume(head.end - start)
    if (changesProtocol(exchange)) {
      this.#end(stream.position, undefined)
      this.#pairing.fail()
    } else if (!hasBody) {
      this.#end(stream.position, 0)
    } else if (chunked) {
      this.#body.startChunks()
      this.#step = Step.body
    } else if (!transferCoded && head.contentLength >= 0) {
      this.#body.startLength(stream, head.contentLength)
      this.#step = Step.body
    } else {
      if (head.contentLength === ContentLength.invalid) this.#pairing.count('length_unknown')
      this.#body.startUntilEnd()
      this.#bodyEnd = stream.position
      this.#bodyEndNs = stream.timeNs
      this.#step = Step.body
      // Only another request can tell that the connection's end is not the body's.
      this.#answered(exchange)
    }
  }

  #beginCut(stream: InputStream): void {
    const exchange = this.#pairing.answer(stream.position)
    describeResponse(exchange, head, stream.bytes)
    exchange.truncated = true
    this.sawCutHead = true
    this.#pairing.count('head_cut')
    this.#exchange = exchange
    this.#cut = true
    if (changesProtocol(exchange)) {
      stream.resume()
      this.#end(stream.position, undefined)
      this.#pairing.fail()
    } else if (isBodiless(exchange) || head.contentLength <= 0) {
      this.#endCut(stream)
    } else {
      // The body ends a little behind this, in the same call: the rest of the head is short.
      stream.consume(stream.available)
      this.#body.startLength(stream, head.contentLength)
      this.#step = Step.body
    }
  }

  #readBody(stream: InputStream): boolean {
    const next = this.#body.untilEnd && this.#pairing.next !== undefined ? this.#nextBegins(stream) : 'no'
    if (next === 'maybe') return false
    if (next === 'yes') {
      this.#exchange!.truncated = true
      this.#end(this.#bodyEnd, this.#body.bytes, this.#bodyEndNs)
      return true
    }
    const state = this.#body.read(stream)
    if (state === BodyState.more) {
      if (this.#body.untilEnd) {
        this.#bodyEnd = stream.position
        this.#bodyEndNs = stream.timeNs
      }
      return false
    }
    if (state !== BodyState.done) {
      this.#pairing.count(state === BodyState.cut ? 'body_cut' : 'body_malformed')
      this.#endCut(stream)
    } else if (this.#cut) {
      this.#endCut(stream, this.#body.bytes)
    } else {
      this.#end(stream.position, this.#body.bytes)
    }
    return true
  }

  /** A body that the connection's end should end, and the client has sent another request: an answer begins here. */
  #nextBegins({ bytes, start, end, hole, ended }: InputStream): Detection['match'] {
    const { match, sender } = detectHttp(bytes, start, end)
    return sender !== 'server' || (match === 'maybe' && (hole > 0 || ended)) ? 'no' : match
  }

  #findResponse(stream: InputStream): boolean {
    if (!this.#resync.found(stream)) {
      if (stream.available === 0) this.#pairing.answersMissed()
      if (this.#resync.hopeless) this.#pairing.fail()
      return false
    }
    this.#step = Step.head
    return true
  }

  #end(offset: number, bodyBytes: number | undefined, timeNs?: number): void {
    const exchange = this.#exchange!
    this.#exchange = undefined
    this.#step = Step.head
    this.#pairing.endAnswer(exchange, offset, bodyBytes, timeNs)
    if (!changesProtocol(exchange)) this.#answered(exchange)
  }

  /** The answer's end is not exactly known: it is taken to be here, and a later call begins the next one. */
  #endCut(stream: InputStream, bodyBytes?: number): void {
    const exchange = this.#exchange!
    exchange.truncated = true
    this.#lost(stream, false)
    this.#pairing.endAnswer(exchange, stream.position, bodyBytes)
    this.#pairing.answersMissed()
    this.#answered(exchange)
  }

  /** Bytes are missing. */
  #lose(stream: InputStream): void {
    this.#pairing.count('answer_lost')
    if (this.#exchange !== undefined) {
      this.#endCut(stream)
      return
    }
    const offset = stream.position
    const next = this.#pairing.next
    this.#lost(stream, false)
    this.#pairing.answersUnseen(offset, stream.position)
    if (next !== undefined && (next.tag & Tag.answered) !== 0) this.#answered(next)
  }

  /** Where an answer ought to begin is something else: nothing that waits can be matched any more. */
  #giveUp(stream: InputStream): void {
    this.#pairing.count('not_an_answer')
    if (this.#pairing.completed === 0) {
      this.#pairing.fail()
      return
    }
    this.#pairing.abandonWaiting()
    this.#lost(stream, true)
  }

  #lost(stream: InputStream, stray: boolean): void {
    this.#exchange = undefined
    this.#searched = 0
    this.#step = Step.lost
    this.#resync.start(stream, stray)
  }
}

const endsInChunked = (bytes: Uint8Array): boolean =>
  lastListItemIs(bytes, head.start(Header.transferEncoding), head.stop(Header.transferEncoding), CHUNKED)

/** RFC 9112, 6.3: what these answers' headers say of a length is not about a body that follows. */
function isBodiless(exchange: Exchange): boolean {
  return (exchange.tag & Tag.head) !== 0 || head.status === 204 || head.status === 304
}

/** After `101 Switching Protocols`, and after a CONNECT that succeeded, the bytes are another protocol's. */
function changesProtocol(exchange: Exchange): boolean {
  const status = exchange.attributes['http.response.status_code']
  if (status === SWITCHING_PROTOCOLS) return true
  return (exchange.tag & Tag.connect) !== 0 && typeof status === 'number' && status >= 200 && status < 300
}
