const MAGIC = 0x184d2204

/**
 * LZ4 frames: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md. Checksums are not verified: what is read
 * here came over TCP. Returns the end of what was written to `out`, or -1 if a frame is damaged or does not fit.
 */
export function unpackLz4(bytes: Uint8Array, start: number, end: number, out: Uint8Array): number {
  let i = start
  let o = 0
  while (i < end) {
    if (i + 7 > end || uint32(bytes, i) !== MAGIC) return -1
    const flags = bytes[i + 4]!
    if (flags >> 6 !== 1) return -1
    const hasBlockChecksum = (flags & 0x10) !== 0
    // Magic, flags, block size; content size and dictionary where flagged; checksum of the header.
    i += 6 + ((flags & 0x08) !== 0 ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0) + 1
    const base = o
    const independent = (flags & 0x20) !== 0
    for (;;) {
      if (i + 4 > end) return -1
      const header = uint32(bytes, i)
      i += 4
      if (header === 0) break
      const size = header & 0x7fffffff
      if (size > end - i) return -1
      if (header >= 0x80000000) {
        if (size > out.length - o) return -1
        out.set(bytes.subarray(i, i + size), o)
        o += size
      } else {
        o = unpackBlock(bytes, i, i + size, out, o, independent ? o : base)
        if (o < 0) return -1
      }
      i += size + (hasBlockChecksum ? 4 : 0)
    }
    if ((flags & 0x04) !== 0) i += 4
  }
  return o
}

/** https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md; matches reach back to `base`. */
function unpackBlock(bytes: Uint8Array, start: number, end: number, out: Uint8Array, o: number, base: number): number {
  let i = start
  while (i < end) {
    const token = bytes[i++]!
    let literals = token >> 4
    if (literals === 15) {
      for (;;) {
        if (i >= end) return -1
        const byte = bytes[i++]!
        literals += byte
        if (byte !== 255) break
      }
    }
    if (literals > end - i || literals > out.length - o) return -1
    out.set(bytes.subarray(i, i + literals), o)
    i += literals
    o += literals
    // The last sequence has no match.
    if (i === end) return o
    if (i + 2 > end) return -1
    const offset = bytes[i]! | (bytes[i + 1]! << 8)
    i += 2
    let length = (token & 15) + 4
    if ((token & 15) === 15) {
      for (;;) {
        if (i >= end) return -1
        const byte = bytes[i++]!
        length += byte
        if (byte !== 255) break
      }
    }
    if (offset === 0 || offset > o - base || length > out.length - o) return -1
    for (let k = 0; k < length; k++, o++) out[o] = out[o - offset]!
  }
  return o
}

function uint32(bytes: Uint8Array, i: number): number {
  return (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)) >>> 0
}
