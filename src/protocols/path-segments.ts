/**
 * What one segment of a path looks like. word: a name that code was written with. version: `v2.1`, `1.0`. id: names
 * one thing among many. secret: an id so long and so random that it may grant access.
 */
export type SegmentKind = 'word' | 'version' | 'id' | 'secret'

const VERSION = /^(v\d{1,4}(\.\d{1,3}){0,2}((alpha|beta|rc)\d{0,2})?|\d{1,2}\.\d{1,2})$/i
/** `AUTH_` or `req-` in front of an id, which says what it is of. */
const PREFIXED_ID = /^[a-z]{1,16}[-_]([0-9a-f]{16,40}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i
const LONGEST_WORD = 64
const FEWEST_SECRET_CHARS = 20
/** Longer than a SHA-1: a digest of that length serves as a token as often as as a name. */
const LONGEST_HEX_ID = 40
const FEWEST_HEX_ID_CHARS = 8
const FEWEST_MIXED_ID_CHARS = 12
const FEWEST_MIXED_ID_DIGITS = 3

export function classifySegment(segment: string): SegmentKind {
  const { length } = segment
  if (length === 0) return 'word'
  let digits = 0
  let lower = 0
  let upper = 0
  let hexLetters = 0
  let separators = 0
  let odd = 0
  for (let i = 0; i < length; i++) {
    const code = segment.charCodeAt(i)
    if (code >= 0x30 && code <= 0x39) digits++
    else if (code >= 0x61 && code <= 0x7a) {
      lower++
      if (code <= 0x66) hexLetters++
    } else if (code >= 0x41 && code <= 0x5a) {
      upper++
      if (code <= 0x46) hexLetters++
    } else if (code === 0x2d || code === 0x5f || code === 0x2e || code === 0x3a || code === 0x7e) separators++
    else odd++
  }
  const letters = lower + upper
  if (digits === 0) {
    if (length > LONGEST_WORD || odd > 0) return looksRandom(length, digits, lower, upper) ? 'secret' : 'id'
    return hexLetters === length && length >= 16 ? 'id' : 'word'
  }
  if (digits + separators === length) return VERSION.test(segment) ? 'version' : 'id'
  if (length <= 16 && VERSION.test(segment)) return 'version'
  if (odd === 0 && digits + hexLetters === length) {
    if (length > LONGEST_HEX_ID) return 'secret'
    return length >= FEWEST_HEX_ID_CHARS ? 'id' : 'word'
  }
  if (length === 36 && separators === 4 && digits + hexLetters === 32) return 'id'
  if (looksRandom(length, digits, lower, upper)) return PREFIXED_ID.test(segment) ? 'id' : 'secret'
  if (length > LONGEST_WORD || odd > 0) return 'id'
  return length >= FEWEST_MIXED_ID_CHARS && digits >= FEWEST_MIXED_ID_DIGITS && letters > 0 ? 'id' : 'word'
}

/** Small letters, capitals and digits all through each other: base64 and the like. */
function looksRandom(length: number, digits: number, lower: number, upper: number): boolean {
  return length >= FEWEST_SECRET_CHARS && digits >= 2 && lower >= 3 && upper >= 3
}

/**
 * A path with what may grant access replaced: random segments, and parameters behind a semicolon
 * (`;jsessionid=…`). Most paths come back as they are.
 */
export function redactPath(path: string): string {
  if (path.length < FEWEST_SECRET_CHARS && !path.includes(';')) return path
  let result = ''
  let kept = 0
  for (let start = 0; start < path.length; ) {
    const slash = path.indexOf('/', start)
    const end = slash === -1 ? path.length : slash
    const parameters = path.indexOf(';', start)
    const stop = parameters !== -1 && parameters < end ? parameters : end
    if (stop - start >= FEWEST_SECRET_CHARS && classifySegment(path.slice(start, stop)) === 'secret') {
      result += `${path.slice(kept, start)}${REDACTED}`
      kept = end
    } else if (stop !== end) {
      result += path.slice(kept, stop)
      kept = end
    }
    start = end + 1
  }
  return kept === 0 ? path : result + path.slice(kept)
}

/** What stands for a value that is not told. */
export const REDACTED = 'REDACTED'
