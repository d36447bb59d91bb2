import { ContentHash } from '../content-hash.js'

/**
 * Bytes from the start and from the end of a body that make its hash. Publisher and consumer split a body into other
 * frames and calls, and of a call at most 4,096 bytes from its start and 512 from its end are copied: method and header
 * frame of a publish come before the body in the same call, the frame's end byte comes behind it.
 */
export const BODY_HEAD = 3072
export const BODY_TAIL = 256

/** The hash of one body while its pieces pass. Nothing of the body is kept. */
export class BodyHash {
  readonly #head = new ContentHash()
  readonly #tail = new ContentHash()
  #size = 0
  #position = 0
  #headSeen = 0
  #tailStart = 0
  #tailSeen = 0

  begin(size: number): void {
    this.#size = size
    this.#position = 0
    this.#headSeen = 0
    this.#tailStart = Math.max(BODY_HEAD, size - BODY_TAIL)
    this.#tailSeen = this.#tailStart
    this.#head.reset()
    this.#tail.reset()
  }

  /** Bytes of the body that have passed, copied or not. */
  get position(): number {
    return this.#position
  }

  update(bytes: Uint8Array, start: number, end: number): void {
    const at = this.#position
    this.#position += end - start
    if (at === this.#headSeen && at < BODY_HEAD) {
      const count = Math.min(end - start, BODY_HEAD - at)
      this.#head.update(bytes, start, start + count)
      this.#headSeen += count
    }
    if (this.#position > this.#tailStart && this.#tailSeen >= at) {
      this.#tail.update(bytes, start + this.#tailSeen - at, end)
      this.#tailSeen = this.#position
    }
  }

  /** `count` bytes that were moved but not copied. */
  missing(count: number): void {
    this.#position += count
  }

  /** Computes `hash`; false when a byte that counts was not seen. */
  finish(): boolean {
    if (this.#head.length !== Math.min(this.#size, BODY_HEAD)) return false
    if (this.#tailStart < this.#size) {
      if (this.#tailSeen !== this.#size) return false
      this.#tail.finish()
      this.#head.number(this.#tail.high)
      this.#head.number(this.#tail.low)
    }
    this.#head.number(this.#size)
    this.#head.finish()
    return true
  }

  /** Of the body and its size, after `finish`. */
  get hash(): ContentHash {
    return this.#head
  }
}
