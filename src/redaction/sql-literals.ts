import { MASKED } from './byte-mask.js'

type State = 'code' | 'word' | 'number' | 'quoted' | 'escape' | 'name' | 'line' | 'block'

const ZERO = 0x30
const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39
const isWord = (byte: number): boolean =>
  isDigit(byte) || ((byte | 0x20) - 0x61) >>> 0 < 26 || byte === 0x5f || byte === 0x24 || byte === 0x40 || byte >= 0x80

/** Puts literals and comments of a statement out of the way, byte by byte; the statement keeps its length and shape. */
export class SqlLiterals {
  #state: State = 'code'
  #quote = 0
  #last = 0

  reset(): void {
    this.#state = 'code'
    this.#last = 0
  }

  next(byte: number): number {
    const last = this.#last
    this.#last = byte
    switch (this.#state) {
      case 'quoted':
        if (byte === 0x5c) this.#state = 'escape'
        else if (byte === this.#quote) {
          this.#state = 'code'
          return byte
        }
        return MASKED
      case 'escape':
        this.#state = 'quoted'
        return MASKED
      case 'name':
        if (byte === 0x60) this.#state = 'code'
        return byte
      case 'line':
        if (byte === 0x0a) this.#state = 'code'
        return byte < 0x20 ? byte : MASKED
      case 'block':
        if (byte === 0x2f && last === 0x2a) this.#state = 'code'
        return byte === 0x2a || byte === 0x2f || byte < 0x20 ? byte : MASKED
      case 'word':
        if (isWord(byte)) return byte
        break
      case 'number':
        // Digits, an exponent, 0x…: whatever hangs together with the number.
        if (isWord(byte) || byte === 0x2e) return ZERO
        break
      case 'code':
        break
    }
    return this.#inCode(byte, last)
  }

  #inCode(byte: number, last: number): number {
    this.#state = 'code'
    if (byte === 0x27 || byte === 0x22) {
      this.#state = 'quoted'
      this.#quote = byte
    } else if (byte === 0x60) this.#state = 'name'
    else if (byte === 0x23 || (byte === 0x2d && last === 0x2d)) this.#state = 'line'
    else if (byte === 0x2a && last === 0x2f) {
      this.#state = 'block'
      this.#last = 0
    } else if (isDigit(byte)) {
      this.#state = 'number'
      return ZERO
    } else if (isWord(byte)) this.#state = 'word'
    return byte
  }
}
