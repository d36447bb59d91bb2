import { PUSH_WORDS } from '../protocols/redis/parse-replies.js'
import { Byte, Length, LONGEST_LENGTH_LINE, parseLength } from '../protocols/redis/tokens.js'
import { KnownWords } from './known-words.js'
import type { DirectionMask } from './protocol-mask.js'
import { MASKED, UNREAD } from './pseudonyms.js'

const STATUSES = new KnownWords(['OK', 'PONG', 'QUEUED', 'RESET', 'CONTINUE', 'FULLRESYNC'])
/** What a push says it is. */
const PUSHES = new KnownWords([...PUSH_WORDS])
const LONGEST_PUSH_WORD = 24
const LONGEST_PREFIX = 32
const ZERO = 0x30
const TRUE = 0x74

const Place = { between: 0, line: 1, length: 2, string: 3, stringEnd: 4, lost: 5 } as const
/** What becomes of a string. */
const Kind = { hidden: 0, error: 1, push: 2 } as const

/** Types, lengths, statuses and the first words of errors; numbers become zeros, strings nothing at all. */
export class RedisServerMask implements DirectionMask {
  readonly #line = new Uint8Array(LONGEST_LENGTH_LINE)
  #place: number
  #type = 0
  #column = 0
  #left = 0
  #kind: number = Kind.hidden
  #word: number = KnownWords.start
  /** The next value is the first one of an array or a push. */
  #isFirst = false
  #answerIsNext = false

  constructor(lost: boolean) {
    this.#place = lost ? Place.lost : Place.between
  }

  answerIsNext(): void {
    this.#answerIsNext = this.#place === Place.lost
  }

  pass(bytes: Uint8Array, start: number, end: number): void {
    if (this.#answerIsNext && start < end) {
      this.#answerIsNext = false
      this.#place = Place.between
      this.#isFirst = false
    }
    for (let i = start; i < end; ) {
      if (this.#place === Place.lost) {
        bytes.fill(UNREAD, i, end)
        return
      }
      if (this.#place === Place.string && this.#kind === Kind.hidden) {
        const stop = Math.min(end, i + this.#left)
        bytes.fill(MASKED, i, stop)
        this.#passed(stop - i)
        i = stop
        continue
      }
      bytes[i] = this.#next(bytes[i]!)
      i++
    }
  }

  hole(count: number): void {
    if (this.#place === Place.string && count <= this.#left + 2) {
      const left = this.#left + 2 - count
      this.#kind = Kind.hidden
      if (left > 2) this.#left -= count
      else this.#endString(left)
    } else this.#place = Place.lost
  }

  #next(byte: number): number {
    switch (this.#place) {
      case Place.between:
        return this.#begin(byte)
      case Place.line:
        return this.#inLine(byte)
      case Place.length:
        return this.#inLength(byte)
      case Place.string: {
        const shown = this.#inString(byte)
        this.#column++
        this.#passed(1)
        return shown
      }
      default:
        if (--this.#left === 0) this.#place = Place.between
        return byte === Byte.carriageReturn || byte === Byte.lineFeed ? byte : MASKED
    }
  }

  #begin(byte: number): number {
    this.#type = byte
    this.#column = 0
    this.#word = KnownWords.start
    switch (byte) {
      case Byte.simpleString:
      case Byte.simpleError:
      case Byte.integer:
      case Byte.nil:
      case Byte.boolean:
      case Byte.double:
      case Byte.bigNumber:
        this.#place = Place.line
        return byte
      case Byte.bulkString:
      case Byte.bulkError:
      case Byte.verbatimString:
      case Byte.array:
      case Byte.set:
      case Byte.push:
      case Byte.map:
      case Byte.attribute:
      case Byte.streamPart:
      case Byte.streamEnd:
        this.#place = Place.length
        return byte
      default:
        return this.#lose()
    }
  }

  #inLine(byte: number): number {
    if (byte === Byte.lineFeed) {
      this.#place = Place.between
      this.#isFirst = false
      return byte
    }
    const column = this.#column++
    if (byte === Byte.carriageReturn) return byte
    switch (this.#type) {
      case Byte.simpleString:
        this.#word = STATUSES.step(this.#word, byte)
        return this.#word === KnownWords.none ? MASKED : byte
      case Byte.simpleError:
        return this.#prefixByte(byte, column)
      case Byte.boolean:
        return TRUE
      case Byte.integer:
        return column === 0 && (byte === 0x2d || byte === 0x2b) ? byte : ZERO
      default:
        return ZERO
    }
  }

  /** The word in capitals that an error begins with. */
  #prefixByte(byte: number, column: number): number {
    const isPrefix = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x5f
    if (isPrefix && this.#word !== KnownWords.none && column < LONGEST_PREFIX) return byte
    const isEnd = byte === Byte.space && this.#word !== KnownWords.none
    this.#word = KnownWords.none
    return isEnd ? byte : MASKED
  }

  #inLength(byte: number): number {
    this.#line[this.#column++] = byte
    if (byte !== Byte.lineFeed) {
      const isDigit = byte >= 0x30 && byte <= 0x39
      const isPlain = isDigit || byte === Byte.carriageReturn || byte === Byte.simpleError || byte === Byte.question
      return isPlain && this.#column < LONGEST_LENGTH_LINE ? byte : this.#lose()
    }
    if (this.#type === Byte.streamEnd) {
      this.#place = Place.between
      return this.#column === 2 ? byte : this.#lose()
    }
    const length = parseLength(this.#line, 0, this.#column - 1)
    return length === Length.invalid ? this.#lose() : this.#sized(length, byte)
  }

  #sized(length: number, byte: number): number {
    this.#place = Place.between
    const wasFirst = this.#isFirst
    this.#isFirst = false
    switch (this.#type) {
      case Byte.array:
      case Byte.push:
        this.#isFirst = length > 0
        return byte
      case Byte.set:
      case Byte.map:
      case Byte.attribute:
        return byte
      case Byte.streamPart:
        if (length > 0) this.#beginString(length, Kind.hidden)
        return byte
    }
    if (length < 0) return byte
    const isPush = wasFirst && this.#type === Byte.bulkString && length <= LONGEST_PUSH_WORD
    this.#beginString(length, this.#type === Byte.bulkError ? Kind.error : isPush ? Kind.push : Kind.hidden)
    return byte
  }

  #beginString(length: number, kind: number): void {
    this.#place = Place.string
    this.#left = length
    this.#kind = kind
    this.#column = 0
    this.#word = KnownWords.start
    if (length === 0) this.#endString(2)
  }

  #inString(byte: number): number {
    if (this.#kind === Kind.error) return this.#prefixByte(byte, this.#column)
    this.#word = PUSHES.step(this.#word, byte)
    return this.#word === KnownWords.none ? MASKED : byte
  }

  #passed(count: number): void {
    this.#left -= count
    if (this.#left === 0) this.#endString(2)
  }

  /** @param left bytes of the line end that are still to come. */
  #endString(left: number): void {
    this.#place = left > 0 ? Place.stringEnd : Place.between
    this.#left = left
  }

  #lose(): number {
    this.#place = Place.lost
    return UNREAD
  }
}
