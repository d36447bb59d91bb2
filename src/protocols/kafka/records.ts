import { headerOfBatch, MAGIC_SEEN, SIZE_BEHIND, sizeOfBatch } from './record-batch.js'
import { WireReader } from './wire-reader.js'

/** Headers of one record that are looked at. */
const MOST_HEADERS = 64

/** Whoever is shown records one by one. Ranges are in `bytes`; -1 stands for null. What is cut ends with what is there. */
export interface RecordVisitor {
  /** @param index offset of the record from the batch's base offset */
  record(
    index: number,
    bytes: Uint8Array,
    keyStart: number,
    keyLength: number,
    valueStart: number,
    valueLength: number,
  ): void
  /** A header of the record that was shown last. */
  header(bytes: Uint8Array, nameStart: number, nameLength: number, valueStart: number, valueLength: number): void
}

const reader = new WireReader()

/**
 * The records of a batch of magic 2 in bytes[start, end), unpacked. Up to `most` of them, and as far as they are there:
 * a record's value may go on behind `end`, its headers are then not shown. Returns how many were shown whole.
 */
export function readRecords(
  bytes: Uint8Array,
  start: number,
  end: number,
  most: number,
  visitor: RecordVisitor,
): number {
  reader.begin(bytes, start, end, false)
  for (let shown = 0; shown < most; shown++) {
    const length = reader.varint()
    const next = reader.at + length
    if (reader.failed || length < 6) return shown
    reader.skip(1)
    reader.skipVarlong()
    const index = reader.varint()
    const keyLength = reader.varint()
    const keyStart = reader.at
    if (keyLength > 0) reader.skip(keyLength)
    const valueLength = reader.varint()
    if (reader.failed || keyLength < -1 || valueLength < -1) return shown
    const valueStart = reader.at
    visitor.record(index, bytes, keyStart, keyLength, valueStart, valueLength)
    if (valueLength > 0) reader.skip(valueLength)
    const headers = reader.varint()
    for (let k = 0; k < headers && k < MOST_HEADERS && !reader.failed; k++) {
      const nameLength = reader.varint()
      const nameStart = reader.at
      if (nameLength > 0) reader.skip(nameLength)
      const headerLength = reader.varint()
      const headerStart = reader.at
      if (headerLength > 0) reader.skip(headerLength)
      if (!reader.failed) visitor.header(bytes, nameStart, nameLength, headerStart, headerLength)
    }
    if (reader.failed || next > end || next < reader.at) return shown
    reader.at = next
  }
  return most
}

/** One message of an old set whose key begins at bytes[start]: int32 length + key, int32 length + value. */
export function readOldMessage(bytes: Uint8Array, start: number, end: number, visitor: RecordVisitor, index = 0): void {
  reader.begin(bytes, start, end, false)
  const keyLength = reader.int32()
  const keyStart = reader.at
  if (keyLength > 0) reader.skip(keyLength)
  const valueLength = reader.int32()
  if (reader.failed || keyLength < -1 || valueLength < -1) return
  visitor.record(index, bytes, keyStart, keyLength, reader.at, valueLength)
}

/** The compressed value of an old message whose key begins at bytes[start]: [from, end), or undefined if it is not all there. */
export function packedValue(bytes: Uint8Array, start: number, end: number): readonly [number, number] | undefined {
  reader.begin(bytes, start, end, false)
  const keyLength = reader.int32()
  if (keyLength > 0) reader.skip(keyLength)
  const valueLength = reader.int32()
  const from = reader.at
  if (reader.failed || keyLength < -1 || valueLength < 0 || from + valueLength > end) return undefined
  return [from, from + valueLength]
}

/** The messages of an old set in bytes[start, end), shown by their order in it. Returns how many there are. */
export function readOldSet(
  bytes: Uint8Array,
  start: number,
  end: number,
  most: number,
  visitor: RecordVisitor,
): number {
  let count = 0
  for (let i = start; i + MAGIC_SEEN <= end; count++) {
    const header = headerOfBatch(bytes, i)
    const next = i + sizeOfBatch(bytes, i)
    if (header === 0 || header > 26 || next > end || next <= i + SIZE_BEHIND) break
    if (count < most) readOldMessage(bytes, i + header, next, visitor, count)
    i = next
  }
  return count
}
