import type { InputStream } from '../input-stream.js'
import { type Command, commandNamed, LONGEST_WORD, sameWord } from './commands.js'
import { endOfWord, findLineFeed, isBlank, LONGEST_LINE, parseNumber, Words } from './lines.js'

/** The line of a command, valid while the handler runs. */
export interface RequestLine {
  readonly command: Command
  readonly bytes: Uint8Array
  readonly words: Words
  /** Neither an answer nor an error is wanted: `noreply`. */
  readonly silent: boolean
}

export interface RequestHandler {
  /** A command begins at stream offset `offset`, where the stream still stands; its first bytes came at `timeNs`. */
  command(line: RequestLine, offset: number, timeNs: number): void
  /** The command that began last is over, its data block included. `words` on its line. */
  commandEnd(offset: number, words: number, truncated: boolean): void
  requestsLost(offset: number): void
}

const MOST_ATTEMPTS = 8

/**
 * Reads one client's commands of the text and the meta protocol. Data blocks are passed by their lengths; after a hole
 * whose inside cannot be known the reader is adrift until a call begins with a command.
 */
export class RequestReader {
  adrift: boolean
  failed = false

  readonly #handler: RequestHandler
  readonly #words = new Words()
  #open = false
  /** In the middle of a line too long to be kept (many keys): words so far, and whether the last one goes on. */
  #inLine = false
  #inWord = false
  #wordCount = 0
  #expected = -1
  /** Time of the call in which the place was lost: only a later call may begin with something whole. */
  #lostAtNs = Number.NaN
  #attempts = MOST_ATTEMPTS

  constructor(handler: RequestHandler, adrift: boolean) {
    this.#handler = handler
    this.adrift = adrift
  }

  read(stream: InputStream): void {
    if (stream.skipping) return
    if (this.#expected >= 0 && this.#expected !== stream.position) this.#lose(stream.position)
    while (!this.failed && !stream.skipping) {
      if (this.#inLine) {
        if (!this.#restOfLine(stream)) break
      } else if (this.#open) {
        this.#open = false
        this.#handler.commandEnd(stream.position, this.#wordCount, false)
      } else if (!this.#between(stream)) break
    }
    if (!stream.skipping) this.#expected = stream.position
  }

  #wait(stream: InputStream): false {
    if (stream.hole > 0) this.#giveUp(stream)
    return false
  }

  #giveUp(stream: InputStream): void {
    stream.resume()
    this.#lostAtNs = stream.timeNs
    this.#lose(stream.position)
  }

  #lose(offset: number): void {
    this.adrift = true
    this.#inLine = false
    if (this.#open) {
      this.#open = false
      this.#handler.commandEnd(offset, this.#wordCount, true)
    }
    this.#handler.requestsLost(offset)
  }

  #refuse(stream: InputStream): false {
    if (++this.#attempts > MOST_ATTEMPTS) this.failed = true
    this.#giveUp(stream)
    return false
  }

  #between(stream: InputStream): boolean {
    const { bytes, start, end } = stream
    if (start === end) return this.#wait(stream)
    if (this.adrift) {
      const begins = stream.timeNs !== this.#lostAtNs && beginsCommand(bytes, start, end)
      if (begins === undefined) return this.#wait(stream)
      if (!begins) {
        stream.consume(end - start)
        return this.#wait(stream)
      }
      this.adrift = false
    }
    const lineEnd = findLineFeed(bytes, start, Math.min(end, start + LONGEST_LINE))
    const isCut = lineEnd < 0 && (stream.hole > 0 || end - start >= LONGEST_LINE)
    if (lineEnd < 0 && !isCut) return this.#plausible(stream) ? false : this.#refuse(stream)
    const wordEnd = endOfWord(bytes, start, lineEnd < 0 ? end : lineEnd)
    const command = commandNamed(bytes, start, wordEnd)
    if (command === undefined || (isCut && wordEnd === end))
      return isCut ? this.#lostLine(stream) : this.#refuse(stream)
    return isCut ? this.#cutLine(stream, command) : this.#line(stream, command, lineEnd)
  }

  /** The beginning of a line may still become a command. */
  #plausible(stream: InputStream): boolean {
    const { bytes, start, end } = stream
    const wordEnd = endOfWord(bytes, start, end)
    return wordEnd === end ? wordEnd - start <= LONGEST_WORD : commandNamed(bytes, start, wordEnd) !== undefined
  }

  #lostLine(stream: InputStream): false {
    return stream.hole > 0 ? this.#wait(stream) : this.#refuse(stream)
  }

  #line(stream: InputStream, command: Command, lineEnd: number): boolean {
    const { bytes, start } = stream
    const words = this.#words
    words.split(bytes, start, lineEnd)
    const silent = command.mayBeSilent && sameWord('noreply', bytes, words.lastStart, words.lastEnd)
    this.#begin(stream, command, silent)
    const { lengthAt } = command
    const length =
      lengthAt > 0 && lengthAt < words.known ? parseNumber(bytes, words.start(lengthAt), words.end(lengthAt)) : -1
    const count = lineEnd + 1 - start + (length < 0 ? 0 : length + 2)
    this.#expected = stream.position + count
    stream.skip(count)
    return true
  }

  /** A line whose end cannot be seen yet, or ever: its first words are enough. */
  #cutLine(stream: InputStream, command: Command): boolean {
    const { bytes, start } = stream
    if (stream.hole === 0 && command.kind !== 'retrieve') return this.#refuse(stream)
    const end = Math.min(stream.end, start + LONGEST_LINE)
    this.#words.split(bytes, start, end)
    this.#begin(stream, command, false)
    this.#inLine = true
    this.#inWord = !isBlank(bytes[end - 1])
    stream.consume(end - start)
    return true
  }

  #restOfLine(stream: InputStream): boolean {
    const { bytes, start, end } = stream
    if (start === end) return this.#wait(stream)
    for (let at = start; at < end; at++) {
      const blank = isBlank(bytes[at])
      if (!blank && !this.#inWord) this.#wordCount++
      this.#inWord = !blank
      if (bytes[at] === 0x0a) {
        this.#inLine = false
        stream.consume(at + 1 - start)
        return true
      }
    }
    stream.consume(end - start)
    return this.#wait(stream)
  }

  #begin(stream: InputStream, command: Command, silent: boolean): void {
    this.#open = true
    this.#attempts = 0
    this.#wordCount = this.#words.count
    this.#handler.command({ command, bytes: stream.bytes, words: this.#words, silent }, stream.position, stream.timeNs)
  }
}

/**
 * True if bytes[start, end) begin like a command with its key, false if they cannot, undefined while there are too few
 * of them.
 */
export function beginsCommand(bytes: Uint8Array, start: number, end: number): boolean | undefined {
  const wordEnd = endOfWord(bytes, start, end)
  if (wordEnd === end) return wordEnd - start <= LONGEST_WORD ? undefined : false
  const command = commandNamed(bytes, start, wordEnd)
  if (command === undefined) return false
  if (command.keyAt === 0) return true
  if (wordEnd + 1 >= end) return undefined
  return bytes[wordEnd] === 0x20 && bytes[wordEnd + 1]! > 0x20
}
