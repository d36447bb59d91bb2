const PRIME_A = 0x9e3779b1
const PRIME_B = 0x85ebca6b

/** RFC 4648, section 5: text that needs no quotes anywhere. Numbers to text in other radixes cost half a microsecond. */
const DIGITS = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')

/**
 * 64 bits of a sequence of bytes, whatever pieces it comes in. Four bytes at a time, two lanes that mix; made to tell
 * messages apart, not to withstand somebody who wants two to look alike.
 */
export class ContentHash {
  /** Set by `finish`. */
  high = 0
  low = 0
  #a = 0
  #b = 0
  #word = 0
  #filled = 0
  #length = 0

  /** Bytes hashed since `reset`. */
  get length(): number {
    return this.#length
  }

  reset(): void {
    this.#a = PRIME_B | 0
    this.#b = PRIME_A | 0
    this.#word = 0
    this.#filled = 0
    this.#length = 0
  }

  update(bytes: Uint8Array, start: number, end: number): void {
    this.#length += end - start
    let i = start
    while (this.#filled !== 0 && i < end) this.#byte(bytes[i++]!)
    let a = this.#a
    let b = this.#b
    for (; end - i >= 4; i += 4) {
      const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
      a = Math.imul(a ^ word, PRIME_A)
      a ^= a >>> 15
      b = Math.imul((b ^ word) + a, PRIME_B)
      b = (b << 13) | (b >>> 19)
    }
    this.#a = a
    this.#b = b
    while (i < end) this.#byte(bytes[i++]!)
  }

  /** A number of 32 bits, between bytes. */
  number(value: number): void {
    if (this.#filled !== 0) this.#flush()
    this.#mix(value | 0)
    this.#length += 4
  }

  /** Computes both halves of what has been hashed; the hash may go on afterwards. */
  finish(): this {
    const tail = this.#filled === 0 ? 0 : this.#word
    this.high = avalanche(this.#a ^ Math.imul(this.#length, PRIME_B) ^ tail)
    this.low = avalanche((this.#b + this.high) ^ Math.imul(tail, PRIME_A))
    return this
  }

  /** Both halves as eleven characters. */
  get text(): string {
    const { high: h, low: l } = this
    return String.fromCharCode(
      DIGITS[(h >>> 26) & 63]!,
      DIGITS[(h >>> 20) & 63]!,
      DIGITS[(h >>> 14) & 63]!,
      DIGITS[(h >>> 8) & 63]!,
      DIGITS[(h >>> 2) & 63]!,
      DIGITS[((h & 3) << 4) | (l >>> 28)]!,
      DIGITS[(l >>> 22) & 63]!,
      DIGITS[(l >>> 16) & 63]!,
      DIGITS[(l >>> 10) & 63]!,
      DIGITS[(l >>> 4) & 63]!,
      DIGITS[l & 15]!,
    )
  }

  /** A text, between bytes. */
  string(value: string): void {
    this.number(value.length)
    for (let i = 0; i < value.length; i += 2) {
      this.#mix(value.charCodeAt(i) | (i + 1 < value.length ? value.charCodeAt(i + 1) << 16 : 0))
    }
  }

  /** 32 bits, for hashes that are added up. */
  sum(): number {
    const tail = this.#filled === 0 ? 0 : this.#word
    return avalanche(this.#a ^ avalanche(this.#b ^ tail ^ this.#length))
  }

  #byte(byte: number): void {
    this.#word |= byte << (this.#filled * 8)
    if (++this.#filled === 4) this.#flush()
  }

  #flush(): void {
    const word = this.#word
    this.#word = 0
    this.#filled = 0
    this.#mix(word)
  }

  #mix(word: number): void {
    let a = Math.imul(this.#a ^ word, PRIME_A)
    a ^= a >>> 15
    const b = Math.imul((this.#b ^ word) + a, PRIME_B)
    this.#a = a
    this.#b = (b << 13) | (b >>> 19)
  }
}

/** MurmurHash3's finaliser: every bit of the input reaches every bit of the output. */
export function avalanche(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return value ^ (value >>> 16)
}
