/**
 * The fixed mix that turns a connection key, a direction and a position into 64 bits: two runs of MurmurHash3's
 * 32-bit function (Appleby, public domain; same body and finaliser) over the same words with different seeds.
 * Both ends of a connection compute it alike, on one host or on two, today and tomorrow: never change it.
 */
export interface WireKey {
  high: number
  low: number
}

const TWO_32 = 4_294_967_296
const HIGH_SEED = 0x9747b28c
const LOW_SEED = 0x3c6ef372

function mix(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51)
  k = (k << 15) | (k >>> 17)
  hash ^= Math.imul(k, 0x1b873593)
  hash = (hash << 13) | (hash >>> 19)
  return (Math.imul(hash, 5) + 0xe6546b64) | 0
}

function finish(hash: number): number {
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function run(seed: number, words: readonly number[]): number {
  let hash = seed
  for (let i = 0; i < words.length; i++) hash = mix(hash, words[i]!)
  return finish(hash ^ (words.length * 4))
}

/** 64 bits of any words (each taken modulo 2^32), as two unsigned halves; never both zero. */
export function mix64(words: readonly number[]): WireKey {
  return mixInto({ high: 0, low: 0 }, words)
}

function mixInto(key: WireKey, words: readonly number[]): WireKey {
  key.high = run(HIGH_SEED, words)
  key.low = run(LOW_SEED, words)
  if (key.high === 0 && key.low === 0) key.low = 1
  return key
}

const words = [0, 0, 0, 0, 0, 0]
const key: WireKey = { high: 0, low: 0 }

/**
 * One object is used over and over: it is valid until the next call.
 * @param keyLow the smaller of the connection key's two numbers (below 2^53), @param keyHigh the larger
 * @param fromLow the owner of keyLow sent the request
 * @param position of the request's first byte in its direction
 */
export function wireKey(keyLow: number, keyHigh: number, fromLow: boolean, position: number): WireKey {
  words[0] = keyLow | 0
  words[1] = (keyLow / TWO_32) | 0
  words[2] = keyHigh | 0
  words[3] = (keyHigh / TWO_32) | 0
  words[4] = fromLow ? 1 : 2
  words[5] = (position % TWO_32) | 0
  return mixInto(key, words)
}

const DIGITS = Uint8Array.from('0123456789abcdef', digit => digit.charCodeAt(0))

/** 16 lower-case hex digits; put together at once, for a text of pieces is flattened when it is first read. */
export function hex64(high: number, low: number): string {
  return String.fromCharCode(
    DIGITS[high >>> 28]!,
    DIGITS[(high >>> 24) & 15]!,
    DIGITS[(high >>> 20) & 15]!,
    DIGITS[(high >>> 16) & 15]!,
    DIGITS[(high >>> 12) & 15]!,
    DIGITS[(high >>> 8) & 15]!,
    DIGITS[(high >>> 4) & 15]!,
    DIGITS[high & 15]!,
    DIGITS[low >>> 28]!,
    DIGITS[(low >>> 24) & 15]!,
    DIGITS[(low >>> 20) & 15]!,
    DIGITS[(low >>> 16) & 15]!,
    DIGITS[(low >>> 12) & 15]!,
    DIGITS[(low >>> 8) & 15]!,
    DIGITS[(low >>> 4) & 15]!,
    DIGITS[low & 15]!,
  )
}
