/** Two independent 32-bit words of a text, the same in every process. */
export interface TextHash {
  high: number
  low: number
}

/**
 * Two runs of MurmurHash3's mixing over UTF-16 units with different seeds, written into `into`: hashing allocates
 * nothing. Not for secrets.
 */
export function hashText(text: string, into: TextHash): void {
  let high = 0x9747b28c
  let low = 0x3c6ef372
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    high = Math.imul(rotate(high ^ Math.imul(unit, 0xcc9e2d51), 13), 5) + 0xe6546b64
    low = Math.imul(rotate(low ^ Math.imul(unit, 0x1b873593), 15), 5) + 0x38b34ae5
  }
  into.high = finish(high ^ text.length)
  into.low = finish(low ^ into.high)
}

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by))

function finish(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
