/**
 * One direction of a connection as a protocol module reads it: bytes in order, with holes. The reader sees
 * `bytes[start, end)`, which begins at stream offset `position`; after it comes a hole of `hole` bytes that were
 * moved but not copied (0: nothing known yet, more may come).
 *
 * `consume` takes what was understood. `skip` passes bytes whose content does not matter, also bytes in a hole and
 * bytes that have not arrived yet. A reader that needs bytes inside a hole calls `resume`, which drops everything up
 * to the hole's end and says how much was lost.
 *
 * Nothing here allocates per chunk unless a message is cut: whole messages are read in place from the event batch.
 */
export class InputStream {
  bytes: Uint8Array = EMPTY
  start = 0
  end = 0
  /** Stream offset of `bytes[start]`. */
  position = 0
  /** Length of the hole right behind `end`. */
  hole = 0
  /** Time (ns since the capture's base) of the call that brought `bytes[start]`: the first byte of the next message. */
  timeNs = 0
  /** True if the sender has closed its direction. */
  ended = false
  /**
   * Bytes before `bytes[start]` that were dropped although the reader had not asked for it: a hole that it left, or
   * more unread bytes than the limit. The reader sets it back to 0 when it has taken note.
   */
  dropped = 0

  #owed = 0
  #store: Uint8Array = EMPTY
  #owned = false
  /** Time of the latest call, and of the one that brought the last readable byte. */
  #callTimeNs = 0
  #lastTimeNs = 0
  /** Where, within what is readable, bytes of later calls begin: stream offset and time by turns; from `#nextArrival`. */
  #arrivals: number[] | undefined
  #nextArrival = 0
  readonly #limit: number

  /** @param limit once so many bytes of a message that is not complete are kept, the next call drops them. */
  constructor(limit = 65_536) {
    this.#limit = limit
  }

  /** Bytes that can be read now. */
  get available(): number {
    return this.end - this.start
  }

  /** Stream offset behind the last byte that has come, seen or not. */
  get come(): number {
    return this.position + (this.end - this.start) + this.hole
  }

  /** True while a `skip` waits for bytes that have not arrived. */
  get skipping(): boolean {
    return this.#owed > 0
  }

  /** How many bytes those are. */
  get owed(): number {
    return this.#owed
  }

  /** Takes `count` bytes as understood; count ≤ available. */
  consume(count: number): void {
    this.start += count
    this.position += count
    if (this.start === this.end) this.timeNs = this.#callTimeNs
    else if (this.#arrivals !== undefined) this.#passArrivals(this.#arrivals)
  }

  /** Passes `count` bytes, whether they are here, in the hole, or still to come. */
  skip(count: number): void {
    const here = Math.min(count, this.end - this.start)
    if (here > 0) this.consume(here)
    let left = count - here
    if (left > 0 && this.hole > 0) {
      const inHole = Math.min(left, this.hole)
      this.hole -= inHole
      this.position += inHole
      left -= inHole
    }
    this.#owed += left
  }

  /** Drops what is readable and the hole behind it. Returns the bytes lost that way. */
  resume(): number {
    const lost = this.end - this.start + this.hole
    this.position += lost
    this.start = this.end
    this.hole = 0
    this.timeNs = this.#callTimeNs
    return lost
  }

  /**
   * The driver's side. A hole left behind `end` must have been consumed or resumed over before new bytes can be read;
   * if the reader did neither, everything before the new bytes is dropped and returned as lost.
   * `bytes` belongs to the caller until `settle`.
   */
  push(bytes: Uint8Array, start: number, end: number, timeNs: number): number {
    let lost = 0
    if (this.hole > 0) {
      lost = this.resume()
      this.dropped += lost
    }
    this.#callTimeNs = timeNs
    if (this.#owed > 0) {
      const passed = Math.min(this.#owed, end - start)
      this.#owed -= passed
      this.position += passed
      start += passed
      if (start === end) return lost
    }
    if (this.start === this.end) {
      this.bytes = bytes
      this.start = start
      this.end = end
      this.timeNs = this.#lastTimeNs = timeNs
      this.#owned = false
      this.#arrivals = undefined
      return lost
    }
    return lost + this.#append(bytes, start, end)
  }

  /** A stretch of `count` bytes that were moved but not copied. */
  pushHole(count: number, timeNs: number): void {
    this.#callTimeNs = timeNs
    const passed = Math.min(this.#owed, count)
    this.#owed -= passed
    this.position += passed
    if (count === passed) return
    if (this.start === this.end) this.timeNs = timeNs
    this.hole += count - passed
  }

  /** Keeps what is left unread in a buffer of our own; call it before the chunk's bytes become invalid. */
  settle(): void {
    const left = this.end - this.start
    if (left === 0) {
      this.bytes = EMPTY
      this.start = 0
      this.end = 0
      if (this.#store.length > KEPT_STORE) this.#store = EMPTY
      return
    }
    if (this.#owned) return
    if (this.#store.length < left) this.#store = new Uint8Array(Math.max(512, 1 << (32 - Math.clz32(left - 1))))
    this.#store.set(this.bytes.subarray(this.start, this.end))
    this.bytes = this.#store
    this.start = 0
    this.end = left
    this.#owned = true
  }

  #append(bytes: Uint8Array, start: number, end: number): number {
    this.settle()
    let lost = 0
    let left = this.end - this.start
    const added = end - start
    if (left >= this.#limit) {
      // A message that never ends: what has been kept of it is given up, so that memory stays bounded.
      lost = left
      this.dropped += left
      this.position += left
      this.timeNs = this.#lastTimeNs = this.#callTimeNs
      this.start = this.end = 0
      this.#arrivals = undefined
      left = 0
    }
    if (this.#callTimeNs !== this.#lastTimeNs) this.#arrived(this.position + left)
    if (this.end + added > this.#store.length) {
      const size = Math.max(512, 1 << (32 - Math.clz32(left + added - 1)))
      const store = size > this.#store.length ? new Uint8Array(size) : this.#store
      store.set(this.#store.subarray(this.start, this.end))
      this.#store = store
      this.start = 0
      this.end = left
    }
    this.#store.set(bytes.subarray(start, end), this.end)
    this.bytes = this.#store
    this.end += added
    this.#owned = true
    return lost
  }

  /** Bytes of another call than those before them begin at stream offset `at`. */
  #arrived(at: number): void {
    if (this.#arrivals === undefined) {
      this.#arrivals = []
      this.#nextArrival = 0
    }
    // Beyond the bound they count as come with the last call that is known.
    if (this.#arrivals.length >= MOST_ARRIVALS) return
    this.#lastTimeNs = this.#callTimeNs
    this.#arrivals.push(at, this.#callTimeNs)
  }

  #passArrivals(arrivals: readonly number[]): void {
    while (this.#nextArrival < arrivals.length && arrivals[this.#nextArrival]! <= this.position) {
      this.timeNs = arrivals[this.#nextArrival + 1]!
      this.#nextArrival += 2
    }
  }
}

const EMPTY = new Uint8Array(0)
/** A larger buffer is given back as soon as it is empty, so that idle connections stay small. */
const KEPT_STORE = 2048
/** Numbers kept of the calls that one unread stretch came in: two a call. */
const MOST_ARRIVALS = 32_768
