import { BackwardBits, buildFse, type FseTable, readFse, singleFse } from './fse.js'
import { type HuffmanTable, readLiterals } from './zstd-literals.js'

const MAGIC = 0xfd2f_b528
const LARGEST_BLOCK = 128 * 1024

// RFC 8878, 3.1.1.3.2.2: what is added to each code, and how many bits follow it.
const LITERAL_BITS = [
  ...new Array<number>(16).fill(0),
  1,
  1,
  1,
  1,
  2,
  2,
  3,
  3,
  4,
  6,
  7,
  8,
  9,
  10,
  11,
  12,
  13,
  14,
  15,
  16,
]
const MATCH_BITS = [
  ...new Array<number>(32).fill(0),
  1,
  1,
  1,
  1,
  2,
  2,
  3,
  3,
  4,
  4,
  5,
  7,
  8,
  9,
  10,
  11,
  12,
  13,
  14,
  15,
  16,
]
const basesOf = (bits: readonly number[], first: number): number[] => {
  let base = first
  return bits.map(width => {
    const own = base
    base += 2 ** width
    return own
  })
}
const LITERAL_BASES = basesOf(LITERAL_BITS, 0)
const MATCH_BASES = basesOf(MATCH_BITS, 3)

// RFC 8878, 3.1.1.3.2.2.1 to 3.
const DEFAULT_LITERALS = buildFse(
  [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1],
  6,
)!
const DEFAULT_MATCHES = buildFse(
  [
    ...[1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
    ...[1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1],
  ],
  6,
)!
const DEFAULT_OFFSETS = buildFse(
  [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1],
  5,
)!

/** What a frame's blocks hand on to each other. */
interface FrameState {
  huffman: HuffmanTable | undefined
  literals: FseTable | undefined
  offsets: FseTable | undefined
  matches: FseTable | undefined
  readonly recent: [number, number, number]
  /** Where the frame's output begins. */
  readonly base: number
}

/** Unpacks the frames at bytes[start, end) (RFC 8878). Returns where the output ends, or -1: damaged, or too long. */
export function unpackZstd(bytes: Uint8Array, start: number, end: number, out: Uint8Array): number {
  let at = start
  let o = 0
  while (at < end) {
    if (at + 4 > end) return -1
    const magic = u32(bytes, at)
    if (magic >>> 4 === 0x184d2a5) {
      if (at + 8 > end) return -1
      at += 8 + u32(bytes, at + 4)
      continue
    }
    if (magic !== MAGIC) return -1
    const frame = unpackFrame(bytes, at + 4, end, out, o)
    if (frame === undefined) return -1
    at = frame.at
    o = frame.o
  }
  return at === end ? o : -1
}

function unpackFrame(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  base: number,
): { readonly at: number; readonly o: number } | undefined {
  const descriptor = bytes[start]!
  const isSingle = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >> 6
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!
  const sizeBytes = sizeFlag === 0 ? (isSingle ? 1 : 0) : 1 << sizeFlag
  let at = start + 1 + (isSingle ? 0 : 1)
  // Nobody knows the dictionary.
  for (let k = 0; k < dictionaryBytes; k++) if (bytes[at + k] !== 0) return undefined
  at += dictionaryBytes + sizeBytes
  const state: FrameState = {
    huffman: undefined,
    literals: undefined,
    offsets: undefined,
    matches: undefined,
    recent: [1, 4, 8],
    base,
  }
  let o = base
  for (let isLast = false; !isLast; ) {
    if (at + 3 > end) return undefined
    const header = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)
    isLast = (header & 1) === 1
    const type = (header >> 1) & 3
    const size = header >> 3
    at += 3
    if (size > LARGEST_BLOCK || type === 3 || at + (type === 1 ? 1 : size) > end) return undefined
    if (type !== 2 && o + size > out.length) return undefined
    if (type === 0) {
      out.set(bytes.subarray(at, at + size), o)
      o += size
    } else if (type === 1) {
      out.fill(bytes[at]!, o, o + size)
      o += size
    } else {
      o = unpackBlock(bytes, at, at + size, out, o, state)
      if (o < 0) return undefined
    }
    at += type === 1 ? 1 : size
  }
  return { at: at + ((descriptor & 4) === 0 ? 0 : 4), o }
}

