import { latin1 } from '../latin1.js'

export const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const BLANK = 0x20

/**
 * The text value of a field whose name ends at `nameEnd`: `\": \"value\"`, or the same without backslashes. Undefined for
 * what is no text, is longer than `longest`, has escapes in it, or is not there as a whole.
 */
export function textBehind(piece: Uint8Array, nameEnd: number, longest: number): string | undefined {
  let i = nameEnd
  if (piece[i] === BACKSLASH) i++
  if (piece[i++] !== QUOTE || piece[i++] !== COLON) return undefined
  while (piece[i] === BLANK) i++
  if (piece[i] === BACKSLASH) i++
  if (piece[i++] !== QUOTE) return undefined
  const start = i
  const limit = Math.min(piece.length, start + longest + 1)
  while (i < limit && piece[i] !== QUOTE && piece[i] !== BACKSLASH) i++
  return i < limit ? latin1(piece, start, i) : undefined
}
