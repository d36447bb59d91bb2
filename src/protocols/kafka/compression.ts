import type { Buffer } from 'node:buffer'
import * as zlib from 'node:zlib'
import { unpackLz4 } from './lz4.js'
import { unpackSnappyFrames } from './snappy.js'

/** Bits 0 to 2 of a batch's attributes. */
export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** Most bytes that a compressed block may unpack to; a larger one is not read. */
export const UNPACKED_LIMIT = 262_144

/** Node.js has it from 22.15 and 23.8 on. */
const zstd = (zlib as { zstdDecompressSync?: (bytes: Uint8Array, options: { maxOutputLength: number }) => Buffer })
  .zstdDecompressSync

/** Whether this Node.js can unpack zstd. */
export const unpacksZstd = zstd !== undefined

let scratch: Uint8Array | undefined

/**
 * Unpacks bytes[start, end), all of a block. Undefined if it is damaged, longer than UNPACKED_LIMIT, or of a codec that
 * cannot be read. The result is valid until the next call.
 */
export function unpack(codec: number, bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  switch (CODECS[codec]) {
    case 'gzip':
      return unpackWith(zlib.gunzipSync, bytes, start, end)
    case 'zstd':
      return zstd === undefined ? undefined : unpackWith(zstd, bytes, start, end)
    case 'snappy':
    case 'lz4': {
      scratch ??= new Uint8Array(UNPACKED_LIMIT)
      const length = (CODECS[codec] === 'lz4' ? unpackLz4 : unpackSnappyFrames)(bytes, start, end, scratch)
      return length < 0 ? undefined : scratch.subarray(0, length)
    }
    default:
      return undefined
  }
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