function unpackBlock(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  from: number,
  state: FrameState,
): number {
  const literals = readLiterals(bytes, start, end, state.huffman, LARGEST_BLOCK)
  if (literals === undefined || literals.end >= end) return -1
  state.huffman = literals.table
  let at = literals.end
  let count = bytes[at++]!
  if (count > 254) {
    if (at + 2 > end) return -1
    count = (bytes[at]! | (bytes[at + 1]! << 8)) + 0x7f00
    at += 2
  } else if (count > 127) {
    if (at + 1 > end) return -1
    count = ((count - 128) << 8) + bytes[at++]!
  }
  const held = literals.bytes
  if (count === 0) return append(held, 0, held.length, out, from)
  if (at >= end) return -1
  const modes = bytes[at++]!
  const tables = readTables(bytes, at, end, modes, state)
  if (tables < 0) return -1
  return execute(new BackwardBits(bytes, tables, end), count, held, out, from, state)
}

/** The three tables of a block, each default, of one symbol, described, or the former one; returns where they end. */
function readTables(bytes: Uint8Array, start: number, end: number, modes: number, state: FrameState): number {
  let at = start
  const read = (
    mode: number,
    standard: FseTable,
    former: FseTable | undefined,
    mostLog: number,
    mostSymbol: number,
  ) => {
    if (mode === 0) return standard
    if (mode === 3) return former
    if (mode === 1) return at < end && bytes[at]! <= mostSymbol ? singleFse(bytes[at++]!) : undefined
    const found = readFse(bytes, at, end, mostLog, mostSymbol)
    if (found !== undefined) at = found.end
    return found?.table
  }
  state.literals = read(modes >> 6, DEFAULT_LITERALS, state.literals, 9, 35)
  if (state.literals === undefined) return -1
  state.offsets = read((modes >> 4) & 3, DEFAULT_OFFSETS, state.offsets, 8, 31)
  if (state.offsets === undefined) return -1
  state.matches = read((modes >> 2) & 3, DEFAULT_MATCHES, state.matches, 9, 52)
  return state.matches === undefined ? -1 : at
}

/** Sequences: so many literals, then a copy of what was written before (RFC 8878, 3.1.1.4). */
function execute(
  bits: BackwardBits,
  count: number,
  held: Uint8Array,
  out: Uint8Array,
  from: number,
  state: FrameState,
): number {
  const { recent, base } = state
  const [literals, offsets, matches] = [state.literals!, state.offsets!, state.matches!]
  if (bits.left < 0) return -1
  let l = bits.read(literals.log)
  let f = bits.read(offsets.log)
  let m = bits.read(matches.log)
  let o = from
  let used = 0
  for (let k = 0; k < count; k++) {
    const code = offsets.symbols[f]!
    if (code > 24) return -1
    const value = 2 ** code + bits.read(code)
    const matchCode = matches.symbols[m]!
    const match = MATCH_BASES[matchCode]! + bits.read(MATCH_BITS[matchCode]!)
    const literalCode = literals.symbols[l]!
    const plain = LITERAL_BASES[literalCode]! + bits.read(LITERAL_BITS[literalCode]!)
    const offset = offsetOf(value, plain, recent)
    if (k + 1 < count) {
      l = literals.bases[l]! + bits.read(literals.bits[l]!)
      m = matches.bases[m]! + bits.read(matches.bits[m]!)
      f = offsets.bases[f]! + bits.read(offsets.bits[f]!)
    }
    if (bits.left < 0 || used + plain > held.length) return -1
    o = append(held, used, used + plain, out, o)
    used += plain
    if (o < 0 || offset <= 0 || offset > o - base || o + match > out.length) return -1
    for (let i = 0; i < match; i++, o++) out[o] = out[o - offset]!
  }
  return append(held, used, held.length, out, o)
}

/** One of the three offsets used last, or a new one; updates them. */
function offsetOf(value: number, plain: number, recent: [number, number, number]): number {
  if (value > 3) {
    recent[2] = recent[1]
    recent[1] = recent[0]
    recent[0] = value - 3
    return recent[0]
  }
  const index = plain === 0 ? value : value - 1
  if (index === 0) return recent[0]
  const offset = index === 3 ? recent[0] - 1 : recent[index as 1 | 2]
  if (index > 1) recent[2] = recent[1]
  recent[1] = recent[0]
  recent[0] = offset
  return offset
}

function append(from: Uint8Array, start: number, end: number, out: Uint8Array, o: number): number {
  if (o < 0 || o + end - start > out.length) return -1
  out.set(from.subarray(start, end), o)
  return o + end - start
}

function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}
