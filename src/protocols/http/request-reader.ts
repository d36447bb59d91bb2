import { forwardKey } from '../http-request-keys.js'
import type { InputStream } from '../input-stream.js'
import type { Exchange } from '../protocol.js'
import type { RouteTemplates } from '../route-templates.js'
import { BodyReader, BodyState } from './body.js'
import { Byte, findLineFeed, lowerCaseWord } from './bytes.js'
import { bodyTells, describeOperation, describeRequest, forwardHash } from './describe.js'
import { detectHttp, LONGEST_METHOD } from './detect.js'
import { type Pairing, Tag } from './pair.js'
import { ContentLength, Header, HeadState, lastListItemIs, listHolds, MessageHead, parseRequestHead } from './parse.js'
import { Resync } from './resync.js'

/** A head that is longer is read as far as this and then taken for cut. */
export const LONGEST_HEAD = 32_768

const Step = { head: 0, body: 1, awaitBody: 2, awaitAnswer: 3, lost: 4 } as const

const CHUNKED = lowerCaseWord('chunked')
const CONTINUE = lowerCaseWord('100-continue')

/** Used by all connections: what it holds does not outlive one call of `read`. */
const head = new MessageHead()

/** Reads the client's direction of one connection. */
export class RequestReader {
  /** A head did not fit into what is copied. */
  sawCutHead = false

  #step: number
  /** Whose body is read, or whose answer decides how to read on. */
  #exchange: Exchange | undefined
  /** Bytes of an incomplete head that have been searched. */
  #searched = 0
  /** The head was cut: where its body ends is not exactly known. */
  #cut = false
  #hash = 0
  /** Of a body that waits for `100 Continue`, or whose first bytes are to be looked at. */
  #length = 0
  #chunked = false
  /** Bytes that came before an answer that decides what they are. */
  #held: InputStream | undefined
  readonly #body = new BodyReader()
  readonly #resync = new Resync('client')
  readonly #pairing: Pairing
  readonly #routes: RouteTemplates

  constructor(pairing: Pairing, routes: RouteTemplates, joined: boolean) {
    this.#pairing = pairing
    this.#routes = routes
    this.#step = joined ? Step.lost : Step.head
  }

