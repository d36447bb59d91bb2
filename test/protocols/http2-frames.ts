import { STATIC_TABLE } from '../../src/protocols/http2/static-table.js'

/** What HTTP/2 is made of, as bytes in latin-1 text, so that parts are joined with `+`. */
const byte = (...values: number[]): string => String.fromCharCode(...values.map(value => value & 0xff))
const uint32 = (value: number): string => byte(value >> 24, value >> 16, value >> 8, value)

export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

export const frame = (type: number, flags: number, id: number, payload = ''): string =>
  byte(payload.length >> 16, payload.length >> 8, payload.length, type, flags) + uint32(id) + payload

export interface FrameOptions {
  readonly endStream?: boolean
  readonly padding?: number
  readonly priority?: boolean
  /** The block is spread over CONTINUATION frames of this many bytes. */
  readonly split?: number
}

export function headers(id: number, block: string, options: FrameOptions = {}): string {
  const { endStream = false, padding, priority = false, split = block.length } = options
  const first = block.slice(0, split)
  const rest = block.slice(split)
  const flags = (endStream ? 1 : 0) | (rest === '' ? 4 : 0) | (padding === undefined ? 0 : 8) | (priority ? 32 : 0)
  const payload =
    (padding === undefined ? '' : byte(padding)) +
    (priority ? uint32(0) + byte(15) : '') +
    first +
    '\0'.repeat(padding ?? 0)
  let result = frame(1, flags, id, payload)
  for (let at = 0; at < rest.length; at += split) {
    result += frame(9, at + split >= rest.length ? 4 : 0, id, rest.slice(at, at + split))
  }
  return result
}

export function data(id: number, body: string, { endStream = false, padding }: FrameOptions = {}): string {
  const padded = padding === undefined ? body : byte(padding) + body + '\0'.repeat(padding)
  return frame(0, (endStream ? 1 : 0) | (padding === undefined ? 0 : 8), id, padded)
}

export const settings = (...values: [number, number][]): string =>
  frame(4, 0, 0, values.map(([id, value]) => byte(id >> 8, id) + uint32(value)).join(''))
export const settingsAck = frame(4, 1, 0)
export const reset = (id: number, code: number): string => frame(3, 0, id, uint32(code))
export const goAway = (last: number, code: number): string => frame(7, 0, 0, uint32(last) + uint32(code))
export const windowUpdate = (id: number, increment: number): string => frame(8, 0, id, uint32(increment))
export const ping = frame(6, 0, 0, '\0'.repeat(8))

const integer = (value: number, bits: number, pattern: number): string => {
  const most = (1 << bits) - 1
  if (value < most) return byte(pattern | value)
  let result = byte(pattern | most)
  let rest = value - most
  for (; rest >= 128; rest >>= 7) result += byte((rest & 0x7f) | 0x80)
  return result + byte(rest)
}
const text = (value: string): string => integer(value.length, 7, 0) + value

/** A field of the table by its place: static ones from 1 to 61, dynamic ones from 62, the newest. */
export const indexed = (index: number): string => integer(index, 7, 0x80)
/** The static table's entry for a name and value. */
export const known = (name: string, value: string): string =>
  indexed(1 + STATIC_TABLE.findIndex(([n, v]) => n === name && v === value))
/** A literal that goes into the table. */
export const added = (name: string, value: string): string => {
  const index = 1 + STATIC_TABLE.findIndex(([n]) => n === name)
  return index > 0 ? integer(index, 6, 0x40) + text(value) : byte(0x40) + text(name) + text(value)
}
/** A literal that does not. */
export const literal = (name: string, value: string): string => {
  const index = 1 + STATIC_TABLE.findIndex(([n]) => n === name)
  return index > 0 ? integer(index, 4, 0) + text(value) : byte(0) + text(name) + text(value)
}
export const tableSize = (size: number): string => integer(size, 5, 0x20)
