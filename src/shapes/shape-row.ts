import type { RowBinaryWriter } from '../archive/row-binary.js'
import { NUMBER_STREAMS, type Stream } from './span-fields.js'

/** A whole trace as one row: what its shape and its layouts do not say. */
export interface ShapeRow {
  readonly traceId: string
  /** Start of the first span. */
  readonly start: readonly [seconds: number, nanos: number]
  /** 32 hex digits: what the trace looks like, for people and counts. */
  readonly shape: string
  /** 16 hex digits: the node of the dictionary from which it is rebuilt. */
  readonly node: string
  readonly late: boolean
  readonly incomplete: boolean
  readonly spans: number
  /** Of 1 : n, if it stands for others that were not kept. */
  readonly weight: number
  /** How often each folded node is repeated, in pre-order. */
  readonly repeats: number[]
  /** ns, in pre-order: from the end of the sibling before (or the parent's start) … */
  readonly gaps: number[]
  /** … and from the end of the last child (or the own start) to the own end. */
  readonly tails: number[]
  /** 16 hex digits each. */
  readonly ids: string[]
  readonly numbers: Readonly<Record<(typeof NUMBER_STREAMS)[number], number[]>>
  readonly texts: string[]
}

export const SHAPE_COLUMNS = [
  'Start',
  'trace_key',
  'shape',
  'node',
  'flags',
  'spans',
  'weight',
  'repeats',
  'gaps',
  'tails',
  'ids',
  ...NUMBER_STREAMS,
  'texts',
]

export const SHAPE_LATE = 1
export const SHAPE_INCOMPLETE = 2

export function emptyNumbers(): Record<Exclude<Stream, 'texts'>, number[]> {
  return { threads: [], responses: [], sizes: [], ports: [], positions: [], ordinals: [], numbers: [] }
}

export function appendShapeRow(writer: RowBinaryWriter, row: ShapeRow): void {
  writer.time(row.start[0], row.start[1])
  writer.hex(row.traceId)
  writer.hex(row.shape)
  writer.hex64(row.node)
  writer.uint8((row.late ? SHAPE_LATE : 0) | (row.incomplete ? SHAPE_INCOMPLETE : 0))
  writer.uint16(row.spans)
  writer.float32(row.weight)
  integers(writer, row.repeats)
  integers(writer, row.gaps)
  integers(writer, row.tails)
  writer.varint(row.ids.length)
  for (const id of row.ids) writer.hex64(id)
  for (const stream of NUMBER_STREAMS) integers(writer, row.numbers[stream])
  writer.varint(row.texts.length)
  for (const text of row.texts) writer.text(text)
}

function integers(writer: RowBinaryWriter, values: readonly number[]): void {
  writer.varint(values.length)
  for (const value of values) {
    writer.uint32(value >>> 0)
    writer.uint32(Math.floor(value / 4_294_967_296) >>> 0)
  }
}
