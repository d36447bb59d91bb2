import type { InputStream } from '../input-stream.js'
import { Byte, findLineFeed } from './bytes.js'

/** What `BodyReader.read` says. cut: bytes that frame the body were not copied. malformed: they make no sense. */
export const BodyState = { more: 0, done: 1, cut: 2, malformed: 3 } as const
export type BodyState = (typeof BodyState)[keyof typeof BodyState]

const Step = { length: 0, chunkSize: 1, chunkData: 2, trailers: 3, untilEnd: 4 } as const

/** Longest line of a chunk's size with its extensions, and longest trailer line. */
const LONGEST_LINE = 4096
const MOST_TRAILERS = 64
/** 13 hex digits: 2^52. */
const MOST_SIZE_DIGITS = 13
const LAST_CHUNK = new Uint8Array(Buffer.from('0\r\n\r\n', 'latin1'))
const CRLF_LENGTH = 2

/** Follows one body after another through a stream, by its length, its chunks, or to the end of the connection. */
export class BodyReader {
  /** Payload bytes, without the framing, that have been passed. */
  bytes = 0

  #step: number = Step.length
  #trailers = 0

  startLength(stream: InputStream, length: number): void {
    this.#step = Step.length
    this.bytes = length
    stream.skip(length)
  }

  startChunks(): void {
    this.#step = Step.chunkSize
    this.bytes = 0
  }

  startUntilEnd(): void {
    this.#step = Step.untilEnd
    this.bytes = 0
  }

  /** True if only the end of the connection ends this body. */
  get untilEnd(): boolean {
    return this.#step === Step.untilEnd
  }

  read(stream: InputStream): BodyState {
    for (;;) {
      if (stream.skipping) return BodyState.more
      let state: BodyState
      switch (this.#step) {
        case Step.length:
          return BodyState.done
        case Step.untilEnd:
          this.bytes += stream.resume()
          return stream.ended ? BodyState.done : BodyState.more
        case Step.chunkData:
          this.#step = Step.chunkSize
          continue
        case Step.chunkSize:
          state = this.#readChunkSize(stream)
          break
        default:
          return this.#readTrailers(stream)
      }
      if (state !== BodyState.done) return state
    }
  }

  #readChunkSize(stream: InputStream): BodyState {
    const { bytes, start, end } = stream
    const lineFeed = findLineFeed(bytes, start, end)
    if (lineFeed === -1) {
      if (endsInLastChunk(stream)) {
        stream.skip(LAST_CHUNK.length)
        this.#step = Step.length
        return BodyState.done
      }
      if (stream.hole > 0) return BodyState.cut
      return end - start > LONGEST_LINE ? BodyState.malformed : BodyState.more
    }
    const size = parseChunkSize(bytes, start, lineFeed)
    if (size < 0) return BodyState.malformed
    stream.consume(lineFeed + 1 - start)
    if (size === 0) {
      this.#step = Step.trailers
      this.#trailers = 0
    } else {
      this.bytes += size
      this.#step = Step.chunkData
      stream.skip(size + CRLF_LENGTH)
    }
    return BodyState.done
  }

  #readTrailers(stream: InputStream): BodyState {
    for (;;) {
      const { bytes, start, end } = stream
      const lineFeed = findLineFeed(bytes, start, end)
      if (lineFeed === -1) {
        if (stream.hole > 0) return BodyState.cut
        return end - start > LONGEST_LINE ? BodyState.malformed : BodyState.more
      }
      const isEmpty = lineFeed === start || (lineFeed === start + 1 && bytes[start] === Byte.carriageReturn)
      stream.consume(lineFeed + 1 - start)
      if (isEmpty) return BodyState.done
      if (++this.#trailers > MOST_TRAILERS) return BodyState.malformed
    }
  }
}

/**
 * True if the last chunk is all that is left of a call of which not everything was copied: what lies in a hole of
 * just this length, where a chunk begins, can hardly be anything else.
 */
function endsInLastChunk(stream: InputStream): boolean {
  const { bytes, start, end, hole } = stream
  if (hole === 0 || end - start + hole !== LAST_CHUNK.length) return false
  for (let i = start; i < end; i++) if (bytes[i] !== LAST_CHUNK[i - start]) return false
  return true
}

/** The size in front of a chunk's extensions (RFC 9112, 7.1); -1 if there is none. */
function parseChunkSize(bytes: Uint8Array, start: number, lineFeed: number): number {
  let size = 0
  let i = start
  for (; i < lineFeed; i++) {
    const byte = bytes[i]!
    let digit = byte - Byte.zero
    if (digit > 9) digit = (byte | 0x20) - 0x57
    if (digit < 0 || digit > 15 || (digit < 10 && byte > Byte.nine)) break
    size = size * 16 + digit
    if (i - start >= MOST_SIZE_DIGITS) return -1
  }
  if (i === start) return -1
  const next = bytes[i]!
  const wellFormed =
    next === Byte.lineFeed ||
    next === Byte.carriageReturn ||
    next === Byte.semicolon ||
    next === Byte.space ||
    next === Byte.tab
  return wellFormed ? size : -1
}
