import type { RowBinaryWriter } from '../archive/row-binary.js'
import type { FinishedSpan, FinishedTrace } from '../traces/span.js'
import type { Layout } from './layouts.js'
import { emptyNumbers, SHAPE_INCOMPLETE, SHAPE_LATE, type ShapeRow } from './shape-row.js'
import { FACTS } from './span-fields.js'
import type { ShapeDictionary } from './trace-decoder.js'
import { decodeTrace } from './trace-decoder.js'

/**
 * An old trace: which shape, when, and how long. A duration is a step on a logarithmic scale, at most 0.5 % off
 * (three digits); a gap keeps three significant bits (at most 12.5 % off): their number with the sign, and those below
 * the first.
 */
export interface ThinRow extends Omit<ShapeRow, 'gaps' | 'tails' | 'ids' | 'numbers' | 'texts'> {
  /** Pre-order, ns: from the end of the sibling before, or the start of the parent. */
  readonly gapScales: readonly number[]
  readonly gapDigits: readonly number[]
  readonly durationScales: readonly number[]
  readonly durationDigits: readonly number[]
}

export const THIN_COLUMNS = [
  ...['Start', 'trace_key', 'shape', 'node', 'flags', 'spans', 'weight', 'repeats'],
  ...['gap_scales', 'gap_digits', 'duration_scales', 'duration_digits'],
]

const GAP_BITS = 2
/** Steps of 1 %, so that a duration is at most half of that off: as good as three digits. */
const DURATION_SCALE = 1 / Math.log(1.005 / 0.995)
const DIGITS = 64

interface Rounded {
  readonly scale: number
  readonly digits: number
}

/** A step on the logarithmic scale, in two bytes; 0 is nothing, or less. */
export function roundDuration(nanos: number): Rounded {
  if (nanos < 1) return { scale: 0, digits: 0 }
  const step = Math.round(Math.log(nanos) * DURATION_SCALE) + DIGITS
  return { scale: Math.floor(step / DIGITS), digits: step % DIGITS }
}

export function durationOf({ scale, digits }: Rounded): number {
  return scale === 0 ? 0 : Math.round(Math.exp((scale * DIGITS + digits - DIGITS) / DURATION_SCALE))
}

/** The number of bits, negative for a negative number, and `bits` of those below the first. */
export function roundBits(value: number, bits: number): Rounded {
  const size = Math.abs(value)
  if (size < 1) return { scale: 0, digits: 0 }
  let scale = Math.floor(Math.log2(size)) + 1
  if (2 ** scale <= size) scale++
  else if (2 ** (scale - 1) > size) scale--
  let digits = scale - 1 > bits ? Math.round(size / 2 ** (scale - 1 - bits)) - 2 ** bits : size - 2 ** (scale - 1)
  if (scale - 1 > bits && digits === 2 ** bits) {
    scale++
    digits = 0
  }
  return { scale: value < 0 ? -scale : scale, digits }
}

export function valueOfBits({ scale, digits }: Rounded, bits: number): number {
  if (scale === 0) return 0
  const length = Math.abs(scale) - 1
  const size = length > bits ? (2 ** bits + digits) * 2 ** (length - bits) : 2 ** length + digits
  return scale < 0 ? -size : size
}

/** Takes from a row all that is not structure or time. */
export function thinRow(row: ShapeRow, dictionary: ShapeDictionary): ThinRow {
  const { gaps, tails, repeats, ids: _ids, texts: _texts, numbers: _numbers, ...head } = row
  const durations: number[] = []
  let at = 0
  let tail = 0
  let repeat = 0
  const walk = (id: string, from: number): number => {
    const node = dictionary.node(id)
    if (node === undefined) throw new Error(`shapes: the archive lacks node ${id} of trace ${row.traceId}`)
    const real = node.layout !== ''
    const place = durations.length
    const start = real ? from + gaps[at++]! : from
    if (real) durations.push(0)
    let last = start
    node.children.forEach((child, i) => {
      const times = node.repeated[i] === true ? repeats[repeat++]! : 1
      for (let k = 0; k < times; k++) last = walk(child, last)
    })
    if (!real) return last
    const end = last + tails[tail++]!
    durations[place] = end - start
    return end
  }
  walk(row.node, 0)
  const roundedGaps = gaps.map(gap => roundBits(gap, GAP_BITS))
  const rounded = durations.map(roundDuration)
  return {
    ...{ ...head, repeats },
    ...{ gapScales: roundedGaps.map(gap => gap.scale), gapDigits: roundedGaps.map(gap => gap.digits) },
    ...{ durationScales: rounded.map(each => each.scale), durationDigits: rounded.map(each => each.digits) },
  }
}

