export const LINE_FEED = 0x0a
export const CARRIAGE_RETURN = 0x0d
export const SPACE = 0x20

/** Longest line that is kept while its end has not come. Keys have at most 250 bytes. */
export const LONGEST_LINE = 2048

/** Index of the line feed in bytes[start, end), or -1. */
export function findLineFeed(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    if (bytes[i] === LINE_FEED) return i
  }
  return -1
}

export function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === CARRIAGE_RETURN || byte === LINE_FEED
}

/** End of the word that begins at `start`. */
export function endOfWord(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && !isBlank(bytes[at])) at++
  return at
}

/** A decimal number of at most ten digits that is bytes[start, end), or -1. */
export function parseNumber(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end || end - start > 10) return -1
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/** Starts and ends of the words of a line, in a buffer that is used again for the next line. */
export class Words {
  static readonly most = 32
  readonly #places = new Int32Array(Words.most * 2)
  /** Words in the line; of those beyond `most` only the last is known. */
  count = 0
  lastStart = 0
  lastEnd = 0

  split(bytes: Uint8Array, start: number, end: number): void {
    this.count = 0
    let at = start
    while (at < end) {
      while (at < end && isBlank(bytes[at])) at++
      if (at === end) break
      this.lastStart = at
      at = endOfWord(bytes, at, end)
      this.lastEnd = at
      if (this.count < Words.most) {
        this.#places[this.count * 2] = this.lastStart
        this.#places[this.count * 2 + 1] = at
      }
      this.count++
    }
  }

  /** Where word number `index` begins; index < min(count, most). */
  start(index: number): number {
    return this.#places[index * 2]!
  }

  end(index: number): number {
    return this.#places[index * 2 + 1]!
  }

  get known(): number {
    return Math.min(this.count, Words.most)
  }
}
