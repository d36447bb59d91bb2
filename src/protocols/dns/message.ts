import { latin1 } from '../latin1.js'
import { classifySegment, REDACTED } from '../path-segments.js'
import { opcodeName } from './numbers.js'

/** RFC 1035, 4.1.1. */
export const HEADER_BYTES = 12
/** RFC 1035, 2.3.4: with its length bytes and the root's. */
const LONGEST_NAME = 255
const LONGEST_LABEL = 63
/** Shorter labels are words, however random they look. */
const FEWEST_SECRET_CHARS = 20
/** Root, type and class: the shortest question. */
export const SHORTEST_QUESTION = 5

/** Header and first question of a message; one object serves all. */
export class DnsMessage {
  id = 0
  isAnswer = false
  opcode = 0
  recursionDesired = false
  /** The answer did not fit the datagram: the client asks again over TCP. */
  isCut = false
  responseCode = 0
  questions = 0
  answers = 0
  authorities = 0
  additionals = 0
  /** Behind the first question; 0: it is not (wholly) in view, or there is none. */
  questionEnd = 0
  type = 0
  class = 0
  /** FNV-1a of the name in small letters, its type and class. */
  questionHash = 0

  /** Reads the header at `start`; false while it is not in view. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start < HEADER_BYTES) return false
    const flags = u16(bytes, start + 2)
    this.id = u16(bytes, start)
    this.isAnswer = (flags & 0x8000) !== 0
    this.opcode = (flags >> 11) & 15
    this.isCut = (flags & 0x0200) !== 0
    this.recursionDesired = (flags & 0x0100) !== 0
    this.responseCode = flags & 15
    this.questions = u16(bytes, start + 4)
    this.answers = u16(bytes, start + 6)
    this.authorities = u16(bytes, start + 8)
    this.additionals = u16(bytes, start + 10)
    this.#readQuestion(bytes, start + HEADER_BYTES, end)
    return true
  }

  /** Whether the header read last is one that clients and servers send (reserved bit: RFC 1035, 4.1.1). */
  isPlausible(bytes: Uint8Array, start: number): boolean {
    if (opcodeName(this.opcode) === undefined || (bytes[start + 3]! & 0x40) !== 0) return false
    if (this.isAnswer) return this.questions <= 1
    // Nothing but what asks has a question of exactly one name, and no verdict yet.
    return this.questions === 1 && this.responseCode === 0
  }

  #readQuestion(bytes: Uint8Array, start: number, end: number): void {
    this.questionEnd = this.type = this.class = this.questionHash = 0
    if (this.questions === 0) return
    const nameEnd = endOfName(bytes, start, end)
    if (nameEnd <= 0 || nameEnd + 4 > end) return
    this.type = (bytes[nameEnd]! << 8) | bytes[nameEnd + 1]!
    this.class = (bytes[nameEnd + 2]! << 8) | bytes[nameEnd + 3]!
    this.questionEnd = nameEnd + 4
    let hash = 0x811c9dc5
    for (let i = start; i < this.questionEnd; i++) {
      const byte = bytes[i]!
      // Clients mix capitals in at random, as a weak nonce; servers send them back, but need not.
      const small = byte >= 0x41 && byte <= 0x5a && i < nameEnd ? byte + 32 : byte
      hash = Math.imul(hash ^ small, 0x01000193)
    }
    this.questionHash = hash >>> 0
  }
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

/** Index behind the name at `start`, which is not compressed; 0 while it goes on behind `end`; -1 if it is none. */
export function endOfName(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end) {
    const length = bytes[at]!
    if (length === 0) return at + 1
    if (length > LONGEST_LABEL || at + 1 + length - start >= LONGEST_NAME) return -1
    at += 1 + length
  }
  return 0
}

/** The name that bytes[start, end) are, in small letters; bytes that are no letters of host names as \DDD (RFC 1035, 5.1). */
export function nameText(bytes: Uint8Array, start: number, end: number): string {
  let name = ''
  for (let at = start; at < end && bytes[at] !== 0; ) {
    const stop = at + 1 + bytes[at]!
    const label = labelText(bytes, at + 1, stop)
    name = at === start ? label : `${name}.${label}`
    at = stop
  }
  return name === '' ? '.' : name
}

function labelText(bytes: Uint8Array, start: number, end: number): string {
  let odd = start
  while (odd < end && isPlain(bytes[odd]!)) odd++
  const raw = odd === end ? latin1(bytes, start, end) : escaped(bytes, start, end)
  // Data that is carried in names (tokens, tunnels) is not shown.
  const isSecret = raw.length >= FEWEST_SECRET_CHARS && classifySegment(raw) === 'secret'
  return isSecret ? REDACTED : raw.toLowerCase()
}

const isPlain = (byte: number): boolean => byte > 0x20 && byte < 0x7f && byte !== 0x2e && byte !== 0x5c

function escaped(bytes: Uint8Array, start: number, end: number): string {
  let raw = ''
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    raw += isPlain(byte) ? String.fromCharCode(byte) : `\\${String(byte).padStart(3, '0')}`
  }
  return raw
}
