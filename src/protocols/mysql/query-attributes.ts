import { encodedInteger, lengthOfInteger, text, uint16 } from './packets.js'

/** What stands before the text of a COM_QUERY when both ends agreed on CLIENT_QUERY_ATTRIBUTES. */
export interface QueryAttributes {
  /** Where the text begins; -1 if the attributes are not whole. */
  textStart: number
  traceparent: string | undefined
}

const MOST = 1024

/**
 *     count  set count (1)  [ NULL bitmap  1  { type: 2, name } * count  { value } * count ]  text
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html
 */
export function readQueryAttributes(bytes: Uint8Array, start: number, end: number): QueryAttributes {
  const result: QueryAttributes = { textStart: -1, traceparent: undefined }
  let i = start
  const count = encodedInteger(bytes, i, end)
  if (count < 0 || count > MOST) return result
  i += lengthOfInteger(bytes[i]!)
  if (encodedInteger(bytes, i, end) !== 1) return result
  i++
  if (count === 0) {
    result.textStart = i
    return result
  }
  const nulls = i
  i += (count + 7) >> 3
  if (i >= end || bytes[i] !== 1) return result
  i++
  const types: number[] = []
  let traced = -1
  for (let k = 0; k < count; k++) {
    if (i + 3 > end) return result
    types.push(uint16(bytes, i) & 0xff)
    i += 2
    const length = encodedInteger(bytes, i, end)
    if (length < 0) return result
    i += lengthOfInteger(bytes[i]!)
    if (i + length > end) return result
    if (length === 11 && text(bytes, i, i + length) === 'traceparent') traced = k
    i += length
  }
  for (let k = 0; k < count; k++) {
    if ((bytes[nulls + (k >> 3)]! & (1 << (k & 7))) !== 0) continue
    const size = sizeOfValue(types[k]!, bytes, i, end)
    if (size < 0 || i + size > end) return result
    if (k === traced && size === 56) result.traceparent = text(bytes, i + 1, i + size)
    i += size
  }
  result.textStart = i
  return result
}

/** Text of SQL begins with a letter, a blank or a sign; counts of attributes are small numbers. */
export function looksLikeAttributes(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start > 2 && bytes[start]! < 9 && bytes[start + 1] === 1
}

/** Bytes of a binary value, its length included. */
function sizeOfValue(type: number, bytes: Uint8Array, i: number, end: number): number {
  switch (type) {
    case 1: // TINY
      return 1
    case 2: // SHORT
    case 13: // YEAR
      return 2
    case 3: // LONG
    case 4: // FLOAT
    case 9: // INT24
      return 4
    case 5: // DOUBLE
    case 8: // LONGLONG
      return 8
    case 6: // NULL
      return 0
    case 7: // TIMESTAMP
    case 10: // DATE
    case 11: // TIME
    case 12: // DATETIME
      return i < end ? 1 + bytes[i]! : -1
    default: {
      const length = encodedInteger(bytes, i, end)
      return length < 0 ? -1 : lengthOfInteger(bytes[i]!) + length
    }
  }
}
