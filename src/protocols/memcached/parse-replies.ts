import type { InputStream } from '../input-stream.js'
import { sameWord, wordHash } from './commands.js'
import { CARRIAGE_RETURN, endOfWord, findLineFeed, LONGEST_LINE, parseNumber, Words } from './lines.js'

export interface ReplyHandler {
  /**
   * An answer begins with this word (`NUMBER`: a bare number). Of a meta answer, `flagsAt` is the place of its first
   * flag among the words of its line; 0 for all others.
   */
  replyBegin(word: string, bytes: Uint8Array, words: Words, flagsAt: number, offset: number): void
  /** One VALUE block of the answer. */
  value(): void
  /** The answer that began last is over; `word` of its last line. */
  replyEnd(word: string, offset: number): void
  /** True if every key that was asked for has been answered, so that only END can follow. */
  everyKeyAnswered(): boolean
  repliesLost(offset: number): void
}

/** Lines after which more lines of the same answer follow. */
const CONTINUED = 'VALUE STAT ITEM mg'.split(' ')
/** Lines that are an answer or end one. */
const FINAL =
  `STORED NOT_STORED EXISTS NOT_FOUND DELETED TOUCHED OK RESET END VERSION ERROR CLIENT_ERROR SERVER_ERROR BUSY
BADCLASS NOSPARE NOTFULL UNSAFE SAME HD VA EN NF NS EX MN ME`.split(/\s+/)
/** First words of lines that a server sends, beside numbers. */
export const replyWords: readonly string[] = [...CONTINUED, ...FINAL, 'key=']
export const META_FLAGS_AT: Record<string, number> = { HD: 1, VA: 2, EN: 1, NF: 1, NS: 1, EX: 1, MN: 1 }

const END_LINE_BYTES = 5
const LONGEST_WORD = 16
const MOST_ATTEMPTS = 8

interface LineWord {
  readonly word: string
  readonly continued: boolean
}

const NUMBER: LineWord = { word: 'NUMBER', continued: false }
const DUMPED: LineWord = { word: 'key=', continued: true }
const byHash = new Map<number, LineWord>()
for (const word of [...CONTINUED, ...FINAL]) {
  const bytes = new TextEncoder().encode(word)
  byHash.set(wordHash(bytes, 0, bytes.length), { word, continued: CONTINUED.includes(word) })
}

/** What the line that begins with bytes[start, end) is, if a server sends such lines. */
export function lineWord(bytes: Uint8Array, start: number, end: number): LineWord | undefined {
  if (sameWord('key=', bytes, start, Math.min(end, start + 4))) return DUMPED
  if (end - start > 20 || end === start) return undefined
  const found = byHash.get(wordHash(bytes, start, end))
  if (found !== undefined && sameWord(found.word, bytes, start, end)) return found
  for (let i = start; i < end; i++) if (bytes[i]! < 0x30 || bytes[i]! > 0x39) return undefined
  return NUMBER
}

/** Reads one server's answers without keeping values: data blocks are passed by their lengths. */
export class ReplyReader {
  adrift: boolean
  failed = false

  readonly #handler: ReplyHandler
  readonly #words = new Words()
  #inReply = false
  /** The last line of the answer has been read, its data block perhaps not. */
  #finalWord = ''
  #inValues = false
  /** In the middle of a long line that nobody looks at. */
  #inLine = false
  #expected = -1
  /** What came before this time answers nobody who is known. */
  #freshNs = Number.NEGATIVE_INFINITY
  #attempts = MOST_ATTEMPTS

  constructor(handler: ReplyHandler, adrift: boolean) {
    this.#handler = handler
    this.adrift = adrift
  }

  /** Whoever has lost the place: the next answer begins with the next call of the server after this time. */
  findPlace(timeNs: number): void {
    if (!this.adrift) return
    this.adrift = false
    this.#freshNs = timeNs
  }