  read(stream: InputStream): void {
    while (!this.#pairing.failed && this.#advance(stream));
  }

  /** The answer to `exchange` is complete, and the connection goes on with HTTP. */
  answered(exchange: Exchange): void {
    if (this.#step !== Step.awaitAnswer || this.#exchange !== exchange) return
    this.#exchange = undefined
    this.#step = Step.head
    const held = this.#held
    this.#held = undefined
    if (held !== undefined && held.available > 0) this.read(held)
  }

  /** One step; false when more bytes are needed. */
  #advance(stream: InputStream): boolean {
    if (stream.dropped > 0 && this.#step !== Step.awaitAnswer) {
      stream.dropped = 0
      this.#lose(stream)
    }
    switch (this.#step) {
      case Step.head:
        return this.#readHead(stream)
      case Step.body:
        return this.#readBody(stream)
      case Step.awaitBody:
        return this.#readAfterExpect(stream)
      case Step.awaitAnswer:
        if ((this.#exchange!.tag & Tag.ended) !== 0) {
          // Its answer was given up: whether HTTP goes on must be seen.
          this.#exchange = undefined
          this.#held = undefined
          this.#step = Step.lost
          return true
        }
        this.#held = stream
        return false
      default:
        return this.#findRequest(stream)
    }
  }

  #readHead(stream: InputStream): boolean {
    const { bytes, end } = stream
    let { start } = stream
    // Empty lines before a request line are to be ignored (RFC 9112, 2.2).
    while (start < end && (bytes[start] === Byte.carriageReturn || bytes[start] === Byte.lineFeed)) start++
    if (start > stream.start) stream.consume(start - stream.start)
    if (start === end) {
      if (stream.hole > 0) this.#lose(stream)
      return false
    }
    if (this.#nothingNew(stream)) return false
    const state = parseRequestHead(head, bytes, start, end)
    if (state === HeadState.malformed) {
      this.#giveUp(stream)
      return false
    }
    if (state === HeadState.incomplete && stream.hole === 0 && stream.available <= LONGEST_HEAD) {
      this.#searched = stream.available
      return false
    }
    this.#searched = 0
    if (state === HeadState.complete) this.#begin(stream)
    else this.#beginCut(stream)
    return true
  }

  /** True if a head that was incomplete has got no further line since. */
  #nothingNew(stream: InputStream): boolean {
    const searched = this.#searched
    if (searched <= LONGEST_METHOD || stream.hole > 0 || stream.available > LONGEST_HEAD) return false
    if (findLineFeed(stream.bytes, stream.start + searched, stream.end) !== -1) return false
    this.#searched = stream.available
    return true
  }

  #begin(stream: InputStream): void {
    const { bytes, start } = stream
    // A CONNECT has no body, whatever its headers say (RFC 9110, 9.3.6): what follows is for the far end.
    const isConnect = isConnectRequest(bytes, start)
    const transferCoded = !isConnect && head.has(Header.transferEncoding)
    const length = transferCoded || isConnect ? ContentLength.absent : head.contentLength
    const bodyBytes = transferCoded ? undefined : Math.max(0, length)
    const exchange = describeRequest(head, bytes, start, this.#routes, true, bodyBytes)
    // Of a body in chunks the length is known when it has passed.
    if (transferCoded) this.#hash = forwardHash(head, bytes, start)
    this.#exchange = exchange
    this.#cut = false
    exchange.tag = requestTag(exchange, bytes)
    this.#chunked = transferCoded && endsInChunked(bytes)
    const upgrades = head.has(Header.upgrade) || isConnect
    this.#pairing.begin(exchange, stream.position)
    stream.consume(head.end - start)
    if (this.#chunked) {
      this.#body.startChunks()
      this.#step = exchange.tag & Tag.expect ? Step.awaitBody : Step.body
    } else if (transferCoded || length === ContentLength.invalid) {
      // Nobody can say where such a request ends (RFC 9112, 6.3); servers refuse it and close.
      this.#pairing.count('length_unknown')
      this.#endCut(stream)
    } else if (length > 0) {
      this.#startLength(stream, length, exchange)
    } else {
      this.#end(stream.position, 0)
      if (upgrades) {
        this.#exchange = exchange
        this.#step = Step.awaitAnswer
      }
    }
  }

  #startLength(stream: InputStream, length: number, exchange: Exchange): void {
    const tells = bodyTells(exchange, this.#routes)
    const isYetToCome = stream.available === 0 && stream.hole === 0
    if ((exchange.tag & Tag.expect) !== 0 || (tells && isYetToCome)) {
      this.#length = length
      this.#step = Step.awaitBody
    } else {
      if (tells) describeOperation(exchange, this.#routes, stream.bytes, stream.start, stream.end)
      this.#body.startLength(stream, length)
      this.#step = Step.body
    }
  }

  /** A head of which the rest was not copied, or is too long: what is there is told. */
  #beginCut(stream: InputStream): void {
    const { bytes, start } = stream
    const exchange = describeRequest(head, bytes, start, this.#routes, false)
    exchange.tag = requestTag(exchange, bytes) & ~Tag.expect
    this.sawCutHead = true
    this.#pairing.count('head_cut')
    this.#pairing.begin(exchange, stream.position)
    this.#exchange = exchange
    this.#cut = true
    const length = (exchange.tag & Tag.connect) !== 0 ? 0 : head.contentLength
    if (length <= 0) {
      this.#endCut(stream)
      return
    }
    // The body ends a little behind this, in the same call: the rest of the head is short.
    stream.consume(stream.available)
    this.#body.startLength(stream, length)
    this.#chunked = false
    this.#step = Step.body
  }

  #readBody(stream: InputStream): boolean {
    const state = this.#body.read(stream)
    if (state === BodyState.more) return false
    if (state !== BodyState.done) {
      this.#pairing.count(state === BodyState.cut ? 'body_cut' : 'body_malformed')
      this.#endCut(stream)
      return true
    }
    const exchange = this.#exchange!
    if (this.#chunked) exchange.contentKeys.push(forwardKey(this.#hash, this.#body.bytes))
    if (this.#cut) this.#endCut(stream, this.#body.bytes)
    else this.#end(stream.position, this.#body.bytes)
    return true
  }

  /** The client may send the body, or, after an answer other than `100 Continue`, its next request instead. */
  #readAfterExpect(stream: InputStream): boolean {
    const exchange = this.#exchange!
    const { bytes, start, end } = stream
    if (start === end && stream.hole === 0) return false
    if ((exchange.tag & Tag.answered) !== 0 && (exchange.tag & Tag.continued) === 0) {
      const { match, sender } = detectHttp(bytes, start, end)
      if (sender === 'client') {
        if (match === 'maybe' && stream.hole === 0) return false
        this.#exchange = undefined
        this.#step = Step.head
        return true
      }
    }
    if (bodyTells(exchange, this.#routes)) describeOperation(exchange, this.#routes, bytes, start, end)
    if (!this.#chunked) this.#body.startLength(stream, this.#length)
    this.#step = Step.body
    return true
  }

  #findRequest(stream: InputStream): boolean {
    if (this.#resync.found(stream)) {
      this.#step = Step.head
      return true
    }
    if (this.#resync.hopeless) this.#pairing.fail()
    return false
  }

  #end(offset: number, bodyBytes: number | undefined): void {
    this.#pairing.endRequest(this.#exchange!, offset, bodyBytes)
    this.#exchange = undefined
    this.#step = Step.head
  }

  /** The request's end is not exactly known: it is taken to be here, and the next call may begin another one. */
  #endCut(stream: InputStream, bodyBytes?: number): void {
    const exchange = this.#exchange!
    exchange.truncated = true
    this.#lost(stream, false)
    this.#pairing.endRequest(exchange, stream.position, bodyBytes)
  }

  /** Bytes are missing. */
  #lose(stream: InputStream): void {
    this.#pairing.count('request_lost')
    if (this.#exchange !== undefined) {
      this.#endCut(stream)
      return
    }
    this.#lost(stream, false)
    this.#pairing.requestsUnseen()
  }

  /** Where a request ought to begin is something else. */
  #giveUp(stream: InputStream): void {
    this.#pairing.count('not_a_request')
    if (this.#pairing.completed === 0) this.#pairing.fail()
    else this.#lost(stream, true)
  }

  #lost(stream: InputStream, stray: boolean): void {
    this.#exchange = undefined
    this.#searched = 0
    this.#step = Step.lost
    this.#resync.start(stream, stray)
  }
}

function requestTag(exchange: Exchange, bytes: Uint8Array): number {
  const method = exchange.attributes['http.request.method']
  let tag = 0
  if (method === 'HEAD') tag |= Tag.head
  if (method === 'CONNECT') tag |= Tag.connect
  const { expect } = Header
  if (head.has(expect) && listHolds(bytes, head.start(expect), head.stop(expect), CONTINUE)) tag |= Tag.expect
  return tag
}

const CONNECT = new Uint8Array(Buffer.from('CONNECT', 'latin1'))

function isConnectRequest(bytes: Uint8Array, start: number): boolean {
  if (head.methodEnd - start !== CONNECT.length) return false
  let i = 0
  while (i < CONNECT.length && bytes[start + i] === CONNECT[i]) i++
  return i === CONNECT.length
}

const endsInChunked = (bytes: Uint8Array): boolean =>
  lastListItemIs(bytes, head.start(Header.transferEncoding), head.stop(Header.transferEncoding), CHUNKED)
