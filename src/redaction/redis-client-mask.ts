import { type Command, commandNamed, knownCommandNames } from '../protocols/redis/commands.js'
import { beginsCommand } from '../protocols/redis/parse-requests.js'
import { Byte, Length, LONGEST_LENGTH_LINE, parseLength } from '../protocols/redis/tokens.js'
import { KnownWords } from './known-words.js'
import type { DirectionMask } from './protocol-mask.js'
import { type Chain, MASKED, type Pseudonyms, UNREAD } from './pseudonyms.js'

const NAMES = new KnownWords(knownCommandNames, { caseless: true })
/** Arguments of CLIENT that change who is answered. */
const CLIENT_WORDS = new KnownWords(['REPLY', 'ON', 'OFF', 'SKIP'], { caseless: true })
const LONGEST_NAME = 32
const LONGEST_KEY = 512
/** The server's own limit of an inline command is 64 KiB; no reader follows one that comes near this. */
const LONGEST_INLINE = 1024

const Place = { between: 0, count: 1, length: 2, argument: 3, argumentEnd: 4, inline: 5, lost: 6 } as const
/** What becomes of an argument. */
const Kind = { hidden: 0, name: 1, key: 2, number: 3, word: 4 } as const

/** Commands by name, with the lengths of their arguments; keys become others, values nothing at all. */
export class RedisClientMask implements DirectionMask {
  readonly #chain: Chain
  readonly #line = new Uint8Array(LONGEST_LENGTH_LINE)
  #place: number
  #lineLength = 0
  #argumentsLeft = 0
  #index = 0
  #left = 0
  #kind: number = Kind.hidden
  readonly #name = new Uint8Array(LONGEST_NAME)
  #nameLength = 0
  #command: Command | undefined
  #word: number = KnownWords.start
  #nameShown = false
  #inWord = false
  #inlineLength = 0

  constructor(pseudonyms: Pseudonyms, lost: boolean) {
    this.#chain = pseudonyms.chain('redis key')
    this.#place = lost ? Place.lost : Place.between
  }

  pass(bytes: Uint8Array, start: number, end: number): void {
    if (this.#place === Place.lost && beginsCommand(bytes, start, end) === true) this.#place = Place.between
    for (let i = start; i < end; ) {
      if (this.#place === Place.lost) {
        bytes.fill(UNREAD, i, end)
        return
      }
      if (this.#place === Place.argument && this.#left > 0) {
        const stop = Math.min(end, i + this.#left)
        this.#inArgument(bytes, i, stop)
        i = stop
        continue
      }
      bytes[i] = this.#next(bytes[i]!)
      i++
    }
  }

  hole(count: number): void {
    if (this.#place === Place.argument && count <= this.#left + 2 && this.#kind !== Kind.name) {
      const left = this.#left + 2 - count
      if (left <= 2) this.#endArgument(left)
      else this.#left -= count
      this.#kind = Kind.hidden
    } else this.#place = Place.lost
  }

  #next(byte: number): number {
    switch (this.#place) {
      case Place.between:
        return this.#begin(byte)
      case Place.count:
      case Place.length:
        return this.#inLine(byte)
      case Place.argumentEnd:
        if (--this.#left === 0) this.#nextArgument()
        return byte === Byte.carriageReturn || byte === Byte.lineFeed ? byte : MASKED
      default:
        return this.#inInline(byte)
    }
  }

  #begin(byte: number): number {
    this.#index = 0
    this.#nameLength = 0
    this.#command = undefined
    this.#word = KnownWords.start
    this.#lineLength = 0
    if (byte === Byte.array) {
      this.#place = Place.count
      return byte
    }
    if (byte === Byte.carriageReturn || byte === Byte.lineFeed) return byte
    this.#place = Place.inline
    this.#inlineLength = 0
    this.#inWord = false
    this.#nameShown = false
    return this.#inInline(byte)
  }

  /** `*3`, `$5`: the line that tells a number. */
  #inLine(byte: number): number {
    if (this.#place === Place.length && this.#lineLength === 0 && byte !== Byte.bulkString) return this.#lose()
    this.#line[this.#lineLength++] = byte
    if (byte !== Byte.lineFeed) {
      const isPlain = (byte >= 0x30 && byte <= 0x39) || byte === Byte.carriageReturn || byte === Byte.simpleError
      const isType = this.#place === Place.length && this.#lineLength === 1
      return (isPlain || isType) && this.#lineLength < LONGEST_LENGTH_LINE ? byte : this.#lose()
    }
    const isCount = this.#place === Place.count
    const number = parseLength(this.#line, isCount ? 0 : 1, this.#lineLength - 1)
    this.#lineLength = 0
    if (number < Length.nil || (!isCount && number < 0)) return this.#lose()
    if (!isCount) this.#beginArgument(number)
    else if (number <= 0) this.#place = Place.between
    else {
      this.#argumentsLeft = number
      this.#place = Place.length
    }
    return byte
  }

  #beginArgument(length: number): void {
    this.#left = length
    this.#kind = this.#index === 0 ? Kind.name : this.#kindOf(this.#index, length)
    this.#chain.begin()
    this.#word = KnownWords.start
    this.#nameShown = false
    this.#place = Place.argument
    if (length === 0) this.#endArgument(2)
  }

  #kindOf(index: number, length: number): number {
    const command = this.#command
    if (command === undefined || index >= 8 || ((command.looksAt >> index) & 1) === 0) return Kind.hidden
    if (command.effect === 'client') return Kind.word
    if (command.effect === 'select' || index === command.keyCountAt) return Kind.number
    return length <= LONGEST_KEY ? Kind.key : Kind.hidden
  }

