import { ContentHash } from '../content-hash.js'
import { utf8 } from '../utf8.js'
import { afterShortString, fieldLength, uint16, uint32 } from './wire-types.js'

/** What a content header says of a message. */
export interface Properties {
  correlationId: string | undefined
  replyTo: string | undefined
  messageId: string | undefined
  /** As bytes on the wire, in hexadecimal. */
  timestamp: string | undefined
  traceparent: string | undefined
  /** All of it could be read: `hash` is of all that a broker passes on unchanged. */
  whole: boolean
  readonly hash: ContentHash
}

const FLAG_HEADERS = 13
const FLAG_CORRELATION_ID = 10
const FLAG_REPLY_TO = 9
const FLAG_MESSAGE_ID = 7
const FLAG_TIMESTAMP = 6
const DIRECT_REPLY = Buffer.from('amq.rabbitmq.reply-to')

const TRACEPARENT = Buffer.from('traceparent')
const field = new ContentHash()

export const createProperties = (): Properties => ({
  correlationId: undefined,
  replyTo: undefined,
  messageId: undefined,
  timestamp: undefined,
  traceparent: undefined,
  whole: false,
  hash: new ContentHash(),
})

/**
 * Reads property flags and properties from bytes[start, end) into `out` (section 4.2.6.1): flags from bit 15 down,
 * values in the same order. Bit 12 and 11, delivery mode and priority, are octets, bit 6 is a timestamp, bit 13 a
 * table; all others are short strings.
 */
export function readProperties(bytes: Uint8Array, start: number, end: number, out: Properties): void {
  out.correlationId = out.replyTo = out.messageId = out.timestamp = out.traceparent = undefined
  out.whole = false
  if (start + 2 > end) return
  const flags = uint16(bytes, start)
  let i = start + 2
  // Bit 0 announces more flags; basic has none.
  if ((flags & 1) !== 0) return
  const { hash } = out
  hash.reset()
  for (let bit = 15; bit > 1; bit--) {
    if ((flags & (1 << bit)) === 0) continue
    const next = afterProperty(bit, bytes, i, end)
    if (next > end) return
    if (bit === FLAG_HEADERS) {
      if (!readHeaders(bytes, i + 4, next, out)) return
    } else {
      if (bit === FLAG_CORRELATION_ID) out.correlationId = utf8(bytes, i + 1, next)
      else if (bit === FLAG_REPLY_TO) out.replyTo = utf8(bytes, i + 1, next)
      else if (bit === FLAG_MESSAGE_ID) out.messageId = utf8(bytes, i + 1, next)
      else if (bit === FLAG_TIMESTAMP) out.timestamp = hex(bytes, i, next)
      // The broker puts the real queue in the place of `amq.rabbitmq.reply-to`.
      if (bit !== FLAG_REPLY_TO || !startsWith(bytes, i + 1, next, DIRECT_REPLY)) {
        hash.number(bit)
        hash.update(bytes, i, next)
      }
    }
    i = next
  }
  hash.finish()
  out.whole = true
}

function afterProperty(bit: number, bytes: Uint8Array, i: number, end: number): number {
  if (bit === FLAG_HEADERS) return i + 4 > end ? end + 1 : i + 4 + uint32(bytes, i)
  if (bit === 12 || bit === 11) return i + 1
  if (bit === FLAG_TIMESTAMP) return i + 8
  return afterShortString(bytes, i, end)
}

/**
 * The headers table. Each entry is hashed by itself and the hashes are added: a broker that changes one entry writes
 * the table anew, perhaps in another order. What it adds or removes, `x-…`, `CC` and `BCC`, is left out.
 */
function readHeaders(bytes: Uint8Array, start: number, end: number, out: Properties): boolean {
  let sum = 0
  let i = start
  while (i < end) {
    const value = afterShortString(bytes, i, end)
    const length = value < end ? fieldLength(bytes, value, end) : -1
    if (length < 0 || value + length > end) return false
    const next = value + length
    if (!isBrokers(bytes, i + 1, value)) {
      field.reset()
      field.update(bytes, i, next)
      sum = (sum + field.sum()) | 0
    }
    if (length === 60 && bytes[value] === 0x53 && startsWith(bytes, i + 1, value, TRACEPARENT)) {
      out.traceparent = utf8(bytes, value + 5, next)
    }
    i = next
  }
  out.hash.number(FLAG_HEADERS)
  out.hash.number(sum)
  return true
}

function isBrokers(bytes: Uint8Array, start: number, end: number): boolean {
  const first = bytes[start]
  if (first === 0x78) return bytes[start + 1] === 0x2d
  if (end - start === 2) return first === 0x43 && bytes[start + 1] === 0x43
  return end - start === 3 && first === 0x42 && bytes[start + 1] === 0x43 && bytes[start + 2] === 0x43
}

function startsWith(bytes: Uint8Array, start: number, end: number, prefix: Uint8Array): boolean {
  if (end - start < prefix.length) return false
  for (let k = 0; k < prefix.length; k++) if (bytes[start + k] !== prefix[k]) return false
  return true
}

function hex(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('hex')
}
