import type { InputStream } from '../input-stream.js'
import { type Command, commandNamed, knownCommand } from './commands.js'
import { Byte, findLineFeed, Length, LONGEST_LENGTH_LINE, parseLength } from './tokens.js'

/** Who is told of the commands that a client sends. */
export interface RequestHandler {
  /** A command begins at stream offset `offset`, where the stream still stands; its first bytes came at `timeNs`. */
  command(command: Command, argumentCount: number, offset: number, timeNs: number): void
  /** One of the arguments that the command looks at; the first argument is number 1. */
  argument(index: number, bytes: Uint8Array, start: number, end: number): void
  /** The command that began last is over. `truncated`: part of it was not seen. */
  commandEnd(offset: number, truncated: boolean): void
  /** Bytes up to `offset` could not be followed; there may have been commands in them. */
  requestsLost(offset: number): void
}

/** Longest argument that is looked at; keys are rarely longer, and a longer one is only not hashed. */
const LONGEST_ARGUMENT = 512
/** The server's own limit (PROTO_INLINE_MAX_SIZE) is 64 KiB; no client that is worth following comes near this. */
const LONGEST_INLINE = 1024
/** Bytes of an unreadable client after so many attempts are no Redis commands. */
const MOST_ATTEMPTS = 8

/**
 * Reads one client's commands: arrays of bulk strings and inline commands. Arguments that nobody looks at are passed
 * by their lengths, whether they were copied or not; after a hole whose inside cannot be known the reader is adrift
 * until a chunk begins with a command.
 */
export class RequestReader {
  /** The place in the stream is not known to be between two commands. */
  adrift: boolean
  /** These bytes are no commands. */
  failed = false

  readonly #handler: RequestHandler
  #open = false
  #command: Command | undefined
  /** Arguments still to come, and the number of the next. */
  #left = 0
  #next = 0
  #truncated = false
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
      if (!(this.#open ? this.#inside(stream) : this.#between(stream))) break
    }
    if (!stream.skipping) this.#expected = stream.position
  }

