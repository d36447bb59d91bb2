/** Bytes of the Redis serialization protocol (RESP 2 and 3) by their meaning. */
export const Byte = {
  lineFeed: 0x0a,
  carriageReturn: 0x0d,
  space: 0x20,
  array: 0x2a, // *
  simpleString: 0x2b, // +
  simpleError: 0x2d, // -
  integer: 0x3a, // :
  bulkString: 0x24, // $
  nil: 0x5f, // _
  boolean: 0x23, // #
  double: 0x2c, // ,
  bigNumber: 0x28, // (
  bulkError: 0x21, // !
  verbatimString: 0x3d, // =
  map: 0x25, // %
  set: 0x7e, // ~
  attribute: 0x7c, // |
  push: 0x3e, // >
  streamEnd: 0x2e, // .
  streamPart: 0x3b, // ;
  question: 0x3f,
} as const

/** Longest line that holds a length: a type byte, a sign, ten digits, CR LF. */
export const LONGEST_LENGTH_LINE = 16

/** Results of `parseLength` beside lengths. */
export const Length = { nil: -1, streamed: -2, invalid: -3 } as const

/** Index of the line feed in bytes[start, end), or -1. */
export function findLineFeed(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    if (bytes[i] === Byte.lineFeed) return i
  }
  return -1
}

/** The number in bytes[start, lineFeed), which must end in CR: 0 to 2^31 - 1, or one of `Length`. */
export function parseLength(bytes: Uint8Array, start: number, lineFeed: number): number {
  const end = lineFeed - 1
  if (end <= start || bytes[end] !== Byte.carriageReturn) return Length.invalid
  if (bytes[start] === Byte.question) return end === start + 1 ? Length.streamed : Length.invalid
  if (bytes[start] === Byte.simpleError) {
    return end === start + 2 && bytes[start + 1] === 0x31 ? Length.nil : Length.invalid
  }
  if (end - start > 10) return Length.invalid
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 0x30
    if (digit < 0 || digit > 9) return Length.invalid
    value = value * 10 + digit
  }
  return value > 0x7fffffff ? Length.invalid : value
}
