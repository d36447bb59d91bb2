import { HttpHeadersMask } from './http-headers-mask.js'
import { MASKED, type Pseudonyms } from './pseudonyms.js'

const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
/** `0`, and two line ends. */
const LAST_CHUNK_LENGTH = 5
/** 13 hex digits: 2^52. */
const MOST_SIZE_DIGITS = 13

const Place = { over: 0, bytes: 1, size: 2, extension: 3, data: 4, trailers: 5, untilEnd: 6 } as const

/** Bodies: nothing of them stays but the sizes of chunks. */
export class HttpBodyMask {
  readonly #trailers: HttpHeadersMask
  #place: number = Place.over
  #left = 0
  #size = 0
  #digits = 0

  constructor(pseudonyms: Pseudonyms) {
    this.#trailers = new HttpHeadersMask(pseudonyms)
  }

  get ended(): boolean {
    return this.#place === Place.over
  }

  beginLength(length: number): void {
    this.#left = length
    this.#place = length > 0 ? Place.bytes : Place.over
  }

  beginChunks(): void {
    this.#beginSize()
  }

  beginUntilEnd(): void {
    this.#place = Place.untilEnd
  }

  /** Masks up to the body's end; returns where that is, or `end`; −1 for bytes that cannot be framed. */
  pass(bytes: Uint8Array, i: number, end: number): number {
    while (i < end && this.#place !== Place.over) {
      switch (this.#place) {
        case Place.bytes:
        case Place.data: {
          const stop = Math.min(end, i + this.#left)
          this.#cover(bytes, i, stop)
          this.#passed(stop - i)
          i = stop
          break
        }
        case Place.size:
        case Place.extension:
          if (!this.#inSize(bytes, i)) return -1
          i++
          break
        case Place.trailers:
          i = this.#trailers.pass(bytes, i, end)
          if (this.#trailers.ended) this.#place = Place.over
          break
        default:
          bytes.fill(MASKED, i, end)
          i = end
      }
    }
    return i
  }

  /** False when it is not known where the body goes on behind the hole. */
  hole(count: number): boolean {
    switch (this.#place) {
      case Place.untilEnd:
        return true
      case Place.size:
        // A hole that is just as long as the last chunk can hardly be anything else.
        if (this.#digits + count !== LAST_CHUNK_LENGTH || (this.#digits > 0 && this.#size > 0)) return false
        this.#place = Place.over
        return true
      case Place.bytes:
      case Place.data: {
        const here = Math.min(count, this.#left)
        this.#passed(here)
        return here === count || (!this.ended && this.hole(count - here))
      }
      default:
        return false
    }
  }

  /** The line end behind a chunk's data stays. */
  #cover(bytes: Uint8Array, start: number, end: number): void {
    const dataEnd = this.#place === Place.data ? start + Math.max(0, this.#left - 2) : end
    bytes.fill(MASKED, start, Math.min(end, dataEnd))
    for (let i = Math.max(start, dataEnd); i < end; i++) {
      if (bytes[i] !== CARRIAGE_RETURN && bytes[i] !== LINE_FEED) bytes[i] = MASKED
    }
  }

  #passed(count: number): void {
    this.#left -= count
    if (this.#left > 0) return
    if (this.#place === Place.data) this.#beginSize()
    else this.#place = Place.over
  }

  #beginSize(): void {
    this.#place = Place.size
    this.#size = this.#digits = 0
  }

  #inSize(bytes: Uint8Array, i: number): boolean {
    const byte = bytes[i]!
    if (byte === LINE_FEED) return this.#endSize()
    if (byte === CARRIAGE_RETURN) return true
    const digit = this.#place === Place.size ? hexDigit(byte) : -1
    if (digit < 0) {
      bytes[i] = byte === 0x3b || byte === 0x20 || byte === 0x09 ? byte : MASKED
      this.#place = Place.extension
      return this.#digits > 0
    }
    this.#size = this.#size * 16 + digit
    return ++this.#digits <= MOST_SIZE_DIGITS
  }

  #endSize(): boolean {
    if (this.#digits === 0) return false
    if (this.#size > 0) {
      this.#place = Place.data
      this.#left = this.#size + 2
    } else {
      this.#place = Place.trailers
      this.#trailers.begin()
    }
    return true
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}
