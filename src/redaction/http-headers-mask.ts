import { isTokenByte } from '../protocols/http/bytes.js'
import { latin1 } from '../protocols/latin1.js'
import { classifySegment } from '../protocols/path-segments.js'
import { KnownWords } from './known-words.js'
import { type Chain, MASKED, type Pseudonyms } from './pseudonyms.js'
import { RequestIdMask } from './request-id-mask.js'

const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const SPACE = 0x20
const TAB = 0x09
const COLON = 0x3a
const COMMA = 0x2c
const SEMICOLON = 0x3b

const LONGEST_NAME = 64
/** Longest value that frames a message and is believed. */
const LONGEST_VALUE = 256

/** What becomes of a header's value. */
const Kind = { hidden: 0, length: 1, words: 2, host: 3, traceparent: 4, id: 5 } as const

const KINDS = new Map<string, number>([
  ['content-length', Kind.length],
  ['transfer-encoding', Kind.words],
  ['connection', Kind.words],
  ['proxy-connection', Kind.words],
  ['keep-alive', Kind.hidden],
  ['upgrade', Kind.words],
  ['expect', Kind.words],
  ['te', Kind.words],
  ['host', Kind.host],
  ['traceparent', Kind.traceparent],
  ['b3', Kind.id],
  ['x-request-id', Kind.id],
  ['x-openstack-request-id', Kind.id],
])
/** Names that are recognised before their end has come. */
const NAMES = new KnownWords([...KINDS.keys()], { caseless: true })
/** Words that frame a message or change its connection's protocol. */
const WORDS = new KnownWords(
  'chunked gzip x-gzip deflate compress identity br zstd close keep-alive upgrade trailers 100-continue websocket h2c tls'.split(
    ' ',
  ),
  { caseless: true },
)
const HOST_CHARACTER = /[\w.\-:[\]]/
/** 2 hex digits, 32, 16, 2, joined by `-` (W3C Trace Context). */
const TRACEPARENT_DASHES = new Set([2, 35, 52])
const TRACEPARENT_LENGTH = 55

const Place = { line: 0, name: 1, value: 2, over: 3 } as const

/** Header lines up to the empty one, and trailers: names stay, values that frame the message, and ids in disguise. */
export class HttpHeadersMask {
  /** What the length headers have said so far; −1: nothing, −2: nothing that can be believed. */
  contentLength = -1
  transferCoded = false
  chunked = false
  expectsContinue = false
  upgrades = false

  readonly #hosts: Chain
  readonly #ids: RequestIdMask
  #place: number = Place.over
  #returned = false
  #letters = KnownWords.start
  #kind: number = Kind.hidden
  #name = ''
  #word: number = KnownWords.start
  #column = 0
  #text = ''
  #hostShown = false

  constructor(pseudonyms: Pseudonyms) {
    this.#hosts = pseudonyms.chain('http host')
    this.#ids = new RequestIdMask(pseudonyms)
  }

  begin(): void {
    this.contentLength = -1
    this.transferCoded = this.chunked = this.expectsContinue = this.upgrades = false
    this.#place = Place.line
    this.#returned = false
    this.#name = this.#text = ''
    this.#kind = Kind.hidden
  }

  get ended(): boolean {
    return this.#place === Place.over
  }

  /** Masks up to the end of the empty line; returns where that is, or `end`. */
  pass(bytes: Uint8Array, i: number, end: number): number {
    while (i < end && this.#place !== Place.over) {
      if (this.#place === Place.line) i = this.#line(bytes, i, end)
      else if (this.#place === Place.name) i = this.#inName(bytes, i, end)
      else i = this.#inValue(bytes, i, end)
    }
    return i
  }

  /** At the start of a line: the end of all lines, the line before goes on, or the next header. */
  #line(bytes: Uint8Array, i: number, end: number): number {
    const byte = bytes[i]!
    if (byte === LINE_FEED) {
      this.#finishValue()
      this.#place = Place.over
      return i + 1
    }
    if (byte === CARRIAGE_RETURN && !this.#returned) {
      this.#returned = true
      return i + 1
    }
    if (!this.#returned && (byte === SPACE || byte === TAB)) {
      this.#place = Place.value
      return i + 1
    }
    this.#finishValue()
    this.#returned = false
    this.#place = Place.name
    this.#name = ''
    this.#kind = Kind.hidden
    this.#letters = KnownWords.start
    return this.#wholeName(bytes, i, end)
  }

  /** A name that can be seen to its colon; otherwise it is read letter by letter. */
  #wholeName(bytes: Uint8Array, i: number, end: number): number {
    const limit = Math.min(end, i + LONGEST_NAME)
    let colon = i
    while (colon < limit && isTokenByte(bytes[colon]!)) colon++
    if (colon === limit || colon === i || bytes[colon] !== COLON) return i
    const name = latin1(bytes, i, colon)
    const kind = classifySegment(name)
    if (kind === 'secret' || kind === 'id') return i
    this.#beginValue(name.toLowerCase())
    return colon + 1
  }

