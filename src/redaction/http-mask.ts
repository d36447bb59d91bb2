import { detectHttp, findVersion } from '../protocols/http/detect.js'
import { latin1 } from '../protocols/latin1.js'
import type { Sender } from '../protocols/protocol.js'
import { HttpBodyMask } from './http-body-mask.js'
import { HttpHeadersMask } from './http-headers-mask.js'
import { HttpTargetMask } from './http-target-mask.js'
import { KnownWords } from './known-words.js'
import type { DirectionMask, MaskOptions, ProtocolMask } from './protocol-mask.js'
import { MASKED, UNREAD } from './pseudonyms.js'

const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const SPACE = 0x20

/** IANA's registry of methods: they may be shown before their end has come. */
const METHODS = new KnownWords(
  (
    'GET POST PUT DELETE HEAD OPTIONS PATCH CONNECT TRACE QUERY PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK SEARCH ' +
    'REPORT PURGE BIND UNBIND REBIND ACL MERGE LINK UNLINK CHECKIN CHECKOUT LABEL MKACTIVITY MKCALENDAR MKWORKSPACE ' +
    'ORDERPATCH UNCHECKOUT UPDATE UPDATEREDIRECTREF VERSION-CONTROL BASELINE-CONTROL MKREDIRECTREF NOTIFY SUBSCRIBE ' +
    'UNSUBSCRIBE M-SEARCH'
  ).split(' '),
)
const OTHER_METHOD = /^[A-Z][A-Z_-]{0,23}$/
const LONGEST_METHOD = 24
/** A letter that may stand in a method's place. */
const METHOD_MASKED = 0x58
const VERSION = 'HTTP/1.'
const STATUS_LINE = 'HTTP/1.0 000'
const LONGEST_LOOK = 256
const MOST_WAITING = 1024

/** A request that waits for its answer. */
interface Waiting {
  readonly isHead: boolean
  readonly isConnect: boolean
  /** The status of its final answer; 0 until then. */
  status: number
  continued: boolean
}

/** What both directions know: requests in order, and whether the connection still speaks HTTP. */
interface Dialogue {
  readonly waiting: Waiting[]
  isOver: boolean
}

export function createHttpMask(options: MaskOptions): ProtocolMask {
  const dialogue: Dialogue = { waiting: [], isOver: false }
  return { client: new RequestMask(options, dialogue), server: new ResponseMask(options, dialogue) }
}

/** Whether a message of the sender begins at bytes[start]: 'maybe' where too little of it is there to be sure. */
function beginning(sender: Sender, bytes: Uint8Array, start: number, end: number): 'no' | 'maybe' | 'yes' {
  const detection = detectHttp(bytes, start, Math.min(end, start + LONGEST_LOOK))
  return detection.sender === sender ? detection.match : 'no'
}

const At = { start: 0, method: 1, target: 2, version: 3, headers: 4, body: 5, expect: 6, answer: 7, lost: 8 } as const

class RequestMask implements DirectionMask {
  readonly #dialogue: Dialogue
  readonly #target: HttpTargetMask
  readonly #headers: HttpHeadersMask
  readonly #body: HttpBodyMask
  #at: number
  #method = ''
  #letters: number = KnownWords.start
  #shown = false
  /** Characters of the version that have matched; −1: it is something else. */
  #version = 0
  #request: Waiting | undefined

  constructor({ pseudonyms, lost }: MaskOptions, dialogue: Dialogue) {
    this.#dialogue = dialogue
    this.#target = new HttpTargetMask(pseudonyms)
    this.#headers = new HttpHeadersMask(pseudonyms)
    this.#body = new HttpBodyMask(pseudonyms)
    this.#at = lost.client ? At.lost : At.start
  }

  pass(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return
    this.#findWay(bytes, start, end)
    for (let i = start; i < end; ) {
      if (this.#dialogue.isOver || this.#at === At.lost || this.#at === At.answer) {
        bytes.fill(UNREAD, i, end)
        return
      }
      i = this.#step(bytes, i, end)
    }
  }

