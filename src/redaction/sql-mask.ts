import type { SqlDialect } from '../protocols/sql/dialect.js'
import { SQL_LIMIT } from '../protocols/sql/redact.js'
import { MASKED } from './pseudonyms.js'

const ZERO = 0x30
const QUOTE = 0x27
const DOUBLE_QUOTE = 0x22
const BACKTICK = 0x60
const BACKSLASH = 0x5c
const MINUS = 0x2d
const PLUS = 0x2b
const SLASH = 0x2f
const STAR = 0x2a
const HASH = 0x23
const DOT = 0x2e
const LINE_FEED = 0x0a
const TRACEPARENT = /traceparent='[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}'/

const In = {
  code: 0,
  word: 1,
  number: 2,
  hex: 3,
  quoted: 4,
  quoteEscape: 5,
  name: 6,
  dash: 7,
  dashes: 8,
  line: 9,
  slash: 10,
  /** Behind `/*`, and behind `/*M`: an executable comment or another one. */
  opening: 11,
  openingM: 12,
  version: 13,
  comment: 14,
  commentStar: 15,
  /** Behind the sign of an exponent. */
  exponent: 16,
} as const

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39
const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === 0
const isName = (byte: number): boolean => {
  const letter = byte | 0x20
  return (
    (letter >= 0x61 && letter <= 0x7a) ||
    isDigit(byte) ||
    byte === 0x5f ||
    byte === 0x24 ||
    byte === 0x40 ||
    byte >= 0x80
  )
}

/**
 * A statement, byte by byte: keywords, names and signs stay; what literals and comments hold does not. It reads as
 * `src/protocols/sql/redact.ts` does, so that both see the same literals: a masked statement has the same summary.
 */
export class SqlMask {
  #in: number = In.code
  #quote = 0
  #previous = 0
  #numberLength = 0
  #length = 0
  #dialect: SqlDialect | undefined

  begin(dialect: SqlDialect): void {
    this.#dialect = dialect
    this.#in = In.code
    this.#previous = 0
    this.#length = 0
  }

  pass(bytes: Uint8Array, start: number, end: number): void {
    for (let i = start; i < end; i++) {
      if (this.#length++ >= SQL_LIMIT) {
        bytes.fill(MASKED, i, end)
        return
      }
      const byte = bytes[i]!
      const shown = this.#next(byte)
      this.#previous = byte
      bytes[i] = shown
      if (this.#in === In.opening) i = this.#keepTraceparent(bytes, i, end)
    }
  }

  /** The rest of the statement follows something that was not seen. */
  lose(): void {
    this.#length = SQL_LIMIT
  }

  #next(byte: number): number {
    switch (this.#in) {
      case In.quoted:
        return this.#inQuoted(byte)
      case In.quoteEscape:
        this.#in = In.quoted
        return MASKED
      case In.name:
        if (byte === BACKTICK) this.#in = In.code
        return byte
      case In.line:
        if (byte === LINE_FEED) this.#in = In.code
        return byte === LINE_FEED ? byte : MASKED
      case In.opening:
      case In.openingM:
        return this.#inOpening(byte)
      case In.version:
        if (isDigit(byte)) return ZERO
        return this.#inCode(byte)
      case In.comment:
      case In.commentStar:
        return this.#inComment(byte)
      case In.number:
      case In.hex:
        return this.#inNumber(byte)
      case In.exponent:
        this.#in = isDigit(byte) ? In.number : In.code
        return isDigit(byte) ? ZERO : this.#inCode(byte)
      default:
        return this.#inCode(byte)
    }
  }

  /** A quote may be one half of two, which do not end the literal: then the next one begins it again. */
  #inQuoted(byte: number): number {
    if (byte === this.#quote) {
      this.#in = In.code
      return byte
    }
    if (byte === BACKSLASH && this.#dialect?.backslashEscapes !== false) this.#in = In.quoteEscape
    return MASKED
  }

  #inOpening(byte: number): number {
    const isFirst = this.#in === In.opening
    if (this.#dialect?.executableComments !== false) {
      if (byte === 0x21) {
        this.#in = In.version
        return byte
      }
      if (isFirst && byte === 0x4d) {
        this.#in = In.openingM
        return byte
      }
    }
    this.#in = In.comment
    return this.#inComment(byte)
  }

  #inComment(byte: number): number {
    if (byte === SLASH && this.#in === In.commentStar) {
      this.#in = In.code
      return byte
    }
    this.#in = byte === STAR ? In.commentStar : In.comment
    return byte === STAR ? byte : MASKED
  }

  /** Everything that hangs together: of it, only what says that it is hexadecimal or has an exponent stays. */
  #inNumber(byte: number): number {
    const isHex = this.#in === In.hex
    this.#numberLength++
    if (this.#numberLength === 2 && this.#previous === ZERO && (byte | 0x20) === 0x78) {
      this.#in = In.hex
      return byte
    }
    if (isName(byte) || byte === DOT) return !isHex && (byte | 0x20) === 0x65 ? byte : ZERO
    const isSign = byte === PLUS || byte === MINUS
    if (isSign && !isHex && (this.#previous | 0x20) === 0x65) {
      this.#in = In.exponent
      return byte
    }
    return this.#inCode(byte)
  }

  #inCode(byte: number): number {
    const was = this.#in
    this.#in = In.code
    switch (byte) {
      case QUOTE:
      case DOUBLE_QUOTE:
        this.#quote = byte
        this.#in = byte === QUOTE || this.#dialect?.doubleQuotes !== 'identifier' ? In.quoted : In.code
        return byte
      case BACKTICK:
        if (this.#dialect?.backticks !== false) this.#in = In.name
        return byte
      case MINUS:
        if (was === In.dash) this.#in = this.#dialect?.dashesNeedSpace === false ? In.line : In.dashes
        else this.#in = was === In.dashes ? In.dashes : In.dash
        return byte
      case HASH:
        if (this.#dialect?.hashComments !== false) this.#in = In.line
        return byte
      case SLASH:
        this.#in = In.slash
        return byte
      case STAR:
        if (was === In.slash) this.#in = In.opening
        return byte
    }
    if (was === In.dashes && isSpace(byte)) this.#in = byte === LINE_FEED ? In.code : In.line
    else if (isDigit(byte) && was !== In.word) {
      this.#in = In.number
      this.#numberLength = 1
      return ZERO
    } else if (isName(byte)) this.#in = In.word
    return isSpace(byte) || isName(byte) || (byte > 0x20 && byte < 0x7f) ? byte : 0x3f
  }

  /** Of a comment that can be seen whole, the `traceparent` stays. Returns the last byte that has been passed. */
  #keepTraceparent(bytes: Uint8Array, star: number, end: number): number {
    const from = star + 1
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.min(end - from, 2048)).toString('latin1')
    const stop = text.indexOf('*/')
    const match = TRACEPARENT.exec(text)
    if (match === null || stop < 0 || match.index > stop || text.startsWith('!') || text.startsWith('M!')) return star
    bytes.fill(MASKED, from, from + match.index)
    bytes.fill(MASKED, from + match.index + match[0].length, from + stop)
    this.#in = In.code
    this.#length += stop + 2
    return from + stop + 1
  }
}
