const DIGITS = Uint8Array.from('0123456789abcdef', digit => digit.charCodeAt(0))

/**
 * A cache key as eight hex digits, so that operations on one key can be told from those on another without the key
 * leaving the protocol module. FNV-1a over 32 bits with MurmurHash3's finaliser.
 */
export function keyHash(bytes: Uint8Array, start: number, end: number): string {
  return hex32(hashOf(bytes, start, end))
}

/** Eight hex digits of 32 bits; put together at once, so that no text of pieces is left to flatten. */
export function hex32(bits: number): string {
  return String.fromCharCode(
    DIGITS[bits >>> 28]!,
    DIGITS[(bits >>> 24) & 15]!,
    DIGITS[(bits >>> 20) & 15]!,
    DIGITS[(bits >>> 16) & 15]!,
    DIGITS[(bits >>> 12) & 15]!,
    DIGITS[(bits >>> 8) & 15]!,
    DIGITS[(bits >>> 4) & 15]!,
    DIGITS[bits & 15]!,
  )
}

/** The same as an unsigned number: to compare short tokens without keeping them. */
export function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
