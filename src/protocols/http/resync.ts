import type { InputStream } from '../input-stream.js'
import type { Sender } from '../protocol.js'
import { detectHttp } from './detect.js'

const LONGEST_LOOK = 256
/** Calls in a row that hold nothing of HTTP after bytes that made no sense. */
const MOST_STRAY_CALLS = 16

/**
 * Finds the next message after bytes that could not be followed: a call that begins like one. Everything up to there
 * is dropped.
 */
export class Resync {
  /** True: the bytes made no sense. False: they were not copied, and a long body may have to pass. */
  #stray = false
  #calls = 0
  readonly #sender: Sender

  constructor(sender: Sender) {
    this.#sender = sender
  }

  start(stream: InputStream, stray: boolean): void {
    this.#stray = stray
    stream.resume()
  }

  /** Too many calls have made no sense. */
  get hopeless(): boolean {
    return this.#calls > MOST_STRAY_CALLS
  }

  /** True if a message begins at the stream's start; otherwise what was there is dropped, or waits for more. */
  found(stream: InputStream): boolean {
    const { bytes, start, end } = stream
    if (start === end) {
      stream.resume()
      return false
    }
    const look = Math.min(end, start + LONGEST_LOOK)
    const { match, sender } = detectHttp(bytes, start, look)
    if (sender === this.#sender) {
      if (match === 'yes') {
        this.#calls = 0
        return true
      }
      if (match === 'maybe' && stream.hole === 0 && look === end) return false
    }
    if (this.#stray) this.#calls++
    stream.resume()
    return false
  }
}
