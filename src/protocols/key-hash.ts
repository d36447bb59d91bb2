const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * A cache key as eight hex digits, so that operations on one key can be told from those on another without the key
 * leaving the protocol module. FNV-1a over 32 bits with MurmurHash3's finaliser.
 */
export function keyHash(bytes: Uint8Array, start: number, end: number): string {
  const hash = hashOf(bytes, start, end)
  return HEX[hash >>> 24]! + HEX[(hash >>> 16) & 0xff]! + HEX[(hash >>> 8) & 0xff]! + HEX[hash & 0xff]!
}

/** The same as an unsigned number: to compare short tokens without keeping them. */
export function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
