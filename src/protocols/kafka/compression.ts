import { gunzipSync } from 'node:zlib'
import { unpackLz4 } from './lz4.js'
import { unpackSnappyFrames } from './snappy.js'
import { unpackZstd } from './zstd.js'

/** Bits 0 to 2 of a batch's attributes. */
export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** Most bytes that a compressed block may unpack to; a larger one is not read. */
export const UNPACKED_LIMIT = 262_144

let scratch: Uint8Array | undefined

/**
 * Unpacks bytes[start, end), all of a block. Undefined if it is damaged, longer than UNPACKED_LIMIT, or of a codec that
 * cannot be read. The result is valid until the next call.
 */
export function unpack(codec: number, bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  switch (CODECS[codec]) {
    case 'gzip':
      return unpackWith(gunzipSync, bytes, start, end)
    case 'snappy':
      return unpackInto(unpackSnappyFrames, bytes, start, end)
    case 'lz4':
      return unpackInto(unpackLz4, bytes, start, end)
    case 'zstd':
      return unpackInto(unpackZstd, bytes, start, end)
    default:
      return undefined
  }
}

type UnpackerInto = (bytes: Uint8Array, start: number, end: number, out: Uint8Array) => number

function unpackInto(unpacker: UnpackerInto, bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  scratch ??= new Uint8Array(UNPACKED_LIMIT)
  const length = unpacker(bytes, start, end, scratch)
  return length < 0 ? undefined : scratch.subarray(0, length)
}

type Unpacker = (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array

function unpackWith(unpacker: Unpacker, bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  try {
    return unpacker(bytes.subarray(start, end), { maxOutputLength: UNPACKED_LIMIT })
  } catch {
    // Damaged, or longer than the limit: node:zlib says so in no other way.
    return undefined
  }
}
