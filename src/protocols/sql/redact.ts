import type { SqlDialect } from './dialect.js'

/** Most bytes of one statement that are looked at; what lies beyond is not part of the text. */
export const SQL_LIMIT = 4096

/**
 * A scratch that one redaction after the other is written to. Literals become `?`, comments and needless white space go,
 * lists of literals after IN and repeated rows of VALUES shrink to one, so that the texts of one statement with
 * whatever values are the same bytes.
 */
export interface Redacted {
  readonly bytes: Uint8Array
  length: number
  /** FNV-1a of the bytes. */
  hash: number
  /** Value of a `traceparent` that a comment carries (sqlcommenter), or undefined. */
  traceparent: string | undefined
}

/** Output never exceeds input by more than one byte a token; the mark of a cut text needs three more. */
export const createRedacted = (): Redacted => ({
  bytes: new Uint8Array(SQL_LIMIT * 2 + 8),
  length: 0,
  hash: 0,
  traceparent: undefined,
})

// The first two are what names consist of.
const NAME = 0
const DIGIT = 1
const OTHER = 2
const SPACE = 3
const QUOTE = 4
const DOUBLE_QUOTE = 5
const BACKTICK = 6
const MINUS = 7
const SLASH = 8
const HASH = 9
const STAR = 10
const OPEN = 11
const CLOSE = 12
const DOT = 13
const MARK = 14

const CLASS = createClasses()
const CLASS_WITHOUT_AT = createClasses().fill(OTHER, 0x40, 0x41)

function createClasses(): Uint8Array {
  const classes = new Uint8Array(256).fill(OTHER)
  for (let c = 0; c < 256; c++) {
    const character = String.fromCharCode(c)
    if (c >= 0x80 || /[A-Za-z_$@]/.test(character)) classes[c] = NAME
    else if (/[0-9]/.test(character)) classes[c] = DIGIT
    else if (/[\s\0]/.test(character)) classes[c] = SPACE
  }
  const single: Record<string, number> = {
    "'": QUOTE,
    '"': DOUBLE_QUOTE,
    '`': BACKTICK,
    '-': MINUS,
    '/': SLASH,
    '#': HASH,
    '*': STAR,
    '(': OPEN,
    ')': CLOSE,
    '.': DOT,
    '?': MARK,
  }
  for (const [character, kind] of Object.entries(single)) classes[character.charCodeAt(0)] = kind
  return classes
}

const QUESTION = 0x3f
const DOLLAR = 0x24
const COMMA = 0x2c
const BLANK = 0x20
const DEPTH = 64

/** Where each open parenthesis stands in the output, and whether it follows IN. */
const openAt = new Int32Array(DEPTH)
const afterIn = new Uint8Array(DEPTH)
/** Of the group that was closed last at each depth: where it begins and ends. */
const groupStart = new Int32Array(DEPTH)
const groupEnd = new Int32Array(DEPTH)

