import { constants, inflateSync } from 'node:zlib'

/** Length: 3, sequence, length before compression: 3 (0: it is not compressed). Little-endian. */
export const HEADER = 7
/** Frames that unpack to more hold rows: what is in them is passed over. */
const UNPACKED_LIMIT = 262_144
/** Bytes of a frame that are unpacked at most. */
const PACKED_LIMIT = 65_536

export interface FrameHeader {
  readonly length: number
  readonly sequence: number
  readonly unpacked: number
}

const uint24 = (bytes: Uint8Array, at: number): number => bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)

/** The header at `start`, where HEADER bytes are; undefined if it is none. */
export function readFrameHeader(bytes: Uint8Array, start: number): FrameHeader | undefined {
  const length = uint24(bytes, start)
  const unpacked = uint24(bytes, start + 4)
  // Nothing is compressed that would get longer.
  if (length === 0 || (unpacked > 0 && unpacked < length)) return undefined
  return { length, sequence: bytes[start + 3]!, unpacked }
}

/** A zlib stream begins here: method 8, and a checksum of two bytes (RFC 1950). */
export const isZlib = (bytes: Uint8Array, at: number): boolean =>
  (bytes[at]! & 0x0f) === 8 && ((bytes[at]! << 8) | bytes[at + 1]!) % 31 === 0

/** What bytes[start, end), all of a compressed frame or its beginning, unpack to; undefined if that cannot be had. */
export function unpackFrame(bytes: Uint8Array, start: number, end: number, unpacked: number): Uint8Array | undefined {
  if (unpacked > UNPACKED_LIMIT || end - start < 2 || !isZlib(bytes, start)) return undefined
  const packed = bytes.subarray(start, Math.min(end, start + PACKED_LIMIT))
  try {
    return inflateSync(packed, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: unpacked })
  } catch {
    // Damaged, or longer than the header says: node:zlib says so in no other way.
    return undefined
  }
}