  /** More bytes are needed; if a hole lies where they would be, they will never come. */
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
    if (this.#open) {
      this.#open = false
      this.#handler.commandEnd(offset, true)
    }
    this.#handler.requestsLost(offset)
  }

  /** Bytes that no client may send here: all that is readable is given up. */
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
    return bytes[start] === Byte.array ? this.#array(stream) : this.#inline(stream)
  }

  #array(stream: InputStream): boolean {
    const { bytes, start, end } = stream
    const lineEnd = findLineFeed(bytes, start, Math.min(end, start + LONGEST_LENGTH_LINE))
    if (lineEnd < 0) return end - start < LONGEST_LENGTH_LINE ? this.#wait(stream) : this.#refuse(stream)
    const count = parseLength(bytes, start + 1, lineEnd)
    if (count < Length.nil) return this.#refuse(stream)
    if (count <= 0) {
      // The server passes over an empty array without an answer.
      stream.consume(lineEnd + 1 - start)
      return true
    }
    const nameLine = lineEnd + 1
    const nameLineEnd = findLineFeed(bytes, nameLine, Math.min(end, nameLine + LONGEST_LENGTH_LINE))
    if (nameLineEnd < 0) {
      const wrong = nameLine < end && bytes[nameLine] !== Byte.bulkString
      return wrong || end - nameLine >= LONGEST_LENGTH_LINE ? this.#refuse(stream) : this.#wait(stream)
    }
    const length = parseLength(bytes, nameLine + 1, nameLineEnd)
    if (bytes[nameLine] !== Byte.bulkString || length < 0) return this.#refuse(stream)
    const name = nameLineEnd + 1
    const known = Math.min(length, LONGEST_ARGUMENT)
    if (end < name + known) return this.#wait(stream)
    const command = commandNamed(bytes, name, name + length)
    this.#begin(command, count - 1, stream)
    this.#skip(stream, name + length + 2 - start)
    return true
  }

  #begin(command: Command, argumentCount: number, stream: InputStream): void {
    this.#open = true
    this.#command = command
    this.#left = argumentCount
    this.#next = 1
    this.#truncated = false
    if (command.known) this.#attempts = 0
    this.#handler.command(command, argumentCount, stream.position, stream.timeNs)
  }

  #inside(stream: InputStream): boolean {
    while (this.#left > 0) {
      const { bytes, start, end } = stream
      const lineEnd = findLineFeed(bytes, start, Math.min(end, start + LONGEST_LENGTH_LINE))
      if (lineEnd < 0) {
        const wrong = start < end && bytes[start] !== Byte.bulkString
        return wrong || end - start >= LONGEST_LENGTH_LINE ? this.#refuse(stream) : this.#wait(stream)
      }
      const length = parseLength(bytes, start + 1, lineEnd)
      if (bytes[start] !== Byte.bulkString || length < 0) return this.#refuse(stream)
      const argument = lineEnd + 1
      if (length <= LONGEST_ARGUMENT && this.#next < 8 && ((this.#command!.looksAt >> this.#next) & 1) === 1) {
        if (argument + length <= end) this.#handler.argument(this.#next, bytes, argument, argument + length)
        else if (stream.hole === 0) return false
        else this.#truncated = true
      }
      this.#left--
      this.#next++
      this.#skip(stream, argument + length + 2 - start)
      if (stream.skipping) return false
    }
    this.#open = false
    this.#handler.commandEnd(stream.position, this.#truncated)
    return true
  }

  #skip(stream: InputStream, count: number): void {
    this.#expected = stream.position + count
    stream.skip(count)
  }

  /** Words between spaces, up to a line feed: what people and health checks type. */
  #inline(stream: InputStream): boolean {
    const { bytes, start, end } = stream
    const lineEnd = findLineFeed(bytes, start, Math.min(end, start + LONGEST_INLINE))
    if (lineEnd < 0) {
      return end - start < LONGEST_INLINE && isText(bytes[start]!) ? this.#wait(stream) : this.#refuse(stream)
    }
    const words = wordsOf(bytes, start, lineEnd)
    if (words.length === 0) {
      stream.consume(lineEnd + 1 - start)
      return true
    }
    const command = knownCommand(bytes, words[0]!, words[1]!)
    if (command === undefined) return this.#refuse(stream)
    this.#begin(command, words.length / 2 - 1, stream)
    for (let i = 1; i < words.length / 2; i++) {
      if (i < 8 && ((command.looksAt >> i) & 1) === 1) {
        this.#handler.argument(i, bytes, words[i * 2]!, words[i * 2 + 1]!)
      }
    }
    this.#left = 0
    stream.consume(lineEnd + 1 - start)
    return true
  }
}

function isText(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === Byte.carriageReturn || byte === Byte.lineFeed
}

/** Starts and ends of the words in bytes[start, end). */
function wordsOf(bytes: Uint8Array, start: number, end: number): number[] {
  const words: number[] = []
  let from = -1
  for (let i = start; i <= end; i++) {
    const blank = i === end || bytes[i] === Byte.space || bytes[i] === Byte.carriageReturn
    if (!blank && from < 0) from = i
    if (blank && from >= 0) {
      words.push(from, i)
      from = -1
    }
  }
  return words
}

/**
 * True if bytes[start, end) begin like a command that is an array (`*2`, `$3`, a letter), false if they cannot,
 * undefined while there are too few of them.
 */
export function beginsCommand(bytes: Uint8Array, start: number, end: number): boolean | undefined {
  let at = start
  for (const type of [Byte.array, Byte.bulkString]) {
    if (at === end) return undefined
    if (bytes[at] !== type) return false
    const lineEnd = findLineFeed(bytes, at, Math.min(end, at + LONGEST_LENGTH_LINE))
    if (lineEnd < 0) return end - at < LONGEST_LENGTH_LINE && isLengthSoFar(bytes, at + 1, end) ? undefined : false
    if (parseLength(bytes, at + 1, lineEnd) <= 0) return false
    at = lineEnd + 1
  }
  if (at === end) return undefined
  const letter = bytes[at]! | 0x20
  return letter >= 0x61 && letter <= 0x7a
}

function isLengthSoFar(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if ((byte < 0x30 || byte > 0x39) && byte !== Byte.carriageReturn) return false
  }
  return true
}