export function appendThinRow(writer: RowBinaryWriter, row: ThinRow): void {
  const millis = Math.floor(row.start[1] / 1e6)
  const time = row.start[0] * 1_000 + millis
  writer.uint32(time >>> 0)
  writer.uint32(Math.floor(time / 4_294_967_296))
  writer.hex(row.traceId)
  writer.hex(row.shape)
  writer.hex64(row.node)
  writer.uint8((row.late ? SHAPE_LATE : 0) | (row.incomplete ? SHAPE_INCOMPLETE : 0))
  writer.uint16(row.spans)
  writer.float32(row.weight)
  writer.varint(row.repeats.length)
  for (const times of row.repeats) writer.uint64(times)
  for (const bytes of [row.gapScales, row.gapDigits, row.durationScales, row.durationDigits]) {
    writer.varint(bytes.length)
    for (const byte of bytes) writer.uint8(byte & 255)
  }
}

/**
 * The spans of a thinned trace: names, places, times. Values that a layout holds are there, what a row held is not; ids
 * are made of the trace's and the place.
 */
export function decodeThinTrace(row: ThinRow, dictionary: ShapeDictionary): FinishedTrace {
  const gaps = row.gapScales.map((scale, i) => valueOfBits({ scale, digits: row.gapDigits[i]! }, GAP_BITS))
  const durations = row.durationScales.map((scale, i) => durationOf({ scale, digits: row.durationDigits[i]! }))
  const tails: number[] = []
  let at = 0
  let repeat = 0
  // Tails follow from durations: a row with them is what decodeTrace reads.
  const walk = (id: string, from: number): number => {
    const node = dictionary.node(id)
    if (node === undefined) throw new Error(`shapes: the archive lacks node ${id} of trace ${row.traceId}`)
    const real = node.layout !== ''
    const place = at
    const start = real ? from + gaps[at++]! : from
    let last = start
    node.children.forEach((child, i) => {
      const times = node.repeated[i] === true ? row.repeats[repeat++]! : 1
      for (let k = 0; k < times; k++) last = walk(child, last)
    })
    if (!real) return last
    const end = start + durations[place]!
    tails.push(end - last)
    return end
  }
  walk(row.node, 0)
  let place = 0
  const plain: ShapeDictionary = {
    node: id => dictionary.node(id),
    layout: id => {
      const layout = dictionary.layout(id)
      return layout === undefined ? undefined : withoutRow(layout)
    },
  }
  const ids = row.gapScales.map(() => derivedId(row.traceId, place++))
  const { gapScales: _a, gapDigits: _b, durationScales: _c, durationDigits: _d, repeats, ...head } = row
  const full: ShapeRow = {
    ...{ ...head, repeats: [...repeats], gaps, tails, ids, numbers: emptyNumbers(), texts: [] },
  }
  const trace = decodeTrace(full, plain)
  return { ...trace, spans: trace.spans.map(withoutMissing) }
}

/** What was in the row is gone: facts are empty, attributes left out. */
function withoutRow(layout: Layout): Layout {
  const { text } = layout
  const rules = text.rules.map((rule, field) => {
    if (rule.from !== 'row') return rule
    const fact = FACTS[field]
    return { from: 'layout' as const, value: fact === undefined ? MISSING : fact.stream === 'texts' ? '' : 0 }
  })
  return { ...layout, text: { ...text, rules, id: 'row', wireKey: 'none' }, stored: [] }
}

const MISSING = '\u0000missing'

function withoutMissing(span: FinishedSpan): FinishedSpan {
  const attributes = Object.fromEntries(Object.entries(span.attributes).filter(([, value]) => value !== MISSING))
  return { ...span, attributes }
}

/** A span's id that can be made again: from its trace's and its place. */
export function derivedId(traceId: string, place: number): string {
  let high = Number.parseInt(traceId.slice(0, 8), 16) ^ Math.imul(place + 1, 0x9e3779b1)
  let low = Number.parseInt(traceId.slice(8, 16), 16) ^ Math.imul(place + 1, 0x85ebca77)
  for (let round = 0; round < 3; round++) {
    high = Math.imul(high ^ (low >>> 15), 0x2c1b3c6d)
    low = (Math.imul(low ^ (high >>> 13), 0x297a2d39) + high) | 0
  }
  const hex = (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0')
  return hex === '0000000000000000' ? '0000000000000001' : hex
}