  hole(count: number): void {
    if (this.#at === At.expect) this.#beginBody()
    if (this.#at === At.body && this.#body.hole(count)) {
      if (this.#body.ended) this.#at = At.start
    } else if (this.#at !== At.answer) {
      // A request whose head is cut is answered like any other.
      if (this.#at >= At.method && this.#at <= At.headers) this.#awaitAnswer()
      this.#lose()
    }
  }

  /** Where a call begins, what the answers have said meanwhile may count. */
  #findWay(bytes: Uint8Array, start: number, end: number): void {
    if (this.#at !== At.lost && this.#at !== At.answer && this.#at !== At.expect) return
    const begins = beginning('client', bytes, start, end)
    if (this.#at !== At.expect) {
      if (begins === 'yes') this.#at = At.start
      return
    }
    const request = this.#request
    // After any answer but 100 Continue the body may be left out.
    const isRefused = request !== undefined && request.status !== 0 && !request.continued
    if (isRefused && begins !== 'no') this.#at = At.start
    else this.#beginBody()
  }

  #step(bytes: Uint8Array, i: number, end: number): number {
    switch (this.#at) {
      case At.start:
        return this.#inStart(bytes, i, end)
      case At.method:
        return this.#inMethod(bytes, i)
      case At.target:
        i = this.#target.pass(bytes, i, end)
        if (i === end) return i
        if (bytes[i] !== SPACE) return this.#lose(bytes, i)
        this.#version = 0
        this.#at = At.version
        return i + 1
      case At.version:
        return this.#inVersion(bytes, i)
      case At.headers:
        i = this.#headers.pass(bytes, i, end)
        if (this.#headers.ended) this.#endHead()
        return i
      case At.expect:
        this.#beginBody()
        return i
      default: {
        const next = this.#body.pass(bytes, i, end)
        if (next < 0) return this.#lose(bytes, i)
        if (this.#body.ended) this.#at = At.start
        return next
      }
    }
  }

  #inStart(bytes: Uint8Array, i: number, end: number): number {
    if (bytes[i] === CARRIAGE_RETURN || bytes[i] === LINE_FEED) return i + 1
    this.#at = At.method
    this.#method = ''
    this.#letters = KnownWords.start
    this.#shown = false
    // A method that few know is shown where the whole line says that it is one.
    const space = bytes.subarray(i, Math.min(end, i + LONGEST_METHOD + 1)).indexOf(SPACE)
    if (space > 0 && OTHER_METHOD.test(latin1(bytes, i, i + space))) {
      const lineFeed = bytes.subarray(i, end).indexOf(LINE_FEED)
      this.#shown = lineFeed > 0 && findVersion(bytes, i + space + 1, i + lineFeed) >= 0
    }
    return i
  }

  #inMethod(bytes: Uint8Array, i: number): number {
    const byte = bytes[i]!
    if (byte === SPACE) {
      this.#target.begin(this.#method === 'CONNECT')
      this.#at = At.target
      return i + 1
    }
    if (byte < SPACE || this.#method.length >= LONGEST_METHOD) return this.#lose(bytes, i)
    this.#method += String.fromCharCode(byte)
    this.#letters = METHODS.step(this.#letters, byte)
    if (!this.#shown && this.#letters === KnownWords.none) bytes[i] = METHOD_MASKED
    return i + 1
  }

  #inVersion(bytes: Uint8Array, i: number): number {
    const byte = bytes[i]!
    if (byte === LINE_FEED) {
      if (this.#version !== VERSION.length + 1) return this.#lose(bytes, i)
      this.#headers.begin()
      this.#at = At.headers
    } else if (byte === SPACE) this.#version = this.#version === VERSION.length + 1 ? this.#version : 0
    else if (byte !== CARRIAGE_RETURN) {
      this.#version = follow(VERSION, this.#version, byte)
      if (this.#version < 0) bytes[i] = MASKED
    }
    return i + 1
  }

  #endHead(): void {
    const { isConnect } = this.#awaitAnswer()
    const { chunked, transferCoded, contentLength, expectsContinue, upgrades } = this.#headers
    // A CONNECT has no body, whatever its headers say (RFC 9110, 9.3.6).
    if (isConnect) this.#at = At.answer
    // Nobody can say where such a request ends (RFC 9112, 6.3).
    else if (!chunked && (transferCoded || contentLength === -2)) this.#at = At.lost
    else if (!chunked && contentLength <= 0) this.#at = upgrades ? At.answer : At.start
    else if (expectsContinue) this.#at = At.expect
    else this.#beginBody()
  }

  #awaitAnswer(): Waiting {
    const { waiting } = this.#dialogue
    const request: Waiting = {
      isHead: this.#method === 'HEAD',
      isConnect: this.#method === 'CONNECT',
      status: 0,
      continued: false,
    }
    if (waiting.length >= MOST_WAITING) waiting.length = 0
    waiting.push(request)
    this.#request = request
    return request
  }

  #beginBody(): void {
    if (this.#headers.chunked) this.#body.beginChunks()
    else this.#body.beginLength(this.#headers.contentLength)
    this.#at = At.body
  }

  /** What comes cannot be read before a call begins with a request. */
  #lose(bytes?: Uint8Array, i = 0): number {
    this.#at = At.lost
    if (bytes !== undefined) bytes[i] = UNREAD
    return i + 1
  }
}

class ResponseMask implements DirectionMask {
  readonly #dialogue: Dialogue
  readonly #headers: HttpHeadersMask
  readonly #body: HttpBodyMask
  #at: number
  #column = 0
  #status = 0

  constructor({ pseudonyms, lost }: MaskOptions, dialogue: Dialogue) {
    this.#dialogue = dialogue
    this.#headers = new HttpHeadersMask(pseudonyms)
    this.#body = new HttpBodyMask(pseudonyms)
    this.#at = lost.server ? At.lost : At.start
  }

  pass(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return
    if (this.#at === At.lost && beginning('server', bytes, start, end) === 'yes') this.#begin()
    for (let i = start; i < end; ) {
      if (this.#dialogue.isOver || this.#at === At.lost) {
        bytes.fill(UNREAD, i, end)
        return
      }
      i = this.#step(bytes, i, end)
    }
  }

  hole(count: number): void {
    if (this.#at !== At.body || !this.#body.hole(count)) this.#at = At.lost
    else if (this.#body.ended) this.#begin()
    // Of several requests the last one is still to be answered.
    if (this.#at === At.lost) this.#dialogue.waiting.splice(0, this.#dialogue.waiting.length - 1)
  }

  #begin(): void {
    this.#at = At.start
    this.#column = 0
    this.#status = 0
  }

  #step(bytes: Uint8Array, i: number, end: number): number {
    switch (this.#at) {
      case At.start:
        return this.#inStatusLine(bytes, i)
      case At.headers:
        i = this.#headers.pass(bytes, i, end)
        if (this.#headers.ended) this.#endHead()
        return i
      default: {
        const next = this.#body.pass(bytes, i, end)
        if (next < 0) this.#at = At.lost
        else if (this.#body.ended) this.#begin()
        return next < 0 ? i : next
      }
    }
  }

  #inStatusLine(bytes: Uint8Array, i: number): number {
    const byte = bytes[i]!
    const column = this.#column
    if (column === 0 && (byte === CARRIAGE_RETURN || byte === LINE_FEED)) return i + 1
    this.#column++
    if (column < STATUS_LINE.length) {
      const expected = STATUS_LINE.charCodeAt(column)
      const fits = expected === 0x30 ? byte >= 0x30 && byte <= 0x39 : byte === expected
      if (!fits) {
        this.#at = At.lost
        return i
      }
      if (column > VERSION.length + 1) this.#status = this.#status * 10 + byte - 0x30
    } else if (byte === LINE_FEED) {
      this.#headers.begin()
      this.#at = At.headers
    } else if (byte !== CARRIAGE_RETURN && byte !== SPACE) bytes[i] = MASKED
    return i + 1
  }

  #endHead(): void {
    const status = this.#status
    const { waiting } = this.#dialogue
    if (status >= 100 && status < 200 && status !== 101) {
      const next = waiting[0]
      if (next !== undefined) next.continued = true
      this.#begin()
      return
    }
    const request = waiting.shift()
    if (request === undefined) {
      // Nobody knows whether a body follows.
      this.#at = At.lost
      return
    }
    request.status = status
    const { chunked, transferCoded, contentLength } = this.#headers
    if (status === 101 || (request.isConnect && status >= 200 && status < 300)) this.#dialogue.isOver = true
    else if (request.isHead || status === 204 || status === 304) this.#begin()
    else {
      this.#at = At.body
      if (chunked) this.#body.beginChunks()
      else if (!transferCoded && contentLength >= 0) this.#body.beginLength(contentLength)
      else this.#body.beginUntilEnd()
      if (this.#body.ended) this.#begin()
    }
  }
}

/** The place behind one more byte of `HTTP/1.` and a digit; −1 for anything else. */
function follow(text: string, place: number, byte: number): number {
  if (place < 0 || place > text.length) return -1
  const fits = place === text.length ? byte >= 0x30 && byte <= 0x39 : byte === text.charCodeAt(place)
  return fits ? place + 1 : -1
}
