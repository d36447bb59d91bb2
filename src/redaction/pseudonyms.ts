import { createHmac } from 'node:crypto'

/** `x`: what stands for a byte that nobody needs. */
export const MASKED = 0x78

/**
 * `@`: what stands for bytes of which nobody knows what they are. In no protocol does a message begin with it, so that
 * it is never taken for the beginning of one, nor for a part of the next.
 */
export const UNREAD = 0x40

/** Rounds of Chaskey's permutation (Mouha et al., 2014; 32-bit words, made for this) between two bytes. */
const ROUNDS = 8

/**
 * Secret permutations of one recording: a byte becomes another one in a way that depends on all bytes of the value
 * before it and on the key. So the same value looks the same wherever it is met, in whatever pieces it comes; different
 * values look different; and without the key nothing leads back.
 */
export interface Pseudonyms {
  /** Values of one kind are read through one chain, one after the other. */
  chain(kind: string): Chain
}

interface Tables {
  readonly any: Uint8Array
  readonly digit: Uint8Array
  readonly hex: Uint8Array
  readonly beyondHex: Uint8Array
  readonly lower: Uint8Array
  readonly upper: Uint8Array
  readonly beyond: Uint8Array
}

/** @param key random, at least 16 bytes, of this recording alone, and written nowhere. */
export function createPseudonyms(key: Uint8Array): Pseudonyms {
  if (key.length < 16) throw new Error(`pseudonyms: a key of ${key.length} bytes can be guessed; give 16 or more`)
  const tables: Tables = {
    any: shuffled(256, key, 'any'),
    digit: shuffled(10, key, 'digit'),
    hex: shuffled(16, key, 'hex'),
    beyondHex: shuffled(20, key, 'beyond hex'),
    lower: shuffled(26, key, 'lower'),
    upper: shuffled(26, key, 'upper'),
    beyond: shuffled(128, key, 'beyond'),
  }
  const seeds = new Map<string, Buffer>()
  return {
    chain: kind => {
      let seed = seeds.get(kind)
      if (seed === undefined) {
        seed = digest(key, `chain ${kind}`)
        seeds.set(kind, seed)
      }
      return new Chain(tables, seed)
    },
  }
}

/** One value after the other, byte by byte. */
export class Chain {
  readonly #tables: Tables
  readonly #start: readonly [number, number, number, number]
  #a = 0
  #b = 0
  #c = 0
  #d = 0

  constructor(tables: Tables, seed: Buffer) {
    this.#tables = tables
    this.#start = [seed.readInt32LE(0), seed.readInt32LE(4), seed.readInt32LE(8), seed.readInt32LE(12)]
    this.begin()
  }

  /** A value begins. */
  begin(): void {
    ;[this.#a, this.#b, this.#c, this.#d] = this.#start
  }

  /** What stands for the value's next byte: any byte. For values whose length is told beside them. */
  byte(byte: number): number {
    const masked = this.#through(this.#tables.any, byte)
    this.#absorb(byte)
    return masked
  }

  /**
   * The same for text: a digit becomes a digit, a letter a letter of the same case, a byte beyond ASCII one beyond
   * ASCII, so that an id still looks like one. Signs become `-`, everything else `x`.
   */
  letter(byte: number): number {
    let masked = MASKED
    if (byte >= 0x80) masked = 0x80 + this.#through(this.#tables.beyond, byte - 0x80)
    else if (byte >= 0x61 && byte <= 0x7a) masked = 0x61 + this.#through(this.#tables.lower, byte - 0x61)
    else if (byte >= 0x41 && byte <= 0x5a) masked = 0x41 + this.#through(this.#tables.upper, byte - 0x41)
    else if (byte >= 0x30 && byte <= 0x39) masked = 0x30 + this.#through(this.#tables.digit, byte - 0x30)
    else if (byte > 0x20 && byte < 0x7f) masked = 0x2d
    this.#absorb(byte)
    return masked
  }

  /** The same for identifiers: a small hexadecimal digit becomes one, too. */
  identifier(byte: number): number {
    const isDigit = byte >= 0x30 && byte <= 0x39
    if (!isDigit && (byte < 0x61 || byte > 0x7a)) return this.letter(byte)
    const value = isDigit ? byte - 0x30 : byte - 0x57
    const masked =
      value < 16 ? this.#through(this.#tables.hex, value) : 16 + this.#through(this.#tables.beyondHex, value - 16)
    this.#absorb(byte)
    return masked < 10 ? 0x30 + masked : 0x57 + masked
  }

  /** Twice through a secret permutation, shifted by the secret state before and between. */
  #through(table: Uint8Array, index: number): number {
    const size = table.length
    const inner = table[(index + ((this.#a >>> 8) & 0xffff)) % size]!
    return table[(inner + ((this.#c >>> 8) & 0xffff)) % size]!
  }

  #absorb(byte: number): void {
    let a = this.#a ^ (byte + 1)
    let b = this.#b
    let c = this.#c
    let d = this.#d
    for (let round = 0; round < ROUNDS; round++) {
      a = (a + b) | 0
      b = ((b << 5) | (b >>> 27)) ^ a
      a = (a << 16) | (a >>> 16)
      c = (c + d) | 0
      d = ((d << 8) | (d >>> 24)) ^ c
      a = (a + d) | 0
      d = ((d << 13) | (d >>> 19)) ^ a
      c = (c + b) | 0
      b = ((b << 7) | (b >>> 25)) ^ c
      c = (c << 16) | (c >>> 16)
    }
    this.#a = a
    this.#b = b
    this.#c = c
    this.#d = d
  }
}

const digest = (key: Uint8Array, label: string): Buffer => createHmac('sha256', key).update(label).digest()

/** 0 to size - 1 in an order that the key decides (Fisher and Yates). */
function shuffled(size: number, key: Uint8Array, label: string): Uint8Array {
  const table = Uint8Array.from({ length: size }, (_, index) => index)
  for (let last = size - 1; last > 0; last--) {
    const other = digest(key, `table ${label} ${last}`).readUInt32LE(0) % (last + 1)
    const kept = table[last]!
    table[last] = table[other]!
    table[other] = kept
  }
  return table
}