/** Redacts bytes[start, end) into `out`. `cut`: the statement goes on behind `end`; the text ends in `…` then. */
export function redact(
  bytes: Uint8Array,
  start: number,
  end: number,
  cut: boolean,
  dialect: SqlDialect,
  out: Redacted,
): void {
  if (end - start > SQL_LIMIT) {
    end = start + SQL_LIMIT
    cut = true
  }
  const target = out.bytes
  const classes = dialect.atInNames ? CLASS : CLASS_WITHOUT_AT
  let i = start
  let o = 0
  let depth = 0
  out.traceparent = undefined
  groupEnd[0] = -1
  while (i < end) {
    const c = bytes[i]!
    switch (classes[c]!) {
      case NAME: {
        if (c === DOLLAR && dialect.dollarQuotes) {
          const next = endOfDollar(bytes, i, end)
          if (next > i) o = mark(target, o, depth)
          else target[o++] = c
          i = next > i ? next : i + 1
          break
        }
        const from = i
        let next = c
        do {
          target[o++] = next
          next = ++i < end ? bytes[i]! : BLANK
        } while (classes[next]! <= DIGIT)
        // x'4d', b'01', n'text': the letter belongs to the literal.
        if (next === 0x27 && i - from === 1) o--
        break
      }
      case DIGIT:
        i = endOfNumber(bytes, i, end)
        o = mark(target, o, depth)
        break
      case SPACE:
        i++
        if (o > 0 && target[o - 1] !== BLANK) target[o++] = BLANK
        break
      case QUOTE:
        i = endOfQuoted(
          bytes,
          i,
          end,
          0x27,
          dialect.backslashEscapes || (dialect.escapeStrings && isEscape(bytes, i, start)),
        )
        o = mark(target, o, depth)
        break
      case DOUBLE_QUOTE: {
        const next = endOfQuoted(bytes, i, end, 0x22, dialect.backslashEscapes && dialect.doubleQuotes === 'literal')
        if (dialect.doubleQuotes === 'literal') o = mark(target, o, depth)
        else o = copy(bytes, i, next, target, o)
        i = next
        break
      }
      case BACKTICK:
        if (dialect.backticks) {
          const next = endOfQuoted(bytes, i, end, 0x60, false)
          o = copy(bytes, i, next, target, o)
          i = next
        } else target[o++] = bytes[i++]!
        break
      case MINUS:
        if (isDashComment(bytes, i, end, dialect)) {
          i = endOfLine(bytes, i, end)
          if (o > 0 && target[o - 1] !== BLANK) target[o++] = BLANK
        } else target[o++] = bytes[i++]!
        break
      case HASH:
        if (dialect.hashComments) {
          i = endOfLine(bytes, i, end)
          if (o > 0 && target[o - 1] !== BLANK) target[o++] = BLANK
        } else target[o++] = bytes[i++]!
        break
      case SLASH:
        if (i + 1 < end && bytes[i + 1] === 0x2a) {
          const body = dialect.executableComments ? executableBody(bytes, i, end) : -1
          if (body < 0) {
            const next = endOfComment(bytes, i + 2, end, dialect.nestedComments)
            out.traceparent ??= traceparentIn(bytes, i + 2, next)
            i = next
          } else i = body
          if (o > 0 && target[o - 1] !== BLANK) target[o++] = BLANK
        } else target[o++] = bytes[i++]!
        break
      case STAR:
        // The end of an executable comment, whose content has been read like any other text.
        if (dialect.executableComments && i + 1 < end && bytes[i + 1] === 0x2f) {
          i += 2
          if (o > 0 && target[o - 1] !== BLANK) target[o++] = BLANK
        } else target[o++] = bytes[i++]!
        break
      case OPEN:
        i++
        if (depth < DEPTH - 1) {
          depth++
          openAt[depth] = o
          afterIn[depth] = followsIn(target, o) ? 1 : 0
          groupEnd[depth] = -1
        }
        target[o++] = c
        break
      case CLOSE:
        i++
        if (o > 0 && target[o - 1] === BLANK) o--
        target[o++] = c
        if (depth > 0) {
          o = closeGroup(target, o, depth)
          depth--
        }
        break
      case DOT:
        // `.5` is a number, `t.5` is not.
        if (i + 1 < end && CLASS[bytes[i + 1]!] === DIGIT && !endsInName(target, o)) {
          i = endOfNumber(bytes, i + 1, end)
          o = mark(target, o, depth)
        } else target[o++] = bytes[i++]!
        break
      case MARK:
        i++
        o = mark(target, o, depth)
        break
      default:
        target[o++] = bytes[i++]!
    }
  }
  finish(out, o, cut)
}

function finish(out: Redacted, o: number, cut: boolean): void {
  const target = out.bytes
  while (o > 0 && (target[o - 1] === BLANK || target[o - 1] === 0x3b)) o--
  if (cut) {
    target[o++] = 0xe2
    target[o++] = 0x80
    target[o++] = 0xa6
  }
  let hash = 0x811c9dc5
  for (let i = 0; i < o; i++) hash = Math.imul(hash ^ target[i]!, 0x01000193)
  out.length = o
  out.hash = hash >>> 0
}

/** Writes `?`, unless it is one more literal of an IN list. */
function mark(target: Uint8Array, o: number, depth: number): number {
  if (depth > 0 && afterIn[depth] === 1) {
    let before = o - 1
    if (before > 0 && target[before] === BLANK) before--
    if (before > 1 && target[before] === COMMA) {
      before--
      if (target[before] === BLANK) before--
      if (target[before] === QUESTION) return before + 1
    }
  }
  target[o++] = QUESTION
  return o
}

/** A group like the one before it, `(?, ?), (?, ?)`, is left out. Returns the new end of the output. */
function closeGroup(target: Uint8Array, o: number, depth: number): number {
  const start = openAt[depth]!
  const outer = depth - 1
  const lastEnd = groupEnd[outer]!
  const lastStart = groupStart[outer]!
  if (lastEnd > 0 && o - start === lastEnd - lastStart && onlyComma(target, lastEnd, start)) {
    let marks = 0
    let same = true
    for (let k = 0; k < o - start && same; k++) {
      const byte = target[start + k]!
      same = byte === target[lastStart + k]
      if (byte === QUESTION) marks++
    }
    if (same && marks > 0) return lastEnd
  }
  groupStart[outer] = start
  groupEnd[outer] = o
  return o
}

