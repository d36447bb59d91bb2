import { identifierFields } from '../protocols/oslo/envelope.js'
import { KnownWords } from './known-words.js'
import type { Pseudonyms } from './pseudonyms.js'
import { RequestIdMask } from './request-id-mask.js'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const BLANK = 0x20
const NAMES = new KnownWords(identifierFields)

const At = { text: 0, name: 1, behindName: 2, colon: 3, opening: 4, value: 5 } as const

/**
 * What is inside an envelope of oslo.messaging: the names of the fields that hold identifiers stay, and the quotes,
 * backslashes, colons and blanks by which they are found; the identifiers become others, the same wherever they are.
 * `JSON` in JSON, with holes: it finds its feet at the next quote.
 */
export class OsloEnvelopeMask {
  readonly #id: RequestIdMask
  #at: number = At.text
  #word: number = KnownWords.start

  constructor(pseudonyms: Pseudonyms) {
    this.#id = new RequestIdMask(pseudonyms)
  }

  begin(): void {
    this.#at = At.text
  }

  /** @param hidden what stands for the byte if it is nothing but text. */
  next(byte: number, hidden: number): number {
    const isMark = byte === QUOTE || byte === BACKSLASH || byte === COLON || byte === BLANK
    switch (this.#at) {
      case At.name:
        return this.#inName(byte, hidden, isMark)
      case At.behindName:
        this.#at = byte === QUOTE ? At.colon : At.text
        break
      case At.colon:
        this.#at = byte === COLON ? At.opening : At.text
        break
      case At.opening:
        if (byte === QUOTE) {
          this.#at = At.value
          this.#id.begin()
          return byte
        }
        if (byte !== BLANK && byte !== BACKSLASH) this.#at = At.text
        break
      case At.value:
        if (byte !== QUOTE && byte !== BACKSLASH) return this.#id.next(byte)
        this.#at = At.text
        break
    }
    if (byte === QUOTE && this.#at === At.text) {
      this.#at = At.name
      this.#word = KnownWords.start
    }
    return isMark ? byte : hidden
  }

  #inName(byte: number, hidden: number, isMark: boolean): number {
    if (isMark) {
      const isField = NAMES.at(this.#word) !== undefined
      if (isField && byte === BACKSLASH) this.#at = At.behindName
      else if (isField && byte === QUOTE) this.#at = At.colon
      else if (byte === QUOTE) this.#word = KnownWords.start
      else this.#at = At.text
      return byte
    }
    this.#word = NAMES.step(this.#word, byte)
    if (this.#word !== KnownWords.none) return byte
    this.#at = At.text
    return hidden
  }
}
