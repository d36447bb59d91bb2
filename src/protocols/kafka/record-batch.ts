import { ContentHash } from '../content-hash.js'

/** Header of a record batch, magic 2. https://kafka.apache.org/documentation/#recordbatch */
export const BATCH_HEADER = 61
/** Up to the byte that tells the format, which stands at the same place in all of them. */
export const MAGIC_SEEN = 17
/** Offset and size, which the size does not count. */
export const SIZE_BEHIND = 12

/** One record batch, or one message of an old set (magic 0 and 1), as its own header tells. */
export interface RecordBatch {
  readonly magic: number
  /** As written: 0 in what is produced, of a compressed old message the last one's. */
  readonly baseOffset: number
  /** All of its bytes. */
  readonly size: number
  readonly crc: number
  /** See CODECS. */
  readonly codec: number
  readonly transactional: boolean
  /** Marks the end of a transaction; no reader gets it. */
  readonly control: boolean
  readonly lastOffsetDelta: number
  /** Milliseconds; -1: none. */
  readonly baseTimestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  /** Records in it; 0 in a compressed old message, until it is unpacked. */
  readonly count: number
}

function uint32(bytes: Uint8Array, i: number): number {
  return ((bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!) >>> 0
}

function int16(bytes: Uint8Array, i: number): number {
  return ((bytes[i]! << 24) >> 16) | bytes[i + 1]!
}

/** Exact up to 2^53. */
function int64(bytes: Uint8Array, i: number): number {
  return (uint32(bytes, i) | 0) * 4_294_967_296 + uint32(bytes, i + 4)
}

/** Bytes of what begins at bytes[i], of which MAGIC_SEEN are there. */
export function sizeOfBatch(bytes: Uint8Array, i: number): number {
  return SIZE_BEHIND + uint32(bytes, i + 8)
}

/** Bytes of the header of what begins at bytes[i], of which MAGIC_SEEN are there; 0: no format that is known. */
export function headerOfBatch(bytes: Uint8Array, i: number): number {
  switch (bytes[i + 16]) {
    case 0:
      return 18
    case 1:
      return 26
    case 2:
      return BATCH_HEADER
    default:
      return 0
  }
}

/** What begins at bytes[i], of whose header all is there. */
export function readBatch(bytes: Uint8Array, i: number): RecordBatch {
  const magic = bytes[i + 16]!
  const isOld = magic < 2
  const attributes = isOld ? bytes[i + 17]! : int16(bytes, i + 21)
  const codec = attributes & 7
  return {
    magic,
    baseOffset: int64(bytes, i),
    size: sizeOfBatch(bytes, i),
    crc: uint32(bytes, isOld ? i + 12 : i + 17),
    codec,
    transactional: !isOld && (attributes & 0x10) !== 0,
    control: !isOld && (attributes & 0x20) !== 0,
    lastOffsetDelta: isOld ? 0 : uint32(bytes, i + 23),
    baseTimestamp: isOld ? (magic === 1 ? int64(bytes, i + 18) : -1) : int64(bytes, i + 27),
    producerId: isOld ? -1 : int64(bytes, i + 43),
    producerEpoch: isOld ? -1 : int16(bytes, i + 51),
    baseSequence: isOld ? -1 : uint32(bytes, i + 53) | 0,
    count: isOld ? (codec === 0 ? 1 : 0) : uint32(bytes, i + 57),
  }
}

const hash = new ContentHash()
/** Leader epoch and magic lie between size and CRC; what the CRC covers begins behind it. */
const CRC_AT = 17
/** Bytes behind the header that go into `recordsKey`. */
export const RECORDS_SEEN = 256

/**
 * A key that a batch has in Produce and Fetch alike: brokers overwrite base offset and leader epoch only, which the
 * CRC does not cover. The partition's number tells copies to several partitions apart.
 */
export function batchKey(batch: RecordBatch, partition: number, bytes: Uint8Array, i: number): string {
  hash.reset()
  hash.number(partition)
  hash.number(batch.size)
  if (batch.magic < 2) hash.update(bytes, i + SIZE_BEHIND, i + 18)
  else hash.update(bytes, i + CRC_AT, i + BATCH_HEADER)
  return hash.finish().text
}

/**
 * The same for a topic with message.timestamp.type=LogAppendTime, where the broker writes attributes, largest timestamp
 * and CRC anew: of what remains, and the first bytes of the records, bytes[from, end).
 */
export function recordsKey(
  batch: RecordBatch,
  partition: number,
  bytes: Uint8Array,
  from: number,
  end: number,
): string {
  hash.reset()
  hash.number(partition)
  hash.number(batch.size)
  hash.number(batch.count)
  hash.number(batch.baseTimestamp % 4_294_967_296)
  hash.number(batch.producerId % 4_294_967_296)
  hash.number(batch.producerEpoch)
  hash.number(batch.baseSequence)
  hash.update(bytes, from, Math.min(end, from + RECORDS_SEEN))
  return hash.finish().text
}