function onlyComma(target: Uint8Array, start: number, end: number): boolean {
  let commas = 0
  for (let i = start; i < end; i++) {
    if (target[i] === COMMA) commas++
    else if (target[i] !== BLANK) return false
  }
  return commas === 1
}

function followsIn(target: Uint8Array, o: number): boolean {
  if (o > 0 && target[o - 1] === BLANK) o--
  if (o < 3 || (target[o - 1]! | 0x20) !== 0x6e || (target[o - 2]! | 0x20) !== 0x69) return false
  const before = CLASS[target[o - 3]!]!
  return before !== NAME && before !== DIGIT && before !== DOT
}

function endsInName(target: Uint8Array, o: number): boolean {
  if (o === 0) return false
  const last = CLASS[target[o - 1]!]!
  return last === NAME || last === DIGIT || last === BACKTICK || last === DOUBLE_QUOTE
}

function copy(bytes: Uint8Array, start: number, end: number, target: Uint8Array, o: number): number {
  for (let i = start; i < end; i++) target[o++] = bytes[i]!
  return o
}

/** `12`, `1.5e-3`, `0x4d`: everything that hangs together, so that nothing of a number is left. */
function endOfNumber(bytes: Uint8Array, i: number, end: number): number {
  const hex = bytes[i] === 0x30 && i + 1 < end && (bytes[i + 1]! | 0x20) === 0x78
  for (; i < end; i++) {
    const c = bytes[i]!
    const kind = CLASS[c]!
    if (kind === DIGIT || kind === NAME || kind === DOT) continue
    const sign = c === 0x2b || c === 0x2d
    if (sign && !hex && (bytes[i - 1]! | 0x20) === 0x65 && i + 1 < end && CLASS[bytes[i + 1]!] === DIGIT) continue
    break
  }
  return i
}

function endOfQuoted(bytes: Uint8Array, i: number, end: number, quote: number, backslash: boolean): number {
  for (i++; i < end; i++) {
    const c = bytes[i]!
    if (c === quote) {
      if (i + 1 < end && bytes[i + 1] === quote) i++
      else return i + 1
    } else if (c === 0x5c && backslash) i++
  }
  return end
}

function isDashComment(bytes: Uint8Array, i: number, end: number, dialect: SqlDialect): boolean {
  if (i + 1 >= end || bytes[i + 1] !== 0x2d) return false
  return !dialect.dashesNeedSpace || i + 2 >= end || CLASS[bytes[i + 2]!] === SPACE
}

function endOfLine(bytes: Uint8Array, i: number, end: number): number {
  while (i < end && bytes[i] !== 0x0a) i++
  return i
}

function endOfComment(bytes: Uint8Array, i: number, end: number, nested: boolean): number {
  let depth = 1
  for (; i + 1 < end; i++) {
    if (bytes[i] === 0x2a && bytes[i + 1] === 0x2f) {
      if (--depth === 0) return i + 2
      i++
    } else if (nested && bytes[i] === 0x2f && bytes[i + 1] === 0x2a) {
      depth++
      i++
    }
  }
  return end
}

/** The quote at i is that of `E'…'`. */
function isEscape(bytes: Uint8Array, i: number, start: number): boolean {
  if (i === start || (bytes[i - 1]! | 0x20) !== 0x65) return false
  return i - 1 === start || CLASS[bytes[i - 2]!]! > DIGIT
}

/** Behind the parameter `$1` or the literal `$tag$…$tag$` at i; i if it is neither. */
function endOfDollar(bytes: Uint8Array, i: number, end: number): number {
  let tagEnd = i + 1
  while (tagEnd < end && bytes[tagEnd] !== DOLLAR && CLASS_WITHOUT_AT[bytes[tagEnd]!]! <= DIGIT) tagEnd++
  const isDigit = i + 1 < end && CLASS[bytes[i + 1]!] === DIGIT
  if (isDigit) return tagEnd
  if (tagEnd >= end || bytes[tagEnd] !== DOLLAR) return i
  const length = tagEnd + 1 - i
  for (let k = tagEnd + 1; k + length <= end; k++) {
    if (bytes[k] !== DOLLAR) continue
    let same = 1
    while (same < length && bytes[k + same] === bytes[i + same]) same++
    if (same === length) return k + length
  }
  return end
}

/** First byte of what is executed in a comment like `/*!50700`; -1 for an ordinary comment. */
function executableBody(bytes: Uint8Array, i: number, end: number): number {
  i += 2
  if (i < end && bytes[i] === 0x4d) i++
  if (i >= end || bytes[i] !== 0x21) return -1
  i++
  while (i < end && CLASS[bytes[i]!] === DIGIT) i++
  return i
}

const TRACEPARENT = /traceparent='([0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})'/

function traceparentIn(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start < 70) return undefined
  return TRACEPARENT.exec(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1'))?.[1]
}
