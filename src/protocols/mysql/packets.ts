import { utf8 } from '../utf8.js'

/**
 * Pieces that every MySQL packet is made of.
 *
 *     +----------------+----------+---------------------+
 *     | length: 3, LE  | sequence | payload             |   a payload of 0xffffff bytes goes on in the next packet
 *     +----------------+----------+---------------------+
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html
 */
export const HEADER = 4
/** Length of a packet that is continued by the next. */
export const FULL = 0xffffff

export function uint16(bytes: Uint8Array, i: number): number {
  return bytes[i]! | (bytes[i + 1]! << 8)
}

export function uint24(bytes: Uint8Array, i: number): number {
  return bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16)
}

export function uint32(bytes: Uint8Array, i: number): number {
  return (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)) >>> 0
}

/** Bytes that a length-encoded integer takes, by its first byte. 0xfb is NULL, 0xff is none. */
export function lengthOfInteger(first: number): number {
  if (first < 0xfc) return 1
  return first === 0xfc ? 3 : first === 0xfd ? 4 : first === 0xfe ? 9 : 1
}

/** A length-encoded integer in bytes[i, end); -1 if it is not whole, or larger than 2^32 - 1. */
export function encodedInteger(bytes: Uint8Array, i: number, end: number): number {
  if (i >= end) return -1
  const first = bytes[i]!
  if (first < 0xfb) return first
  if (i + lengthOfInteger(first) > end) return -1
  if (first === 0xfc) return uint16(bytes, i + 1)
  if (first === 0xfd) return uint24(bytes, i + 1)
  if (first === 0xfe && uint32(bytes, i + 5) === 0) return uint32(bytes, i + 1)
  return -1
}

/** Text up to a NUL, `end`, or 256 bytes. */
export function textUntilNul(bytes: Uint8Array, start: number, end: number): string {
  let i = start
  const limit = Math.min(end, start + 256)
  while (i < limit && bytes[i] !== 0) i++
  return text(bytes, start, i)
}

export function text(bytes: Uint8Array, start: number, end: number): string {
  return utf8(bytes, start, end)
}

/** Where the rows of an answer that begin at `start` and are here whole end, and the sequence number behind them. */
export function rowsEnd(bytes: Uint8Array, start: number, end: number, sequence: number): readonly [number, number] {
  let i = start
  let next = sequence
  while (end - i > HEADER) {
    const length = uint24(bytes, i)
    const stop = i + HEADER + length
    // From 0xfe on a first byte is no row's: the end of the rows, or an error.
    if (stop > end || length === 0 || length === FULL || bytes[i + HEADER]! >= 0xfe || bytes[i + 3] !== next) break
    next = (next + 1) & 0xff
    i = stop
  }
  return [i, next]
}