  #inArgument(bytes: Uint8Array, start: number, end: number): void {
    if (this.#kind === Kind.hidden) bytes.fill(MASKED, start, end)
    else {
      // A name that few know (a module's) is shown where it can be seen whole.
      if (this.#kind === Kind.name && this.#nameLength === 0 && end - start === this.#left)
        this.#nameShown = commandNamed(bytes, start, end).name !== OTHER_NAME
      for (let i = start; i < end; i++) bytes[i] = this.#argumentByte(bytes[i]!, true)
    }
    this.#left -= end - start
    if (this.#left === 0) this.#endArgument(2)
  }

  #argumentByte(byte: number, isBinary: boolean): number {
    switch (this.#kind) {
      case Kind.name:
        if (this.#nameLength < LONGEST_NAME) this.#name[this.#nameLength] = byte
        this.#nameLength++
        this.#word = NAMES.step(this.#word, byte)
        return this.#nameShown || this.#word !== KnownWords.none ? byte : MASKED
      case Kind.key:
        return isBinary ? this.#chain.byte(byte) : this.#chain.letter(byte)
      case Kind.number:
        return byte >= 0x30 && byte <= 0x39 ? byte : MASKED
      case Kind.word:
        this.#word = CLIENT_WORDS.step(this.#word, byte)
        return this.#word === KnownWords.none ? MASKED : byte
      default:
        return MASKED
    }
  }

  /** @param left bytes of the line end that are still to come. */
  #endArgument(left: number): void {
    if (this.#kind === Kind.name) this.#named()
    this.#place = Place.argumentEnd
    this.#left = left
    if (left === 0) this.#nextArgument()
  }

  #named(): void {
    const length = this.#nameLength
    this.#command = length <= LONGEST_NAME ? commandNamed(this.#name, 0, length) : undefined
  }

  #nextArgument(): void {
    this.#index++
    this.#lineLength = 0
    this.#place = --this.#argumentsLeft === 0 ? Place.between : Place.length
  }

  /** Words between blanks, up to the line's end. */
  #inInline(byte: number): number {
    if (++this.#inlineLength > LONGEST_INLINE) return this.#lose()
    const isBlank = byte === Byte.space || byte === Byte.carriageReturn || byte === Byte.lineFeed
    if (!isBlank) {
      if (!this.#inWord) {
        this.#inWord = true
        this.#kind = this.#index === 0 ? Kind.name : this.#kindOf(this.#index, 0)
        this.#word = KnownWords.start
        this.#chain.begin()
      }
      return this.#argumentByte(byte, false)
    }
    if (this.#inWord) {
      this.#inWord = false
      if (this.#index++ === 0) this.#named()
      if (this.#command?.known !== true) return this.#lose()
    }
    if (byte === Byte.lineFeed) this.#place = Place.between
    return byte
  }

  #lose(): number {
    this.#place = Place.lost
    return UNREAD
  }
}

/** What is no name at all, see `commandNamed`. */
const OTHER_NAME = commandNamed(new Uint8Array(0), 0, 0).name
