import { encodedInteger, lengthOfInteger, text, uint16 } from '../protocols/mysql/packets.js'
import { readQueryAttributes } from '../protocols/mysql/query-attributes.js'
import { MASKED } from './pseudonyms.js'

const TRACEPARENT = 'traceparent'
/** Bytes of the values of types that have a length of their own (COM_QUERY, binary protocol). */
const FIXED = new Map([
  [1, 1],
  [2, 2],
  [13, 2],
  [3, 4],
  [4, 4],
  [9, 4],
  [5, 8],
  [8, 8],
  [6, 0],
])
/** Types of which the length stands in one byte before the value. */
const DATES = new Set([7, 10, 11, 12])

/**
 * Masks the attributes in front of a query's text, which begin at `start`: their number, types and lengths stay, and a
 * `traceparent`. Returns where the text begins; −1 if the attributes are not all in bytes[start, end).
 */
export function maskQueryAttributes(bytes: Uint8Array, start: number, end: number): number {
  const { textStart } = readQueryAttributes(bytes, start, end)
  if (textStart < 0) return -1
  const count = encodedInteger(bytes, start, end)
  if (count === 0) return textStart
  const nulls = start + lengthOfInteger(bytes[start]!) + 1
  let i = nulls + ((count + 7) >> 3) + 1
  const attributes: { type: number; isTraceparent: boolean }[] = []
  for (let k = 0; k < count; k++) {
    const type = uint16(bytes, i) & 0xff
    i += 2
    const length = encodedInteger(bytes, i, end)
    i += lengthOfInteger(bytes[i]!)
    const isTraceparent = length === TRACEPARENT.length && text(bytes, i, i + length) === TRACEPARENT
    if (!isTraceparent) bytes.fill(MASKED, i, i + length)
    attributes.push({ type, isTraceparent })
    i += length
  }
  for (const [k, { type, isTraceparent }] of attributes.entries()) {
    if ((bytes[nulls + (k >> 3)]! & (1 << (k & 7))) !== 0) continue
    const fixed = FIXED.get(type)
    const prefix = fixed !== undefined ? 0 : DATES.has(type) ? 1 : lengthOfInteger(bytes[i]!)
    const length = fixed ?? (DATES.has(type) ? bytes[i]! : encodedInteger(bytes, i, end))
    i += prefix
    const isShown =
      isTraceparent && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(text(bytes, i, i + length))
    if (!isShown) bytes.fill(MASKED, i, i + length)
    i += length
  }
  return i
}