  read(stream: InputStream): void {
    if (stream.skipping) return
    if (this.#expected >= 0 && this.#expected !== stream.position) this.#lose(stream.position)
    while (!this.failed && !stream.skipping) {
      if (this.#inLine) {
        if (!this.#restOfLine(stream)) break
      } else if (this.#finalWord !== '') {
        const word = this.#finalWord
        this.#finalWord = ''
        this.#inReply = this.#inValues = false
        this.#attempts = 0
        this.#handler.replyEnd(word, stream.position)
      } else if (!this.#between(stream)) break
    }
    if (!stream.skipping) this.#expected = stream.position
  }

  #wait(stream: InputStream): boolean {
    if (stream.hole === 0) return false
    if (stream.available === 0 && this.#inValues) {
      // What follows the last value is known without being seen.
      if (stream.hole === END_LINE_BYTES || (stream.hole > END_LINE_BYTES && this.#handler.everyKeyAnswered())) {
        this.#finalWord = 'END'
        stream.skip(END_LINE_BYTES)
        return true
      }
    }
    stream.resume()
    this.#lose(stream.position)
    return false
  }

  #lose(offset: number): void {
    this.#inReply = this.#inLine = this.#inValues = false
    this.#finalWord = ''
    this.adrift = true
    this.#handler.repliesLost(offset)
  }

  #refuse(stream: InputStream): false {
    if (++this.#attempts > MOST_ATTEMPTS) this.failed = true
    stream.resume()
    this.#lose(stream.position)
    return false
  }

  #between(stream: InputStream): boolean {
    const { bytes, start, end } = stream
    if (start === end) return this.#wait(stream)
    if (stream.timeNs < this.#freshNs) {
      stream.resume()
      this.#lose(stream.position)
      return false
    }
    if (this.adrift) {
      stream.consume(end - start)
      return this.#wait(stream)
    }
    const lineEnd = findLineFeed(bytes, start, Math.min(end, start + LONGEST_LINE))
    const wordEnd = endOfWord(bytes, start, lineEnd < 0 ? end : lineEnd)
    if (lineEnd < 0 && wordEnd === end) {
      const plausible = end - start <= LONGEST_WORD || sameWord('key=', bytes, start, start + 4)
      if (plausible && end - start < LONGEST_LINE) return this.#wait(stream)
    }
    const found = lineWord(bytes, start, wordEnd)
    if (found === undefined) return this.#refuse(stream)
    if (lineEnd >= 0) return this.#line(stream, found, lineEnd)
    if (stream.hole > 0) return this.#cutLine(stream, found)
    if (end - start < LONGEST_LINE) return false
    this.#begin(stream, found, end)
    this.#inLine = true
    if (!found.continued) this.#finalWord = found.word
    return true
  }

  #line(stream: InputStream, { word, continued }: LineWord, lineEnd: number): boolean {
    const { bytes, start } = stream
    if (bytes[lineEnd - 1] !== CARRIAGE_RETURN) return this.#refuse(stream)
    if (word === NUMBER.word && endOfWord(bytes, start, lineEnd) !== lineEnd - 1) return this.#refuse(stream)
    this.#begin(stream, { word, continued }, lineEnd)
    let count = lineEnd + 1 - start
    const lengthAt = word === 'VALUE' ? 3 : word === 'VA' ? 1 : 0
    if (lengthAt > 0) {
      const words = this.#words
      words.split(bytes, start, lineEnd)
      const length = lengthAt < words.known ? parseNumber(bytes, words.start(lengthAt), words.end(lengthAt)) : -1
      if (length < 0) return this.#refuse(stream)
      count += length + 2
    }
    if (word === 'VALUE') {
      this.#inValues = true
      this.#handler.value()
    }
    if (!continued) this.#finalWord = word
    this.#expected = stream.position + count
    stream.skip(count)
    return true
  }

  /** The end of the line is in a hole: how it begins is all that will be known. */
  #cutLine(stream: InputStream, found: LineWord): boolean {
    this.#begin(stream, found, stream.end)
    return this.#wait(stream)
  }

  #begin(stream: InputStream, { word }: LineWord, lineEnd: number): void {
    if (this.#inReply) return
    this.#inReply = true
    const flagsAt = META_FLAGS_AT[word] ?? 0
    if (flagsAt > 0) this.#words.split(stream.bytes, stream.start, lineEnd)
    this.#handler.replyBegin(word, stream.bytes, this.#words, flagsAt, stream.position)
  }

  #restOfLine(stream: InputStream): boolean {
    const { bytes, start, end } = stream
    const lineEnd = findLineFeed(bytes, start, end)
    stream.consume((lineEnd < 0 ? end : lineEnd + 1) - start)
    if (lineEnd < 0) return this.#wait(stream)
    this.#inLine = false
    return true
  }
}
