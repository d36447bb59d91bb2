import type { Detection } from '../protocol.js'
import { commandNamed, knownCommand } from './commands.js'
import { Byte, findLineFeed, Length, LONGEST_LENGTH_LINE, parseLength } from './tokens.js'

const NO: Detection = { match: 'no' }
const MAYBE: Detection = { match: 'maybe' }
const MAYBE_CLIENT: Detection = { match: 'maybe', sender: 'client' }
const MAYBE_SERVER: Detection = { match: 'maybe', sender: 'server' }
const CLIENT: Detection = { match: 'yes', sender: 'client' }
const SERVER: Detection = { match: 'yes', sender: 'server' }

const MOST_LOOKED_AT = 256
const MOST_LINES = 8

/** Status replies that other line protocols do not have: a bare `+OK` line is one of theirs, too. */
const STATUS_LINES = new Map([
  ['+PONG', SERVER],
  ['+QUEUED', SERVER],
  ['+OK', MAYBE_SERVER],
])
/** Error prefixes of the server (`shared.*err` and others in its source). */
const ERROR_PREFIXES = new Set(
  `ERR WRONGTYPE NOAUTH WRONGPASS NOPERM MOVED ASK CLUSTERDOWN CROSSSLOT TRYAGAIN LOADING BUSY BUSYKEY BUSYGROUP NOGROUP
NOSCRIPT OOM MISCONF READONLY NOREPLICAS EXECABORT MASTERDOWN UNKILLABLE NOPROTO`.split(/\s+/),
)

/**
 * An array that begins with the name of a command is a client's for sure. Commands typed inline are believed only
 * if memcached and HTTP have no such word: `GET` is theirs, too.
 */
export function detect(bytes: Uint8Array, start: number, end: number): Detection {
  if (end > start + MOST_LOOKED_AT) end = start + MOST_LOOKED_AT
  if (end - start < 3) return NO
  switch (bytes[start]) {
    case Byte.array:
      return detectArray(bytes, start, end)
    case Byte.simpleString:
    case Byte.simpleError:
      return detectStatus(bytes, start, end)
    case Byte.bulkString:
      return detectBulk(bytes, start, end)
    case Byte.map:
    case Byte.push:
    case Byte.set:
    case Byte.attribute:
      return detectAggregate(bytes, start, end)
    case Byte.integer:
      return isWholeNumberLine(bytes, start, end) ? MAYBE_SERVER : NO
    case Byte.nil:
      return bytes[start + 1] === Byte.carriageReturn && bytes[start + 2] === Byte.lineFeed ? MAYBE_SERVER : NO
    default:
      return detectInline(bytes, start, end)
  }
}

function lengthLine(bytes: Uint8Array, start: number, end: number): { lineEnd: number; length: number } | undefined {
  const lineEnd = findLineFeed(bytes, start, Math.min(end, start + LONGEST_LENGTH_LINE))
  if (lineEnd < 0) return undefined
  const length = parseLength(bytes, start + 1, lineEnd)
  return length === Length.invalid ? undefined : { lineEnd, length }
}

function detectArray(bytes: Uint8Array, start: number, end: number): Detection {
  const head = lengthLine(bytes, start, end)
  if (head === undefined) return NO
  const first = head.lineEnd + 1
  if (head.length <= 0 || first >= end) return head.length <= 0 && first === end ? MAYBE_SERVER : NO
  if (bytes[first] !== Byte.bulkString) return isType(bytes[first]!) ? MAYBE_SERVER : NO
  const name = lengthLine(bytes, first, end)
  if (name === undefined || name.length < 0) return NO
  const from = name.lineEnd + 1
  if (from + name.length > end) return MAYBE
  if (commandNamed(bytes, from, from + name.length).known) return CLIENT
  return MAYBE
}

function detectStatus(bytes: Uint8Array, start: number, end: number): Detection {
  const lineEnd = findLineFeed(bytes, start, end)
  if (lineEnd < 0 || bytes[lineEnd - 1] !== Byte.carriageReturn) return NO
  const line = String.fromCharCode(...bytes.subarray(start, lineEnd - 1))
  if (bytes[start] === Byte.simpleString) return STATUS_LINES.get(line) ?? NO
  const space = line.indexOf(' ')
  const prefix = line.slice(1, space < 0 ? undefined : space)
  // `-ERR` alone is also how a POP3 server refuses.
  return ERROR_PREFIXES.has(prefix) ? (prefix === 'ERR' ? MAYBE_SERVER : SERVER) : NO
}

function detectBulk(bytes: Uint8Array, start: number, end: number): Detection {
  const head = lengthLine(bytes, start, end)
  if (head === undefined) return NO
  if (head.length < 0) return head.lineEnd + 1 === end ? MAYBE_SERVER : NO
  const contentEnd = head.lineEnd + 1 + head.length
  if (contentEnd + 2 > end) return MAYBE_SERVER
  return bytes[contentEnd] === Byte.carriageReturn && bytes[contentEnd + 1] === Byte.lineFeed ? SERVER : NO
}

function detectAggregate(bytes: Uint8Array, start: number, end: number): Detection {
  const head = lengthLine(bytes, start, end)
  if (head === undefined || head.lineEnd + 1 >= end) return NO
  return isType(bytes[head.lineEnd + 1]!) ? MAYBE_SERVER : NO
}

function isType(byte: number): boolean {
  return '*$+-:_#,(!=%~|>'.includes(String.fromCharCode(byte))
}

function isWholeNumberLine(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start + 1
  if (bytes[at] === Byte.simpleError) at++
  const digits = at
  while (at < end && bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at++
  return at > digits && at + 2 <= end && bytes[at] === Byte.carriageReturn && bytes[at + 1] === Byte.lineFeed
}

/** Words that memcached, HTTP and mail servers know as well. */
const FOREIGN = new Set([
  'GET',
  'SET',
  'APPEND',
  'INCR',
  'DECR',
  'TOUCH',
  'COPY',
  'MOVE',
  'AUTH',
  'QUIT',
  'RESET',
  'HELLO',
])

/** One line that begins with a command may be anybody's; several that all do are a client's. */
function detectInline(bytes: Uint8Array, start: number, end: number): Detection {
  let lines = 0
  for (let at = start; at < end && lines < MOST_LINES; lines++) {
    const lineEnd = findLineFeed(bytes, at, end)
    if (lineEnd < 0) break
    let wordEnd = at
    while (wordEnd < lineEnd && bytes[wordEnd] !== Byte.space && bytes[wordEnd] !== Byte.carriageReturn) wordEnd++
    const command = knownCommand(bytes, at, wordEnd)
    if (command === undefined || (lines === 0 && FOREIGN.has(command.name))) return NO
    at = lineEnd + 1
  }
  return lines === 0 ? NO : lines === 1 ? MAYBE_CLIENT : CLIENT
}
