import { isVariableName } from '../cgi/variables.js'
import type { Detection } from '../protocol.js'

const NO: Detection = { match: 'no' }
const MAYBE: Detection = { match: 'maybe', sender: 'client' }
const YES: Detection = { match: 'yes', sender: 'client' }

/** Modifier, size of the variables: 2, second modifier. */
export const HEADER = 4
const LENGTH_BYTES = 2
/** Of WSGI, PSGI, Lua, Rack, PHP, CGI, Mono, Go, V8 and others whose packets are variables (uwsgi protocol, "Modifiers"). */
const HIGHEST_MODIFIER = 27
const LEAST_VARIABLES = 16
const SHORTEST_NAME = 4
const LONGEST_NAME = 64
const LONGEST_VALUE = 16_384

/** A packet of variables: its first name is one of CGI's, and what lengths there are fit. */
export function detectUwsgi(bytes: Uint8Array, start: number, end: number): Detection {
  const here = end - start
  if (here === 0 || bytes[start]! > HIGHEST_MODIFIER) return NO
  if (here >= 3 && sizeAt(bytes, start + 1) < LEAST_VARIABLES) return NO
  if (here < HEADER) return MAYBE
  const size = sizeAt(bytes, start + 1)
  if (bytes[start + 3]! > 2) return NO
  const stop = start + HEADER + size
  let at = start + HEADER
  let whole = 0
  while (at + LENGTH_BYTES <= end && at < stop) {
    const name = at + LENGTH_BYTES
    const nameLength = sizeAt(bytes, at)
    if (nameLength < SHORTEST_NAME || nameLength > LONGEST_NAME || name + nameLength > stop) return NO
    if (name < end && !isVariableName(bytes, name, Math.min(end, name + nameLength))) return isHeaderOfRouter(whole)
    const value = name + nameLength + LENGTH_BYTES
    if (value > end) break
    const valueLength = sizeAt(bytes, name + nameLength)
    if (valueLength > LONGEST_VALUE || value + valueLength > stop) return NO
    at = value + valueLength
    whole++
  }
  return whole > 0 ? YES : here < 128 ? MAYBE : NO
}

/** Names that are no variables (`uwsgi.…`) come behind some that are. */
const isHeaderOfRouter = (whole: number): Detection => (whole >= 2 ? YES : NO)

/** Little-endian, unlike most that goes over a network. */
export function sizeAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8)
}
