import { utf8 } from '../utf8.js'

/** Longest text that is kept: topics have at most 249 characters, ids of groups and clients are free. */
const LONGEST_TEXT = 256

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * Reads the protocol's types from bytes[at, end), big-endian; one reader serves all. What goes beyond the end sets
 * `short`, what cannot be sets `wrong`; values are then 0.
 */
export class WireReader {
  bytes: Uint8Array = new Uint8Array(0)
  at = 0
  end = 0
  /** Compact strings and arrays, tagged fields (KIP-482). */
  flexible = false
  short = false
  wrong = false

  begin(bytes: Uint8Array, start: number, end: number, flexible: boolean): void {
    this.bytes = bytes
    this.at = start
    this.end = end
    this.flexible = flexible
    this.short = false
    this.wrong = false
  }

  get failed(): boolean {
    return this.short || this.wrong
  }

  skip(count: number): void {
    if (count > this.end - this.at) this.#runOut()
    else this.at += count
  }

  int8(): number {
    if (this.at + 1 > this.end) return this.#runOut()
    return (this.bytes[this.at++]! << 24) >> 24
  }

  int16(): number {
    if (this.at + 2 > this.end) return this.#runOut()
    const value = ((this.bytes[this.at]! << 24) >> 16) | this.bytes[this.at + 1]!
    this.at += 2
    return value
  }

  int32(): number {
    if (this.at + 4 > this.end) return this.#runOut()
    const { bytes, at } = this
    this.at += 4
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  /** Exact up to 2^53. */
  int64(): number {
    const high = this.int32()
    return high * 4_294_967_296 + this.uint32()
  }

  /** Unsigned, at most 32 bits. */
  uvarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      if (this.at >= this.end) return this.#runOut()
      const byte = this.bytes[this.at++]!
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    this.wrong = true
    return 0
  }

  /** Signed (zigzag), at most 32 bits. */
  varint(): number {
    const value = this.uvarint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** Signed (zigzag), 64 bits, passed unread. */
  skipVarlong(): void {
    for (let k = 0; k < 10; k++) {
      if (this.at >= this.end) {
        this.#runOut()
        return
      }
      if (this.bytes[this.at++]! < 0x80) return
    }
    this.wrong = true
  }

  /** Elements of an array, or bytes; -1 for null. */
  count(): number {
    const count = this.flexible ? this.uvarint() - 1 : this.int32()
    if (count < -1) this.wrong = true
    return this.failed ? 0 : count
  }

  /** undefined for null. */
  text(): string | undefined {
    const length = this.#textLength()
    if (length < 0) return undefined
    const start = this.at
    this.skip(length)
    return this.failed ? '' : utf8(this.bytes, start, Math.min(start + length, start + LONGEST_TEXT))
  }

  skipText(): void {
    const length = this.#textLength()
    if (length > 0) this.skip(length)
  }

  uuid(): string {
    if (this.at + 16 > this.end) {
      this.#runOut()
      return ''
    }
    let id = ''
    for (let k = 0; k < 16; k++) {
      if (k === 4 || k === 6 || k === 8 || k === 10) id += '-'
      id += HEX[this.bytes[this.at + k]!]!
    }
    this.at += 16
    return id
  }

  /** Passes tagged fields, if the version has any. */
  tags(): void {
    if (!this.flexible) return
    const count = this.uvarint()
    for (let k = 0; k < count && !this.failed; k++) {
      this.uvarint()
      this.skip(this.uvarint())
    }
  }

  #textLength(): number {
    const length = this.flexible ? this.uvarint() - 1 : this.int16()
    if (length < -1) this.wrong = true
    return this.failed ? 0 : length
  }

  #runOut(): 0 {
    this.short = true
    this.at = this.end
    return 0
  }
}
