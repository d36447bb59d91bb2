import { BackwardBits, readFse } from './fse.js'

const MOST_LOG = 11

/** A Huffman table (RFC 8878, 4.2): by the next `log` bits. */
export interface HuffmanTable {
  readonly log: number
  readonly symbols: Uint8Array
  readonly bits: Uint8Array
}

/** The literals of one block, and where they end. */
export interface Literals {
  readonly bytes: Uint8Array
  readonly table: HuffmanTable | undefined
  readonly end: number
}

/** The literals section at `start` (RFC 8878, 3.1.1.3.1). @param previous table of an earlier block */
export function readLiterals(
  bytes: Uint8Array,
  start: number,
  end: number,
  previous: HuffmanTable | undefined,
  most: number,
): Literals | undefined {
  if (start >= end) return undefined
  const type = bytes[start]! & 3
  const format = (bytes[start]! >> 2) & 3
  if (type < 2) return readPlain(bytes, start, end, type === 1, format, previous, most)
  const headerBytes = format < 2 ? 3 : format + 2
  if (start + headerBytes > end) return undefined
  let value = 0
  for (let k = headerBytes - 1; k >= 0; k--) value = value * 256 + bytes[start + k]!
  value = Math.floor(value / 16)
  const width = format < 2 ? 10 : format === 2 ? 14 : 18
  const size = value % 2 ** width
  const packed = Math.floor(value / 2 ** width) % 2 ** width
  const stop = start + headerBytes + packed
  if (size > most || stop > end) return undefined
  let at = start + headerBytes
  let table = previous
  if (type === 2) {
    const found = readHuffman(bytes, at, stop)
    if (found === undefined) return undefined
    table = found.table
    at = found.end
  }
  if (table === undefined) return undefined
  const out = new Uint8Array(size)
  const isGood =
    format === 0 ? unpackStream(bytes, at, stop, table, out, 0, size) : unpackFour(bytes, at, stop, table, out)
  return isGood ? { bytes: out, table, end: stop } : undefined
}

function readPlain(
  bytes: Uint8Array,
  start: number,
  end: number,
  repeats: boolean,
  format: number,
  table: HuffmanTable | undefined,
  most: number,
): Literals | undefined {
  const headerBytes = format === 1 ? 2 : format === 3 ? 3 : 1
  if (start + headerBytes > end) return undefined
  let size = bytes[start]! >> (headerBytes === 1 ? 3 : 4)
  if (headerBytes > 1) size += bytes[start + 1]! << 4
  if (headerBytes > 2) size += bytes[start + 2]! << 12
  const at = start + headerBytes
  if (size > most || at + (repeats ? 1 : size) > end) return undefined
  if (repeats) return { bytes: new Uint8Array(size).fill(bytes[at]!), table, end: at + 1 }
  return { bytes: bytes.subarray(at, at + size), table, end: at + size }
}

/** RFC 8878, 4.2.1: weights, as they are or packed, of all symbols but the last. */
function readHuffman(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly table: HuffmanTable; readonly end: number } | undefined {
  if (start >= end) return undefined
  const header = bytes[start]!
  const weights: number[] = []
  let stop: number
  if (header >= 128) {
    const count = header - 127
    stop = start + 1 + ((count + 1) >> 1)
    if (stop > end) return undefined
    for (let k = 0; k < count; k++) {
      const pair = bytes[start + 1 + (k >> 1)]!
      weights.push(k % 2 === 0 ? pair >> 4 : pair & 15)
    }
  } else {
    stop = start + 1 + header
    if (stop > end || !unpackWeights(bytes, start + 1, stop, weights)) return undefined
  }
  const table = buildHuffman(weights)
  return table === undefined ? undefined : { table, end: stop }
}

function unpackWeights(bytes: Uint8Array, start: number, end: number, weights: number[]): boolean {
  const found = readFse(bytes, start, end, 6, 255)
  if (found === undefined) return false
  const { table } = found
  const bits = new BackwardBits(bytes, found.end, end)
  if (bits.left < 0) return false
  const states = [bits.read(table.log), bits.read(table.log)]
  for (let turn = 0; weights.length < 255; turn ^= 1) {
    const state = states[turn]!
    weights.push(table.symbols[state]!)
    const width = table.bits[state]!
    states[turn] = table.bases[state]! + bits.read(width)
    if (bits.left < 0) {
      weights.push(table.symbols[states[turn ^ 1]!]!)
      return weights.length <= 255
    }
  }
  return false
}

function buildHuffman(weights: readonly number[]): HuffmanTable | undefined {
  let sum = 0
  for (const weight of weights) sum += weight > 0 ? 1 << (weight - 1) : 0
  if (sum === 0) return undefined
  const log = 32 - Math.clz32(sum)
  const rest = (1 << log) - sum
  // The last symbol's weight is what is missing to a power of two.
  if (log > MOST_LOG || (rest & (rest - 1)) !== 0) return undefined
  const all = [...weights, 32 - Math.clz32(rest)]
  const symbols = new Uint8Array(1 << log)
  const bits = new Uint8Array(1 << log)
  let at = 0
  for (let weight = 1; weight <= log; weight++) {
    for (const [symbol, each] of all.entries()) {
      if (each !== weight) continue
      const span = 1 << (weight - 1)
      symbols.fill(symbol, at, at + span)
      bits.fill(log + 1 - weight, at, at + span)
      at += span
    }
  }
  return at === 1 << log ? { log, symbols, bits } : undefined
}

function unpackFour(bytes: Uint8Array, start: number, end: number, table: HuffmanTable, out: Uint8Array): boolean {
  if (start + 6 > end) return false
  const each = (out.length + 3) >> 2
  let at = start + 6
  for (let k = 0; k < 4; k++) {
    const stop = k === 3 ? end : at + (bytes[start + 2 * k]! | (bytes[start + 2 * k + 1]! << 8))
    const from = Math.min(out.length, k * each)
    const to = k === 3 ? out.length : Math.min(out.length, from + each)
    if (stop > end || !unpackStream(bytes, at, stop, table, out, from, to)) return false
    at = stop
  }
  return true
}

function unpackStream(
  bytes: Uint8Array,
  start: number,
  end: number,
  table: HuffmanTable,
  out: Uint8Array,
  from: number,
  to: number,
): boolean {
  const bits = new BackwardBits(bytes, start, end)
  if (bits.left < 0) return false
  for (let o = from; o < to; o++) {
    const index = bits.peek(table.log)
    out[o] = table.symbols[index]!
    bits.left -= table.bits[index]!
    if (bits.left < 0) return false
  }
  return bits.left === 0
}
