import { latin1 } from '../latin1.js'

const LONGEST = 64
const BRACE = 0x7b
const QUOTE = 0x22

/**
 * The action of `POST …/action`: the only key of the object that is the body, `{"os-start": null}` or
 * `{"reboot": {"type": "SOFT"}}`. Extensions' actions have their alias in front: `{"os-getConsoleOutput": …}`.
 */
export function actionIn(bytes: Uint8Array, start: number, end: number): string | undefined {
  let i = afterBlanks(bytes, start, end)
  if (bytes[i] !== BRACE || i >= end) return undefined
  i = afterBlanks(bytes, i + 1, end)
  if (bytes[i] !== QUOTE || i >= end) return undefined
  const from = ++i
  const limit = Math.min(end, from + LONGEST + 1)
  while (i < limit && isWordByte(bytes[i]!)) i++
  return i > from && i < limit && bytes[i] === QUOTE ? latin1(bytes, from, i) : undefined
}

/** What JSON takes for white space (RFC 8259, 2). */
function afterBlanks(bytes: Uint8Array, i: number, end: number): number {
  while (i < end && (bytes[i] === 0x20 || bytes[i] === 0x0a || bytes[i] === 0x0d || bytes[i] === 0x09)) i++
  return i
}

const isWordByte = (byte: number): boolean =>
  (byte >= 0x61 && byte <= 0x7a) ||
  (byte >= 0x41 && byte <= 0x5a) ||
  (byte >= 0x30 && byte <= 0x39) ||
  byte === 0x2d ||
  byte === 0x5f ||
  byte === 0x3a
