import { type Command, commandNamed, commandNames } from '../protocols/memcached/commands.js'
import { CARRIAGE_RETURN, LINE_FEED, parseNumber, SPACE } from '../protocols/memcached/lines.js'
import { beginsCommand } from '../protocols/memcached/parse-requests.js'
import { KnownWords } from './known-words.js'
import type { DirectionMask } from './protocol-mask.js'
import { type Chain, MASKED, type Pseudonyms, UNREAD } from './pseudonyms.js'

const NAMES = new KnownWords(commandNames)
const NOREPLY = new KnownWords(['noreply'])
const ZERO = 0x30
const MINUS = 0x2d
const LONGEST_NUMBER = 11
const LONGEST_NAME = 16

const Place = { between: 0, line: 1, data: 2, dataEnd: 3, lost: 4 } as const
/** What becomes of a word. */
const Kind = { hidden: 0, name: 1, key: 2, number: 3, amount: 4, flag: 5 } as const

/** Words of a line after the command's name that are numbers which frame or tell how long something lives. */
const NUMBERS: Readonly<Record<string, readonly number[]>> = {
  set: [2, 3, 4],
  add: [2, 3, 4],
  replace: [2, 3, 4],
  append: [2, 3, 4],
  prepend: [2, 3, 4],
  cas: [2, 3, 4],
  touch: [2],
  gat: [1],
  gats: [1],
  ms: [2],
}

/** Commands, lengths and flags; keys and opaque tokens become others, values and amounts nothing at all. */
export class MemcachedClientMask implements DirectionMask {
  readonly #keys: Chain
  readonly #tokens: Chain
  readonly #text = new Uint8Array(LONGEST_NAME)
  #place: number
  #index = 0
  #inWord = false
  #column = 0
  #kind: number = Kind.hidden
  #word: number = KnownWords.start
  #flag = 0
  #command: Command | undefined
  #length = -1
  #left = 0

  constructor(pseudonyms: Pseudonyms, lost: boolean) {
    this.#keys = pseudonyms.chain('memcached key')
    this.#tokens = pseudonyms.chain('memcached token')
    this.#place = lost ? Place.lost : Place.between
  }

  pass(bytes: Uint8Array, start: number, end: number): void {
    if (this.#place === Place.lost && beginsCommand(bytes, start, end) === true) this.#place = Place.between
    for (let i = start; i < end; ) {
      if (this.#place === Place.lost) {
        bytes.fill(UNREAD, i, end)
        return
      }
      if (this.#place === Place.data) {
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
    const left = this.#left + 2 - count
    if (this.#place !== Place.data || left < 0) {
      this.#place = Place.lost
      return
    }
    if (left > 2) this.#left -= count
    else this.#endData(left)
  }

  #passed(count: number): void {
    this.#left -= count
    if (this.#left === 0) this.#endData(2)
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
      this.#inWord = false
      this.#command = undefined
      this.#length = -1
    }
    const isBlank = byte === SPACE || byte === CARRIAGE_RETURN || byte === LINE_FEED
    if (!isBlank) return this.#inLine(byte)
    if (this.#inWord && !this.#endWord()) return this.#lose()
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
      this.#kind = this.#kindOf(this.#index)
    }
    const column = this.#column++
    if (column < LONGEST_NAME) this.#text[column] = byte
    return this.#wordByte(byte, column)
  }

  #kindOf(index: number): number {
    const command = this.#command
    if (index === 0) return Kind.name
    if (command === undefined) return Kind.hidden
    const { kind, keyAt, name } = command
    if (index === keyAt || (kind === 'retrieve' && index > keyAt)) return Kind.key
    if (NUMBERS[name]?.includes(index) === true) return Kind.number
    if ((kind === 'meta' || kind === 'metaStore') && index > 1) return Kind.flag
    return Kind.amount
  }

  #wordByte(byte: number, column: number): number {
    const isDigit = byte >= 0x30 && byte <= 0x39
    switch (this.#kind) {
      case Kind.name:
        this.#word = NAMES.step(this.#word, byte)
        return this.#word === KnownWords.none ? this.#lose() : byte
      case Kind.key:
        return this.#keys.letter(byte)
      case Kind.number:
        return column < LONGEST_NUMBER && (isDigit || (byte === MINUS && column === 0)) ? byte : MASKED
      case Kind.flag:
        if (column === 0) this.#flag = byte
        if (column === 0) return byte
        // O: an opaque token, which the answer repeats.
        return this.#flag === 0x4f ? this.#tokens.letter(byte) : isDigit ? ZERO : MASKED
      default:
        this.#word = NOREPLY.step(this.#word, byte)
        if (this.#word !== KnownWords.none) return byte
        return isDigit ? ZERO : column === 0 && byte === MINUS ? byte : MASKED
    }
  }

  /** False if there is no such command. */
  #endWord(): boolean {
    this.#inWord = false
    const index = this.#index++
    if (index === 0) this.#command = commandNamed(this.#text, 0, Math.min(this.#column, LONGEST_NAME))
    else if (index === this.#command?.lengthAt) this.#length = parseNumber(this.#text, 0, this.#column)
    return this.#command !== undefined
  }

  #endLine(): void {
    this.#place = Place.between
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
