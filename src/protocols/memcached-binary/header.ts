import { commandOf, isKnownStatus } from './commands.js'

/** Magic, opcode, key length: 2, extras length, data type, vbucket or status: 2, body length: 4, opaque: 4, cas: 8. */
export const HEADER = 24
export const Magic = { request: 0x80, answer: 0x81 } as const

const LONGEST_KEY = 250
/** Items have at most 128 MB (memcached -I); a longer body is no body. */
const LONGEST_BODY = 0x0800_0000

/** The fixed header of both directions; one object serves all. */
export class BinaryHeader {
  opcode = 0
  keyLength = 0
  extras = 0
  /** Of a request: vbucket. */
  status = 0
  body = 0
  opaque = 0

  /** Reads it at `start`, where HEADER bytes are; false if it is none of this magic. */
  read(bytes: Uint8Array, start: number, magic: number): boolean {
    this.opcode = bytes[start + 1]!
    this.keyLength = (bytes[start + 2]! << 8) | bytes[start + 3]!
    this.extras = bytes[start + 4]!
    this.status = (bytes[start + 6]! << 8) | bytes[start + 7]!
    this.body = u32(bytes, start + 8)
    this.opaque = u32(bytes, start + 12)
    const command = commandOf(this.opcode)
    if (bytes[start] !== magic || command === undefined || bytes[start + 5] !== 0) return false
    if (this.body > LONGEST_BODY || this.keyLength + this.extras > this.body) return false
    if (magic === Magic.answer) return isKnownStatus(this.status) && this.keyLength <= LONGEST_KEY
    if (command.hasKey !== this.keyLength > 0 && command.kind !== 'stat') return false
    const hasExtras = command.extras < 0 || this.extras === command.extras
    return hasExtras && this.keyLength <= LONGEST_KEY
  }
}

function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}
