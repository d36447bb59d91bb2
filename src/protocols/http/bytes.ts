/** Bytes of the HTTP/1.x grammar (RFC 9112) by their names. */
export const Byte = {
  tab: 0x09,
  lineFeed: 0x0a,
  carriageReturn: 0x0d,
  space: 0x20,
  numberSign: 0x23,
  ampersand: 0x26,
  comma: 0x2c,
  slash: 0x2f,
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  semicolon: 0x3b,
  equals: 0x3d,
  question: 0x3f,
  at: 0x40,
  openBracket: 0x5b,
  closeBracket: 0x5d,
} as const

/** Lines are mostly short: a loop finds their ends sooner than a call into the runtime. */
const NEAR = 48

/** Index of the next line feed in bytes[start, end), or -1. */
export function findLineFeed(bytes: Uint8Array, start: number, end: number): number {
  const near = Math.min(end, start + NEAR)
  for (let i = start; i < near; i++) if (bytes[i] === Byte.lineFeed) return i
  if (near === end) return -1
  const found = bytes.indexOf(Byte.lineFeed, near)
  return found < end ? found : -1
}

/** 1 for the characters of a token (RFC 9110, 5.6.2): methods, header names. */
const TOKEN = new Uint8Array(256)
for (const char of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  TOKEN[char.charCodeAt(0)] = 1
}

export const isTokenByte = (byte: number): boolean => TOKEN[byte] === 1
export const isDigit = (byte: number): boolean => byte >= Byte.zero && byte <= Byte.nine
export const isBlank = (byte: number): boolean => byte === Byte.space || byte === Byte.tab

/** Whether bytes[start, start + word.length) is `word`, which is in lower case, in any case. */
export function equalsIgnoringCase(bytes: Uint8Array, start: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i++) {
    const byte = bytes[start + i]!
    if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== word[i]) return false
  }
  return true
}

export const lowerCaseWord = (word: string): Uint8Array => new Uint8Array(Buffer.from(word, 'latin1'))
