import type { Detection } from '../protocol.js'
import { DnsMessage, endOfName, HEADER_BYTES, SHORTEST_QUESTION } from './message.js'
import { isKnownType } from './numbers.js'

const NO: Detection = { match: 'no' }
const MAYBE: Detection = { match: 'maybe' }
const CLIENT: Detection = { match: 'yes', sender: 'client' }
const SERVER: Detection = { match: 'yes', sender: 'server' }

/** Internet, Chaos, Hesiod, none (RFC 2136), any. */
const CLASSES = new Set([1, 3, 4, 254, 255])
const LENGTH_BYTES = 2
/** Nobody asks for more over a connection than a question with its options and signature. */
const LONGEST_QUERY = 4096
const MOST_RECORDS = 4096

const message = new DnsMessage()

/** One message over TCP (RFC 1035, 4.2.2): its length, then what a datagram holds. */
export function detectDns(bytes: Uint8Array, start: number, end: number): Detection {
  if (end - start < LENGTH_BYTES) return start < end && bytes[start]! < LONGEST_QUERY >> 8 ? MAYBE : NO
  const length = (bytes[start]! << 8) | bytes[start + 1]!
  if (length < HEADER_BYTES + SHORTEST_QUESTION) return NO
  const first = start + LENGTH_BYTES
  // Some clients and most servers take the length with a call of its own.
  if (first === end) return length <= LONGEST_QUERY ? MAYBE : NO
  return detectMessage(bytes, first, Math.min(end, first + length), length)
}

/** One datagram that is there as far as `end`. */
export function detectDatagram(bytes: Uint8Array, start: number, end: number): Detection {
  const found = detectMessage(bytes, start, end, undefined)
  return found.match === 'yes' ? found : NO
}

/** @param length of the message, if it is known. */
function detectMessage(bytes: Uint8Array, start: number, end: number, length: number | undefined): Detection {
  if (!message.read(bytes, start, end)) return mayBegin(bytes, start, end, length) ? MAYBE : NO
  if (!message.isPlausible(bytes, start)) return NO
  const { questionEnd, questions, isAnswer, answers, authorities, additionals } = message
  if (answers > MOST_RECORDS || authorities > MOST_RECORDS || additionals > MOST_RECORDS) return NO
  // An answer need not repeat the question, but one without it looks like anything.
  if (questions === 0) return NO
  if (questionEnd === 0) {
    const isCut = endOfName(bytes, start + HEADER_BYTES, end) >= 0
    const mayFollow = !isAnswer && length !== undefined && length <= LONGEST_QUERY && end - start < length
    return isCut && mayFollow ? MAYBE : NO
  }
  if (!CLASSES.has(message.class) || !isKnownType(message.type)) return NO
  const more = answers + authorities + additionals
  const rest = length === undefined ? undefined : start + length - questionEnd
  if (rest !== undefined && (more === 0 ? rest !== 0 : rest < more)) return NO
  if (isAnswer) return SERVER
  if (length !== undefined && length > LONGEST_QUERY) return NO
  // Multicast DNS (RFC 6762, 18) asks without an id, and nobody in particular: an answer belongs to no question.
  if (length === undefined && message.id === 0 && !message.recursionDesired) return NO
  return CLIENT
}

/** The first bytes of a question over TCP, whose length is known: id, then flags (opcode, reserved bit, no verdict). */
function mayBegin(bytes: Uint8Array, start: number, end: number, length: number | undefined): boolean {
  if (length === undefined || length > LONGEST_QUERY) return false
  if (start + 2 < end && (bytes[start + 2]! & 0x80) !== 0) return false
  return start + 3 >= end || (bytes[start + 3]! & 0x4f) === 0
}
