/**
 * Raw Snappy: https://github.com/google/snappy/blob/main/format_description.txt. Writes to out[o, …), as far as it has
 * room. Returns the end of what was written, or -1 if the block is damaged or does not fit.
 */
export function unpackSnappy(bytes: Uint8Array, start: number, end: number, out: Uint8Array, o: number): number {
  let i = start
  let size = 0
  for (let shift = 0; ; shift += 7) {
    if (i >= end || shift > 28) return -1
    const byte = bytes[i++]!
    size += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  const base = o
  const limit = o + size
  if (limit > out.length) return -1
  while (i < end) {
    const tag = bytes[i++]!
    let length = (tag >> 2) + 1
    let offset = 0
    switch (tag & 3) {
      case 0: {
        if (length > 60) {
          const more = length - 60
          if (i + more > end) return -1
          length = 0
          for (let k = more - 1; k >= 0; k--) length = length * 256 + bytes[i + k]!
          length++
          i += more
        }
        if (length > end - i || length > limit - o) return -1
        out.set(bytes.subarray(i, i + length), o)
        i += length
        o += length
        continue
      }
      case 1:
        if (i + 1 > end) return -1
        length = ((tag >> 2) & 7) + 4
        offset = ((tag >> 5) << 8) | bytes[i]!
        i += 1
        break
      case 2:
        if (i + 2 > end) return -1
        offset = bytes[i]! | (bytes[i + 1]! << 8)
        i += 2
        break
      default:
        if (i + 4 > end) return -1
        offset = (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)) >>> 0
        i += 4
    }
    if (offset === 0 || offset > o - base || length > limit - o) return -1
    for (let k = 0; k < length; k++, o++) out[o] = out[o - offset]!
  }
  return o === limit ? o : -1
}

const XERIAL = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]
const XERIAL_HEADER = 16

/** A raw block, as librdkafka writes it, or Java's frames: magic, two int32, then int32 length and a block each. */
export function unpackSnappyFrames(bytes: Uint8Array, start: number, end: number, out: Uint8Array): number {
  const isFramed = end - start >= XERIAL_HEADER && XERIAL.every((byte, k) => bytes[start + k] === byte)
  if (!isFramed) return unpackSnappy(bytes, start, end, out, 0)
  let o = 0
  for (let i = start + XERIAL_HEADER; i < end; ) {
    if (i + 4 > end) return -1
    const length = ((bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!) >>> 0
    i += 4
    if (length > end - i) return -1
    o = unpackSnappy(bytes, i, i + length, out, o)
    if (o < 0) return -1
    i += length
  }
  return o
}
