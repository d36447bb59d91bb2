import type { InputStream } from '../input-stream.js'
import { Byte, findLineFeed, Length, LONGEST_LENGTH_LINE, parseLength } from './tokens.js'

/** Who is told of the replies and pushes that a server sends. */
export interface ReplyHandler {
  /** A reply begins at stream offset `offset`. */
  replyBegin(offset: number): void
  /**
   * A message begins that answers no command, or confirms a subscription. `word` is what it says it is: `message`,
   * `subscribe`, `invalidate`; '' if that could not be seen.
   */
  pushBegin(word: string, offset: number): void
  /** The reply that began last is an error with this prefix: `WRONGTYPE`. */
  replyError(prefix: string): void
  /** The reply or push that began last is over. */
  replyEnd(offset: number): void
  /** Bytes up to `offset` could not be followed; there may have been replies in them. */
  repliesLost(offset: number): void
}

/** Streamed aggregates inside each other; fixed ones need no memory and may nest without bound. */
const MOST_STREAMED = 64
const LONGEST_PREFIX = 32
/** A push says within so many bytes what it is. */
const LONGEST_WORD = 24
const MOST_ATTEMPTS = 8

/** First words of what a server sends to subscribers, RESP 2 and 3. */
export const PUSH_WORDS: ReadonlySet<string> = new Set([
  'message',
  'pmessage',
  'smessage',
  'subscribe',
  'psubscribe',
  'ssubscribe',
  'unsubscribe',
  'punsubscribe',
  'sunsubscribe',
  'invalidate',
])

/**
 * Reads one server's replies, RESP 2 and 3, without keeping them: strings are passed by their lengths, and of nested
 * aggregates only the number of elements still to come is kept. After a hole whose inside cannot be known the reader
 * is adrift until its owner says that a reply begins (`adrift = false`) or a push is recognised.
 */
export class ReplyReader {
  adrift: boolean
  failed = false
  /** The client has subscribed: RESP 2 arrays may be pushes. */
  subscribed = false

  readonly #handler: ReplyHandler
  #inReply = false
  /** Elements still to come of the reply that is being read; Infinity inside a streamed aggregate. */
  #pending = 0
  /** What was pending outside each streamed aggregate. */
  readonly #outside: number[] = []
  /** The reply's own value has not been seen yet, only attributes. */
  #top = false
  /** In the middle of a long line, or of a string sent in parts. */
  #inLine = false
  #inParts = false
  #expected = -1
  /** What came before this time answers nobody who is known. */
  #freshNs = Number.NEGATIVE_INFINITY
  /** Time of the call in which the place was lost: only a later call may begin with something whole. */
  #lostAtNs = Number.NaN
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
      if (this.#pending > 0) {
        if (!this.#element(stream)) break
      } else if (this.#inReply) {
        this.#inReply = false
        this.#attempts = 0
        this.#handler.replyEnd(stream.position)
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
    this.#inReply = this.#inLine = this.#inParts = false
    this.#pending = 0
    this.#outside.length = 0
    this.adrift = true
    this.#handler.repliesLost(offset)
  }

  #refuse(stream: InputStream): false {
    if (++this.#attempts > MOST_ATTEMPTS) this.failed = true
    this.#giveUp(stream)
    return false
  }

  #between(stream: InputStream): boolean {
    const { bytes, start, end } = stream
    if (start === end) return this.#wait(stream)
    if (stream.timeNs < this.#freshNs) {
      this.#giveUp(stream)
      return false
    }
    const type = bytes[start]
    let word: string | undefined
    if (type === Byte.push || (type === Byte.array && (this.subscribed || this.adrift))) {
      word = pushWord(bytes, start, end)
      if (word === undefined && stream.hole === 0) return false
    }
    const isPush = type === Byte.push || (word !== undefined && PUSH_WORDS.has(word))
    if (this.adrift) {
      if (!isPush || word === undefined || word === '' || stream.timeNs === this.#lostAtNs) {
        stream.consume(end - start)
        return this.#wait(stream)
      }
      this.adrift = false
    }
    this.#pending = 1
    this.#inReply = this.#top = true
    if (isPush) this.#handler.pushBegin(word ?? '', stream.position)
    else this.#handler.replyBegin(stream.position)
    return true
  }

  #element(stream: InputStream): boolean {
    if (this.#inLine) return this.#line(stream)
    const { bytes, start, end } = stream
    if (start === end) return this.#wait(stream)
    switch (bytes[start]) {
      case Byte.simpleError:
        return this.#top && this.#pending === 1 ? this.#error(stream) : this.#line(stream)
      case Byte.simpleString:
      case Byte.integer:
      case Byte.nil:
      case Byte.boolean:
      case Byte.double:
      case Byte.bigNumber:
        return this.#line(stream)
      default:
        return this.#sized(stream)
    }
  }

