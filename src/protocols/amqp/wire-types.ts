import { utf8 } from '../utf8.js'

/** AMQP 0-9-1, section 4.2.5: integers are big-endian; a short string has its length in one byte. */
export function uint16(bytes: Uint8Array, i: number): number {
  return (bytes[i]! << 8) | bytes[i + 1]!
}

export function uint32(bytes: Uint8Array, i: number): number {
  return ((bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!) >>> 0
}

/** Exact up to 2^53. */
export function uint64(bytes: Uint8Array, i: number): number {
  return uint32(bytes, i) * 4_294_967_296 + uint32(bytes, i + 4)
}

/** Behind the short string at i; more than `end` if it is not whole. */
export function afterShortString(bytes: Uint8Array, i: number, end: number): number {
  return i < end ? i + 1 + bytes[i]! : end + 1
}

const SLOTS = 1024
const names: (string | undefined)[] = new Array<string | undefined>(SLOTS).fill(undefined)

/**
 * The short string at i, empty if it is not whole. Exchanges, routing keys and consumer tags come again and again: a
 * name that was read before costs a comparison.
 */
export function shortString(bytes: Uint8Array, i: number, end: number): string {
  if (i >= end) return ''
  const start = i + 1
  const stop = start + bytes[i]!
  if (stop > end || stop === start) return ''
  let hash = stop - start
  for (let k = start; k < stop; k++) hash = Math.imul(hash ^ bytes[k]!, 0x01000193)
  const slot = (hash ^ (hash >>> 13)) & (SLOTS - 1)
  const known = names[slot]
  if (known !== undefined && isSame(known, bytes, start, stop)) return known
  const read = utf8(bytes, start, stop)
  names[slot] = read
  return read
}

function isSame(name: string, bytes: Uint8Array, start: number, stop: number): boolean {
  if (name.length !== stop - start) return false
  for (let k = 0; k < name.length; k++) {
    const byte = bytes[start + k]!
    // Characters beyond ASCII have several bytes: such names are read anew.
    if (byte >= 0x80 || name.charCodeAt(k) !== byte) return false
  }
  return true
}

/** Bytes of a field value, its type byte included, RabbitMQ's reading of the types; -1 if not whole or not known. */
export function fieldLength(bytes: Uint8Array, i: number, end: number): number {
  if (i >= end) return -1
  switch (bytes[i]) {
    case 0x74: // t boolean
    case 0x62: // b
    case 0x42: // B
      return 2
    case 0x73: // s
    case 0x75: // u
      return 3
    case 0x49: // I
    case 0x69: // i
    case 0x66: // f
      return 5
    case 0x44: // D decimal
      return 6
    case 0x6c: // l
    case 0x4c: // L
    case 0x64: // d
    case 0x54: // T timestamp
      return 9
    case 0x53: // S long string
    case 0x78: // x byte array
    case 0x41: // A array
    case 0x46: // F table
      return i + 5 > end ? -1 : 5 + uint32(bytes, i + 1)
    case 0x56: // V void
      return 1
    default:
      return -1
  }
}
