import { Byte, equalsIgnoringCase, findLineFeed, isBlank, isDigit, lowerCaseWord } from './bytes.js'
import { findMethodEnd, findVersion } from './detect.js'

/** Most header lines of one message. */
const MOST_LINES = 256
/** Larger lengths are not exact in a number, and nobody sends them: 2^53 - 1. */
const LARGEST_LENGTH = Number.MAX_SAFE_INTEGER

/** Headers whose values are kept, by index into `MessageHead.values`. */
export const Header = {
  host: 0,
  contentLength: 1,
  transferEncoding: 2,
  connection: 3,
  upgrade: 4,
  expect: 5,
  userAgent: 6,
  traceparent: 7,
  b3: 8,
  requestId: 9,
  openstackRequestId: 10,
} as const

const NAMES: readonly (readonly [string, number])[] = [
  ['host', Header.host],
  ['content-length', Header.contentLength],
  ['transfer-encoding', Header.transferEncoding],
  ['connection', Header.connection],
  ['upgrade', Header.upgrade],
  ['expect', Header.expect],
  ['user-agent', Header.userAgent],
  ['traceparent', Header.traceparent],
  ['b3', Header.b3],
  ['x-request-id', Header.requestId],
  ['x-openstack-request-id', Header.openstackRequestId],
]

interface WantedName {
  readonly word: Uint8Array
  readonly header: number
}

/** Names by length, then by letters; and their first letters: most headers that nobody wants cost one look. */
const WANTED: WantedName[][] = Array.from({ length: 32 }, () => [])
const FIRST_LETTERS = new Uint8Array(256)
for (const [name, header] of NAMES) {
  WANTED[name.length]!.push({ word: lowerCaseWord(name), header })
  FIRST_LETTERS[name.charCodeAt(0)] = FIRST_LETTERS[name.toUpperCase().charCodeAt(0)] = 1
}

/** How a head was read; tooLong: it has more lines than are looked at. */
export const HeadState = { complete: 0, incomplete: 1, malformed: 2, tooLong: 3 } as const
export type HeadState = (typeof HeadState)[keyof typeof HeadState]

/** `MessageHead.contentLength` where there is none, or none that can be believed. */
export const ContentLength = { absent: -1, invalid: -2 } as const

/**
 * Start line and wanted headers of one message, as offsets into the bytes it was read from: valid until they change.
 * One object is used over and over.
 */
export class MessageHead {
  /** Offset behind the empty line. Where the head is cut: the end of its last whole line. */
  end = 0
  minorVersion = 1
  methodEnd = 0
  targetStart = 0
  targetEnd = 0
  /** The request line was seen to its end. */
  wholeStartLine = false
  status = 0
  contentLength: number = ContentLength.absent
  /** Bit i: the i-th wanted header is there, its value's offsets are 2i and 2i + 1 of `values`. */
  present = 0
  readonly values = new Int32Array(NAMES.length * 2)

  has(header: number): boolean {
    return (this.present & (1 << header)) !== 0
  }

  start(header: number): number {
    return this.values[header * 2]!
  }

  stop(header: number): number {
    return this.values[header * 2 + 1]!
  }

  reset(): void {
    this.present = 0
    this.contentLength = ContentLength.absent
    this.wholeStartLine = false
    this.status = 0
    this.minorVersion = 1
  }
}

/**
 * Reads a request's head from bytes[start, end), which begins at its first byte. If `incomplete`, `head` holds what
 * the lines that are there say; of a request line that is cut, the method and the part of the target.
 */
export function parseRequestHead(head: MessageHead, bytes: Uint8Array, start: number, end: number): HeadState {
  head.reset()
  const methodEnd = findMethodEnd(bytes, start, end)
  if (methodEnd === -1) return HeadState.malformed
  head.methodEnd = methodEnd
  head.targetStart = head.targetEnd = Math.min(end, methodEnd + 1)
  head.end = start
  const lineFeed = findLineFeed(bytes, methodEnd, end)
  if (lineFeed === -1) {
    head.targetEnd = end
    return HeadState.incomplete
  }
  const version = findVersion(bytes, methodEnd + 1, lineFeed)
  if (version === -1) return HeadState.malformed
  head.minorVersion = bytes[version + 7]! - Byte.zero
  head.targetEnd = version - 1
  head.wholeStartLine = true
  return parseHeaders(head, bytes, lineFeed + 1, end)
}

/** Reads a response's head likewise. */
export function parseResponseHead(head: MessageHead, bytes: Uint8Array, start: number, end: number): HeadState {
  head.reset()
  head.end = start
  const visible = Math.min(end - start, STATUS_LINE.length)
  for (let i = 0; i < visible; i++) {
    const byte = bytes[start + i]!
    const expected = STATUS_LINE[i]!
    if (expected === Byte.zero ? !isDigit(byte) : byte !== expected) return HeadState.malformed
  }
  if (visible < STATUS_LINE.length) return HeadState.incomplete
  head.minorVersion = bytes[start + 7]! - Byte.zero
  head.status =
    (bytes[start + 9]! - Byte.zero) * 100 + (bytes[start + 10]! - Byte.zero) * 10 + bytes[start + 11]! - Byte.zero
  const lineFeed = findLineFeed(bytes, start + STATUS_LINE.length, end)
  if (lineFeed === -1) return HeadState.incomplete
  head.wholeStartLine = true
  return parseHeaders(head, bytes, lineFeed + 1, end)
}

