/** Reads bits of bytes[start, end) backwards from the last set bit (RFC 8878, 4.1): how zstd's entropy coders write. */
export class BackwardBits {
  #bytes: Uint8Array
  #start: number
  /** Bits left in front of the place that is read; negative once more were asked for than there are. */
  left: number

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes
    this.#start = start
    const last = end > start ? bytes[end - 1]! : 0
    this.left = last === 0 ? -1 : (end - start - 1) * 8 + (31 - Math.clz32(last))
  }

  /** The next `count` bits (at most 24); beyond the beginning they are 0. */
  read(count: number): number {
    this.left -= count
    return this.#at(this.left, count)
  }

  /** The same without taking them. */
  peek(count: number): number {
    return this.#at(this.left - count, count)
  }

  #at(bit: number, count: number): number {
    if (count === 0) return 0
    let value = 0
    const shift = bit & 7
    const first = this.#start + (bit >> 3)
    for (let k = 0; k * 8 < count + shift; k++) {
      const byte = first + k < this.#start ? 0 : (this.#bytes[first + k] ?? 0)
      value += byte * 2 ** (8 * k)
    }
    return Math.floor(value / 2 ** shift) % 2 ** count
  }
}

/** A decoding table of finite state entropy (RFC 8878, 4.1.1): by state. */
export interface FseTable {
  readonly log: number
  readonly symbols: Uint8Array
  readonly bits: Uint8Array
  readonly bases: Uint16Array
}

/** Counts of a distribution: -1 stands for "less than one". Sum: 2^log. */
export function buildFse(counts: readonly number[], log: number): FseTable | undefined {
  const size = 1 << log
  const symbols = new Uint8Array(size)
  const bits = new Uint8Array(size)
  const bases = new Uint16Array(size)
  const next = new Uint16Array(counts.length)
  let high = size
  for (const [symbol, count] of counts.entries()) {
    if (count === -1) {
      if (--high < 0) return undefined
      symbols[high] = symbol
    }
    next[symbol] = count === -1 ? 1 : count
  }
  const step = (size >> 1) + (size >> 3) + 3
  let at = 0
  for (const [symbol, count] of counts.entries()) {
    for (let k = 0; k < count; k++) {
      symbols[at] = symbol
      do at = (at + step) & (size - 1)
      while (at >= high)
    }
  }
  if (at !== 0) return undefined
  for (let state = 0; state < size; state++) {
    const value = next[symbols[state]!]!++
    bits[state] = log - (31 - Math.clz32(value))
    bases[state] = (value << bits[state]!) - size
  }
  return { log, symbols, bits, bases }
}

/** A table of one symbol that takes no bits. */
export const singleFse = (symbol: number): FseTable => ({
  log: 0,
  symbols: Uint8Array.of(symbol),
  bits: new Uint8Array(1),
  bases: new Uint16Array(1),
})

/** The description of a distribution at `start` (RFC 8878, 4.1.1), and where it ends. */
export function readFse(
  bytes: Uint8Array,
  start: number,
  end: number,
  mostLog: number,
  mostSymbol: number,
): { readonly table: FseTable; readonly end: number } | undefined {
  let bit = 0
  const total = (end - start) * 8
  const take = (count: number): number => {
    let value = 0
    for (let k = 0; k < count; k++, bit++) {
      value |= ((((bytes[start + (bit >> 3)] ?? 0) >> (bit & 7)) & 1) << k) as number
    }
    return value
  }
  const log = take(4) + 5
  if (log > mostLog) return undefined
  const counts: number[] = []
  let remaining = (1 << log) + 1
  while (remaining > 1 && counts.length <= mostSymbol) {
    if (bit > total) return undefined
    const width = 32 - Math.clz32(remaining)
    const threshold = (1 << width) - 1 - remaining
    let value = take(width - 1)
    if (value >= threshold) {
      value |= take(1) << (width - 1)
      if (value >= 1 << (width - 1)) value -= threshold
    }
    const count = value - 1
    counts.push(count)
    remaining -= Math.abs(count)
    if (count !== 0) continue
    for (let repeat = 3; repeat === 3; ) {
      repeat = take(2)
      for (let k = 0; k < repeat; k++) counts.push(0)
    }
  }
  if (remaining !== 1 || counts.length > mostSymbol + 1 || bit > total) return undefined
  const table = buildFse(counts, log)
  return table === undefined ? undefined : { table, end: start + ((bit + 7) >> 3) }
}