  #inName(bytes: Uint8Array, i: number, end: number): number {
    for (; i < end; i++) {
      const byte = bytes[i]!
      if (byte === COLON) {
        this.#beginValue(NAMES.at(this.#letters) ?? '')
        return i + 1
      }
      if (byte === LINE_FEED) {
        this.#place = Place.line
        return i + 1
      }
      this.#letters = NAMES.step(this.#letters, byte)
      if (this.#letters === KnownWords.none && byte !== CARRIAGE_RETURN) bytes[i] = MASKED
    }
    return i
  }

  #beginValue(name: string): void {
    this.#place = Place.value
    this.#name = name
    this.#kind = KINDS.get(name) ?? Kind.hidden
    this.#column = 0
    this.#text = ''
    this.#word = KnownWords.start
    this.#hostShown = false
    this.#hosts.begin()
    this.#ids.begin()
  }

  #inValue(bytes: Uint8Array, i: number, end: number): number {
    if (this.#kind === Kind.host && this.#column === 0) this.#lookAtHost(bytes, i, end)
    for (; i < end; i++) {
      const byte = bytes[i]!
      if (byte === LINE_FEED) {
        this.#place = Place.line
        return i + 1
      }
      if (byte === CARRIAGE_RETURN || (this.#column === 0 && (byte === SPACE || byte === TAB))) continue
      bytes[i] = this.#valueByte(byte)
      this.#column++
    }
    return i
  }

  #valueByte(byte: number): number {
    switch (this.#kind) {
      case Kind.length:
        this.#remember(byte)
        return (byte >= 0x30 && byte <= 0x39) || byte === COMMA || byte === SPACE || byte === TAB ? byte : MASKED
      case Kind.words:
        return this.#wordByte(byte)
      case Kind.host:
        return this.#hostShown ? byte : this.#hosts.letter(byte)
      case Kind.traceparent:
        return this.#traceparentByte(byte)
      case Kind.id:
        return this.#ids.next(byte)
      default:
        return MASKED
    }
  }

  #remember(byte: number): void {
    if (this.#text.length <= LONGEST_VALUE) this.#text += String.fromCharCode(byte)
  }

  #wordByte(byte: number): number {
    this.#remember(byte)
    if (byte === SPACE || byte === TAB || byte === COMMA || byte === SEMICOLON) {
      this.#word = KnownWords.start
      return byte
    }
    this.#word = WORDS.step(this.#word, byte)
    return this.#word === KnownWords.none ? MASKED : byte
  }

  /** Shown if it can be seen whole and none of its labels may grant access. */
  #lookAtHost(bytes: Uint8Array, i: number, end: number): void {
    while (i < end && (bytes[i] === SPACE || bytes[i] === TAB)) i++
    let stop = i
    while (stop < end && HOST_CHARACTER.test(String.fromCharCode(bytes[stop]!))) stop++
    if (stop === end || (bytes[stop] !== CARRIAGE_RETURN && bytes[stop] !== LINE_FEED)) return
    this.#hostShown = latin1(bytes, i, stop)
      .split('.')
      .every(label => classifySegment(label) !== 'secret')
  }

  #traceparentByte(byte: number): number {
    const column = this.#column
    const isDash = TRACEPARENT_DASHES.has(column)
    const isHex = (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66)
    if (column < TRACEPARENT_LENGTH && (isDash ? byte === 0x2d : isHex)) return byte
    // Not what it says it is: nothing more of it is shown.
    this.#kind = Kind.hidden
    return MASKED
  }

  #finishValue(): void {
    const text = this.#text
    this.#text = ''
    if (text === '') return
    if (this.#name === 'content-length') this.contentLength = lengthAfter(this.contentLength, text)
    else if (this.#name === 'transfer-encoding') {
      this.transferCoded = true
      this.chunked = /(^|[\s,])chunked\s*$/i.test(text)
    } else if (this.#name === 'upgrade') this.upgrades = true
    else if (this.#name === 'expect') this.expectsContinue = /(^|[\s,])100-continue([\s,;]|$)/i.test(text)
  }
}

/** One number, or the same one several times (RFC 9112, 6.3). */
function lengthAfter(known: number, text: string): number {
  let length = known
  if (text.length > LONGEST_VALUE) return -2
  for (const item of text.split(',')) {
    const digits = item.trim()
    const value = /^\d{1,16}$/.test(digits) ? Number(digits) : -2
    if (value === -2 || !Number.isSafeInteger(value) || (length !== -1 && length !== value)) return -2
    length = value
  }
  return length
}