/** Zeros stand for any digit. */
const STATUS_LINE = lowerCaseWord('HTTP/1.0 000')

function parseHeaders(head: MessageHead, bytes: Uint8Array, start: number, end: number): HeadState {
  let line = start
  for (let count = 0; count < MOST_LINES; count++) {
    head.end = line
    if (line >= end) return HeadState.incomplete
    const first = bytes[line]!
    if (first === Byte.lineFeed) {
      head.end = line + 1
      return HeadState.complete
    }
    if (first === Byte.carriageReturn) {
      if (line + 1 === end) return HeadState.incomplete
      if (bytes[line + 1] === Byte.lineFeed) {
        head.end = line + 2
        return HeadState.complete
      }
    }
    const lineFeed = findLineEnd(bytes, line, end)
    if (lineFeed === -1) return HeadState.incomplete
    if (FIRST_LETTERS[first] === 1) readHeader(head, bytes, line, lineFeed)
    line = lineFeed + 1
  }
  return HeadState.tooLong
}

/**
 * The line feed that ends a header, its folded continuations included (obs-fold, RFC 9112, 5.2). -1 if it cannot be
 * seen yet.
 */
function findLineEnd(bytes: Uint8Array, start: number, end: number): number {
  let lineFeed = findLineFeed(bytes, start, end)
  while (lineFeed !== -1) {
    if (lineFeed + 1 === end) return -1
    if (!isBlank(bytes[lineFeed + 1]!)) return lineFeed
    lineFeed = findLineFeed(bytes, lineFeed + 1, end)
  }
  return -1
}

function readHeader(head: MessageHead, bytes: Uint8Array, start: number, lineFeed: number): void {
  // The colon first, but no further than a wanted name can reach.
  const limit = Math.min(lineFeed, start + WANTED.length)
  let colon = start
  while (colon < limit && bytes[colon] !== Byte.colon) colon++
  if (colon === limit) return
  for (const { word, header } of WANTED[colon - start]!) {
    if (!equalsIgnoringCase(bytes, start, word)) continue
    let valueStart = colon + 1
    let valueEnd = lineFeed
    while (valueStart < valueEnd && isSpace(bytes[valueStart]!)) valueStart++
    while (valueEnd > valueStart && isSpace(bytes[valueEnd - 1]!)) valueEnd--
    if (header === Header.contentLength) readContentLength(head, bytes, valueStart, valueEnd)
    // A second Transfer-Encoding continues the first; what counts is the last coding.
    if (!head.has(header) || header === Header.transferEncoding) {
      head.present |= 1 << header
      head.values[header * 2] = valueStart
      head.values[header * 2 + 1] = valueEnd
    }
    return
  }
}

const isSpace = (byte: number): boolean => isBlank(byte) || byte === Byte.carriageReturn || byte === Byte.lineFeed

/** One number, or the same number several times, separated by commas or in several headers (RFC 9112, 6.3). */
function readContentLength(head: MessageHead, bytes: Uint8Array, start: number, end: number): void {
  let value = ContentLength.absent as number
  let i = start
  while (i <= end) {
    let number = -1
    while (i < end && isSpace(bytes[i]!)) i++
    while (i < end && isDigit(bytes[i]!)) {
      number = Math.max(number, 0) * 10 + (bytes[i++]! - Byte.zero)
      if (number > LARGEST_LENGTH) number = Number.POSITIVE_INFINITY
    }
    while (i < end && isSpace(bytes[i]!)) i++
    const wellFormed = number >= 0 && number <= LARGEST_LENGTH && (i === end || bytes[i] === Byte.comma)
    if (!wellFormed || (value !== ContentLength.absent && value !== number)) {
      head.contentLength = ContentLength.invalid
      return
    }
    value = number
    i++
  }
  if (head.contentLength !== ContentLength.absent && head.contentLength !== value) value = ContentLength.invalid
  head.contentLength = value
}

/** Whether the list in bytes[start, end) ends in `word`: the last coding of Transfer-Encoding. */
export function lastListItemIs(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  const at = end - word.length
  if (at < start || !equalsIgnoringCase(bytes, at, word)) return false
  return at === start || isSpace(bytes[at - 1]!) || bytes[at - 1] === Byte.comma
}

/** Whether `word` is one of the items of the list in bytes[start, end). */
export function listHolds(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  for (let at = start; at + word.length <= end; at++) {
    const atStart = at === start || isSpace(bytes[at - 1]!) || bytes[at - 1] === Byte.comma
    if (!atStart || !equalsIgnoringCase(bytes, at, word)) continue
    const behind = at + word.length
    if (behind === end || isSpace(bytes[behind]!) || bytes[behind] === Byte.comma || bytes[behind] === Byte.semicolon) {
      return true
    }
  }
  return false
}
