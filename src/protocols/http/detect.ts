import type { Detection } from '../protocol.js'
import { Byte, findLineFeed, isDigit, isTokenByte, lowerCaseWord } from './bytes.js'

const NO: Detection = { match: 'no' }
const MAYBE_REQUEST: Detection = { match: 'maybe', sender: 'client' }
const REQUEST: Detection = { match: 'yes', sender: 'client' }
const MAYBE_RESPONSE: Detection = { match: 'maybe', sender: 'server' }
const RESPONSE: Detection = { match: 'yes', sender: 'server' }

const VERSION = lowerCaseWord('HTTP/1.')
/** `HTTP/1.1 200` */
const STATUS_LINE_START = 12
/** ` HTTP/1.1` */
const VERSION_LENGTH = 8
export const LONGEST_METHOD = 24
const FEWEST_TARGET_BYTES = 64

/**
 * A request line or a status line of HTTP/1.x at bytes[start, end). A request line whose end is not visible counts
 * when its target has the form of one and is long.
 */
export function detectHttp(bytes: Uint8Array, start: number, end: number): Detection {
  while (start < end && (bytes[start] === Byte.carriageReturn || bytes[start] === Byte.lineFeed)) start++
  if (start === end) return NO
  if (bytes[start] === VERSION[0] && startsLikeVersion(bytes, start, end)) return detectResponse(bytes, start, end)
  return detectRequest(bytes, start, end)
}

function startsLikeVersion(bytes: Uint8Array, start: number, end: number): boolean {
  const count = Math.min(end - start, VERSION.length)
  for (let i = 0; i < count; i++) if (bytes[start + i] !== VERSION[i]) return false
  return true
}

function detectResponse(bytes: Uint8Array, start: number, end: number): Detection {
  const count = Math.min(end - start, STATUS_LINE_START)
  for (let i = VERSION.length; i < count; i++) {
    const byte = bytes[start + i]!
    if (i === VERSION.length + 1 ? byte !== Byte.space : !isDigit(byte)) return NO
  }
  return count === STATUS_LINE_START ? RESPONSE : MAYBE_RESPONSE
}

function detectRequest(bytes: Uint8Array, start: number, end: number): Detection {
  const methodEnd = findMethodEnd(bytes, start, end)
  if (methodEnd === -1) return NO
  const lineFeed = findLineFeed(bytes, methodEnd, end)
  if (lineFeed !== -1) return findVersion(bytes, methodEnd + 1, lineFeed) === -1 ? NO : REQUEST
  // Commands in small letters belong to other text protocols, unless the line's end says otherwise.
  for (let i = start; i < methodEnd; i++) if (bytes[i]! >= 0x61 && bytes[i]! <= 0x7a) return NO
  if (methodEnd === end) return MAYBE_REQUEST
  const target = methodEnd + 1
  if (target === end) return MAYBE_REQUEST
  const first = bytes[target]!
  if (first < 0x21 || first === 0x7f) return NO
  for (let i = target; i < end; i++) if (bytes[i]! < Byte.space && bytes[i] !== Byte.carriageReturn) return NO
  return end - target >= FEWEST_TARGET_BYTES && first === Byte.slash ? REQUEST : MAYBE_REQUEST
}

/** Index of the space behind the method; `end` if what is there may become one; -1 if it cannot. */
export function findMethodEnd(bytes: Uint8Array, start: number, end: number): number {
  const limit = Math.min(end, start + LONGEST_METHOD)
  for (let i = start; i < limit; i++) {
    const byte = bytes[i]!
    if (byte === Byte.space) return i === start ? -1 : i
    if (!isTokenByte(byte)) return -1
  }
  return limit === end ? end : -1
}

/** Index of `HTTP/1.x` at the end of a request line that ends before `lineFeed`; -1 if it does not end so. */
export function findVersion(bytes: Uint8Array, start: number, lineFeed: number): number {
  let end = lineFeed
  while (end > start && (bytes[end - 1] === Byte.carriageReturn || bytes[end - 1] === Byte.space)) end--
  const version = end - VERSION_LENGTH
  if (version < start || !isDigit(bytes[end - 1]!)) return -1
  return startsLikeVersion(bytes, version, end) && bytes[version - 1] === Byte.space ? version : -1
}
