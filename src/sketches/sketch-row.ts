import { RowBinaryWriter } from '../archive/row-binary.js'
import type { Registers } from './distinct-sketch.js'
import type { FrequentItem } from './frequent-items.js'
import type { Bins } from './quantile-sketch.js'

/**
 * What a row of sketches is about:
 * - `operation`: calls of `service` named `name`, by status class
 * - `edge`: calls from `service` to `name`, by protocol; service '' is whoever is not traced
 * - `distinct`: how many different `name` (callers, users, projects) a service had
 * - `frequent`: the most frequent `name` (routes, statements, keys, queues) of a service
 * - `kernel`: calls counted in the kernel, of `service` with the peer `name`, by direction (in, out, unknown)
 */
export type SketchKind = 'operation' | 'edge' | 'distinct' | 'frequent' | 'kernel'

/**
 * Which sketches a row holds. Rows of different formats are never merged, neither in the archive nor in a reader. A new
 * number where a parameter changes: error, precision, capacity, what an index of a bin means.
 */
export const SKETCH_FORMAT = 1
/** Bins are buckets of the kernel's log-linear histogram (`bpf/types/sketch.h`), `items` named counters. */
export const KERNEL_SKETCH_FORMAT = 2

/** What this version writes and merges. Throws a RangeError for kinds that cannot be merged with one another. */
export function formatOfKinds(kinds: readonly SketchKind[]): number {
  const kernel = kinds.filter(kind => kind === 'kernel').length
  if (kernel !== 0 && kernel !== kinds.length) {
    throw new RangeError(`sketches of ${kinds.join(' and ')} are of different formats, and cannot be merged`)
  }
  return kernel > 0 ? KERNEL_SKETCH_FORMAT : SKETCH_FORMAT
}

/** One row of `sketches_minutes`: everything of a key that was seen in one minute (there may be several such rows). */
export interface SketchRow {
  /** Begin of the minute, seconds since 1970. */
  readonly time: number
  readonly kind: SketchKind
  readonly service: string
  readonly name: string
  readonly class: string
  readonly format: number
  readonly calls: number
  readonly errors: number
  readonly durationNs: number
  readonly longestNs: number
  readonly requestBytes: number
  readonly responseBytes: number
  readonly bins: Bins
  readonly registers: Registers
  readonly items: readonly FrequentItem[]
}

export const SKETCH_COLUMNS = [
  'time',
  'kind',
  'service',
  'name',
  'class',
  'format',
  'calls',
  'errors',
  'duration_ns',
  'longest_ns',
  'request_bytes',
  'response_bytes',
  'bins',
  'counts',
  'registers',
  'ranks',
  'items',
  'item_counts',
]

/** Rows in RowBinary, in the order of SKETCH_COLUMNS. */
export function encodeSketchRows(rows: readonly SketchRow[]): Buffer {
  const writer = new RowBinaryWriter()
  for (const row of rows) appendRow(writer, row)
  return writer.bytes()
}

function appendRow(writer: RowBinaryWriter, row: SketchRow): void {
  const { bins, registers, items } = row
  writer.uint32(row.time)
  writer.text(row.kind)
  writer.text(row.service)
  writer.text(row.name)
  writer.text(row.class)
  writer.uint8(row.format)
  writer.uint64(row.calls)
  writer.uint64(row.errors)
  writer.uint64(Math.round(row.durationNs))
  writer.uint64(row.longestNs)
  writer.uint64(row.requestBytes)
  writer.uint64(row.responseBytes)
  writer.varint(bins.indexes.length)
  for (const index of bins.indexes) writer.uint16(index & 0xffff)
  writer.varint(bins.counts.length)
  for (const count of bins.counts) writer.uint64(count)
  writer.varint(registers.indexes.length)
  for (const index of registers.indexes) writer.uint16(index)
  writer.varint(registers.ranks.length)
  for (const rank of registers.ranks) writer.uint8(rank)
  writer.varint(items.length)
  for (const { item } of items) writer.text(item)
  writer.varint(items.length)
  for (const { count } of items) writer.uint64(count)
}