  /** A value that is one line, kept no longer than needed to find its end. */
  #line(stream: InputStream): boolean {
    const { start, end } = stream
    const lineEnd = findLineFeed(stream.bytes, start, end)
    if (lineEnd < 0) {
      this.#inLine = true
      stream.consume(end - start)
      return this.#wait(stream)
    }
    this.#inLine = false
    stream.consume(lineEnd + 1 - start)
    this.#value()
    return true
  }

  #error(stream: InputStream): boolean {
    const { bytes, start, end } = stream
    const prefixEnd = endOfPrefix(bytes, start + 1, end)
    if (prefixEnd === end && end - start <= LONGEST_PREFIX && stream.hole === 0) return false
    this.#top = false
    this.#handler.replyError(errorPrefix(bytes, start + 1, prefixEnd))
    return this.#line(stream)
  }

  /** Values that begin with a length: strings, aggregates, parts and ends of streams. */
  #sized(stream: InputStream): boolean {
    const { bytes, start, end } = stream
    const type = bytes[start]!
    const lineEnd = findLineFeed(bytes, start, Math.min(end, start + LONGEST_LENGTH_LINE))
    if (lineEnd < 0) {
      return isSized(type) && end - start < LONGEST_LENGTH_LINE ? this.#wait(stream) : this.#refuse(stream)
    }
    if (type === Byte.streamEnd) return this.#streamEnd(stream, lineEnd)
    const length = parseLength(bytes, start + 1, lineEnd)
    if (length === Length.invalid) return this.#refuse(stream)
    switch (type) {
      case Byte.streamPart:
        return this.#part(stream, lineEnd, length)
      case Byte.bulkError:
      case Byte.bulkString:
      case Byte.verbatimString:
        return this.#string(stream, lineEnd, length)
      case Byte.array:
      case Byte.set:
      case Byte.push:
        return this.#aggregate(stream, lineEnd, length, 1)
      case Byte.map:
      case Byte.attribute:
        return this.#aggregate(stream, lineEnd, length, 2)
      default:
        return this.#refuse(stream)
    }
  }

  #string(stream: InputStream, lineEnd: number, length: number): boolean {
    const { bytes, start, end } = stream
    if (this.#inParts) return this.#refuse(stream)
    if (length === Length.streamed) {
      this.#inParts = true
      stream.consume(lineEnd + 1 - start)
      return true
    }
    const isError = bytes[start] === Byte.bulkError && this.#top && this.#pending === 1
    if (isError) {
      const content = lineEnd + 1
      const enough = Math.min(content + length, content + LONGEST_PREFIX)
      if (end < enough && stream.hole === 0) return false
      const shown = Math.min(end, enough)
      this.#handler.replyError(errorPrefix(bytes, content, endOfPrefix(bytes, content, shown)))
    }
    this.#value()
    this.#skip(stream, length === Length.nil ? lineEnd + 1 - start : lineEnd + 1 - start + length + 2)
    return true
  }

  /** One value has been passed, or begun. */
  #value(): void {
    if (this.#pending === 1) this.#top = false
    this.#pending--
  }

  #part(stream: InputStream, lineEnd: number, length: number): boolean {
    if (!this.#inParts || length < 0) return this.#refuse(stream)
    const line = lineEnd + 1 - stream.start
    if (length === 0) {
      this.#inParts = false
      this.#value()
      stream.consume(line)
    } else this.#skip(stream, line + length + 2)
    return true
  }

  #aggregate(stream: InputStream, lineEnd: number, length: number, width: 1 | 2): boolean {
    const isAttribute = stream.bytes[stream.start] === Byte.attribute
    if (this.#inParts || (isAttribute && length < 0)) return this.#refuse(stream)
    if (length === Length.streamed) {
      if (this.#outside.length === MOST_STREAMED) return this.#refuse(stream)
      this.#value()
      this.#outside.push(this.#pending)
      this.#pending = Number.POSITIVE_INFINITY
    } else {
      // An attribute stands before the value that it belongs to, and is not counted as one.
      if (!isAttribute) this.#value()
      this.#pending += Math.max(0, length) * width
    }
    stream.consume(lineEnd + 1 - stream.start)
    return true
  }

  #streamEnd(stream: InputStream, lineEnd: number): boolean {
    if (lineEnd !== stream.start + 2 || this.#outside.length === 0 || this.#pending !== Number.POSITIVE_INFINITY) {
      return this.#refuse(stream)
    }
    this.#pending = this.#outside.pop()!
    stream.consume(lineEnd + 1 - stream.start)
    return true
  }

  #skip(stream: InputStream, count: number): void {
    this.#expected = stream.position + count
    stream.skip(count)
  }
}

function isSized(type: number): boolean {
  switch (type) {
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
      return true
    default:
      return false
  }
}

/** End of the word of capitals, digits and `_` that begins at `start`. */
function endOfPrefix(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end) {
    const byte = bytes[at]!
    if (!((byte >= 0x41 && byte <= 0x5a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x5f)) break
    at++
  }
  return at
}

/** Errors begin with a word in capitals by convention; what does not is the generic error. */
function errorPrefix(bytes: Uint8Array, start: number, end: number): string {
  if (end === start || end - start > LONGEST_PREFIX) return 'ERR'
  return String.fromCharCode(...bytes.subarray(start, end))
}

/**
 * The first bulk string of the array or push at `start`; '' if its first element is no short bulk string, undefined
 * while there are too few bytes.
 */
function pushWord(bytes: Uint8Array, start: number, end: number): string | undefined {
  const lineEnd = findLineFeed(bytes, start, Math.min(end, start + LONGEST_LENGTH_LINE))
  if (lineEnd < 0) return end - start < LONGEST_LENGTH_LINE ? undefined : ''
  if (parseLength(bytes, start + 1, lineEnd) <= 0) return ''
  const nextEnd = findLineFeed(bytes, lineEnd + 1, Math.min(end, lineEnd + 1 + LONGEST_LENGTH_LINE))
  if (lineEnd + 1 < end && bytes[lineEnd + 1] !== Byte.bulkString) return ''
  if (nextEnd < 0) return end - lineEnd - 1 < LONGEST_LENGTH_LINE ? undefined : ''
  const length = parseLength(bytes, lineEnd + 2, nextEnd)
  if (length <= 0 || length > LONGEST_WORD) return ''
  if (nextEnd + 1 + length > end) return undefined
  return String.fromCharCode(...bytes.subarray(nextEnd + 1, nextEnd + 1 + length))
}
