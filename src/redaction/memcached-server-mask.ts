import { CARRIAGE_RETURN, LINE_FEED, parseNumber, SPACE } from '../protocols/memcached/lines.js'
import { META_FLAGS_AT, replyWords } from '../protocols/memcached/parse-replies.js'
import { KnownWords } from './known-words.js'
import type { DirectionMask } from './protocol-mask.js'
import { type Chain, MASKED, type Pseudonyms, UNREAD } from './pseudonyms.js'

const WORDS = new KnownWords(replyWords)
const ZERO = 0x30
const LONGEST_NUMBER = 10
const LONGEST_TEXT = 16
/** Place of the length of the data that follows a line. */
const LENGTH_AT: Readonly<Record<string, number>> = { VALUE: 3, VA: 1 }
const END_LINE_BYTES = 5

const Place = { between: 0, line: 1, data: 2, dataEnd: 3, lost: 4 } as const

/** First words of answers, lengths and flags; keys and opaque tokens become others, values nothing at all. */
export class MemcachedServerMask implements DirectionMask {
  readonly #keys: Chain
  readonly #tokens: Chain
  readonly #text = new Uint8Array(LONGEST_TEXT)
  #place: number
  #index = 0
  #inWord = false
  #column = 0
  #word: number = KnownWords.start
  #first = ''
  #isNumber = false
  #flag = 0
  #length = -1
  #left = 0
  #inValues = false
  #answerIsNext = false

  constructor(pseudonyms: Pseudonyms, lost: boolean) {
    this.#keys = pseudonyms.chain('memcached key')
    this.#tokens = pseudonyms.chain('memcached token')
    this.#place = lost ? Place.lost : Place.between
  }

  answerIsNext(): void {
    this.#answerIsNext = this.#place === Place.lost
  }

  pass(bytes: Uint8Array, start: number, end: number): void {
    if (this.#answerIsNext && start < end) {
      this.#answerIsNext = false
      this.#place = Place.between
    }
    for (let i = start; i < end; ) {
      if (this.#place === Place.lost) {
        bytes.fill(UNREAD, i, end)
        return
      }
      if (this.#place === Place.data) {
        const stop = Math.min(end, i + this.#left)
        bytes.fill(MASKED, i, stop)
        this.#left -= stop - i
        if (this.#left === 0) this.#endData(2)
        i = stop
        continue
      }
      bytes[i] = this.#next(bytes[i]!)
      i++
    }
  }

  hole(count: number): void {
    if (this.#place === Place.data) {
      const left = this.#left + 2 - count
      if (left > 2) this.#left -= count
      else if (left >= 0) this.#endData(left)
      else this.#holeBehindValue(-left)
    } else if (this.#place === Place.between) this.#holeBehindValue(count)
    else this.#place = Place.lost
  }

  /** What follows the last value is known without being seen. */
  #holeBehindValue(count: number): void {
    this.#place = this.#inValues && count === END_LINE_BYTES ? Place.between : Place.lost
    this.#inValues = false
  }

  /** @param left bytes of the line end that are still to come. */
  #endData(left: number): void {
    this.#place = left > 0 ? Place.dataEnd : Place.between
    this.#left = left
  }

  #next(byte: number): number {
    if (this.#place === Place.dataEnd) {
      if (--this.#left === 0) this.#place = Place.between
      return byte === CARRIAGE_RETURN || byte === LINE_FEED ? byte : MASKED
    }
    if (this.#place === Place.between) {
      this.#place = Place.line
      this.#index = 0
      this.#inWord = this.#isNumber = false
      this.#first = ''
      this.#length = -1
    }
    if (byte !== SPACE && byte !== CARRIAGE_RETURN && byte !== LINE_FEED) return this.#inLine(byte)
    if (this.#inWord) this.#endWord()
    if (byte === LINE_FEED) this.#endLine()
    return byte
  }

  #inLine(byte: number): number {
    if (!this.#inWord) {
      this.#inWord = true
      this.#column = 0
      this.#word = KnownWords.start
      this.#keys.begin()
      this.#tokens.begin()
    }
    const column = this.#column++
    if (column < LONGEST_TEXT) this.#text[column] = byte
    return this.#index === 0 ? this.#firstByte(byte, column) : this.#wordByte(byte, column)
  }

  #firstByte(byte: number, column: number): number {
    const isDigit = byte >= 0x30 && byte <= 0x39
    if (column === 0) this.#isNumber = isDigit
    if (this.#isNumber) return isDigit ? ZERO : this.#lose()
    // `key=…` is a line by itself, of which nothing more is shown.
    if (this.#first === 'key=') return MASKED
    this.#word = WORDS.step(this.#word, byte)
    if (this.#word === KnownWords.none) return this.#lose()
    if (WORDS.at(this.#word) === 'key=') this.#first = 'key='
    return byte
  }

  #wordByte(byte: number, column: number): number {
    const isDigit = byte >= 0x30 && byte <= 0x39
    const flagsAt = META_FLAGS_AT[this.#first] ?? 0
    if (this.#first === 'VALUE') {
      if (this.#index === 1) return this.#keys.letter(byte)
      if (this.#index > 3) return isDigit ? ZERO : MASKED
      return isDigit && column < LONGEST_NUMBER ? byte : MASKED
    }
    if (this.#first === 'VA' && this.#index === 1) return isDigit && column < LONGEST_NUMBER ? byte : MASKED
    if (flagsAt === 0 || this.#index < flagsAt) return MASKED
    if (column === 0) {
      this.#flag = byte
      return byte
    }
    if (this.#flag === 0x4f) return this.#tokens.letter(byte)
    if (this.#flag === 0x6b) return this.#keys.letter(byte)
    return isDigit ? ZERO : MASKED
  }

  #endWord(): void {
    this.#inWord = false
    const index = this.#index++
    if (index === 0 && this.#first === '') this.#first = WORDS.at(this.#word) ?? ''
    else if (index > 0 && index === LENGTH_AT[this.#first]) this.#length = parseNumber(this.#text, 0, this.#column)
  }

  #endLine(): void {
    this.#place = Place.between
    this.#inValues = this.#first === 'VALUE'
    if (this.#length < 0) return
    this.#place = Place.data
    this.#left = this.#length
    if (this.#length === 0) this.#endData(2)
  }

  #lose(): number {
    this.#place = Place.lost
    return UNREAD
  }
}
