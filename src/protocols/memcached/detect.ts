import type { Detection } from '../protocol.js'
import { commandNamed } from './commands.js'
import { CARRIAGE_RETURN, endOfWord, findLineFeed, parseNumber, SPACE, Words } from './lines.js'
import { lineWord } from './parse-replies.js'

const NO: Detection = { match: 'no' }
const MAYBE_CLIENT: Detection = { match: 'maybe', sender: 'client' }
const MAYBE_SERVER: Detection = { match: 'maybe', sender: 'server' }
const CLIENT: Detection = { match: 'yes', sender: 'client' }
const SERVER: Detection = { match: 'yes', sender: 'server' }

const MOST_LOOKED_AT = 256
const LONGEST_KEY = 250
const MINUS = 0x2d
/** Lines that are looked at before a guess stays a guess. */
const MOST_LINES = 4
const words = new Words()

/** Answers that no other line protocol has. Bare `OK`, `ERROR`, `END` and numbers are anybody's. */
const OWN_ANSWERS = new Set(['STORED', 'NOT_STORED', 'DELETED', 'TOUCHED', 'CLIENT_ERROR', 'SERVER_ERROR'])
const LIKELY_ANSWERS = new Set(['EXISTS', 'NOT_FOUND', 'END', 'VERSION', 'HD', 'EN', 'NF', 'NS', 'EX', 'MN'])

/**
 * A command's word alone is too common a word: its arguments must have the form that the command asks for, or a line
 * behind it must.
 */
export function detect(bytes: Uint8Array, start: number, end: number): Detection {
  const limit = Math.min(end, start + MOST_LOOKED_AT)
  const first = detectLine(bytes, start, limit)
  if (first.match !== 'maybe') return first
  for (let at = start, lines = 1; lines < MOST_LINES; lines++) {
    const lineEnd = findLineFeed(bytes, at, limit)
    if (lineEnd < 0) break
    at = lineEnd + 1
    const next = detectLine(bytes, at, limit)
    if (next.match === 'yes') return next.sender === first.sender ? next : NO
  }
  return first
}

function detectLine(bytes: Uint8Array, start: number, limit: number): Detection {
  if (start >= limit) return NO
  const lineEnd = findLineFeed(bytes, start, limit)
  const wordEnd = endOfWord(bytes, start, lineEnd < 0 ? limit : lineEnd)
  if (wordEnd === limit) return NO
  const first = bytes[start]!
  if (first >= 0x61 && first <= 0x7a)
    return detectCommand(bytes, start, wordEnd, lineEnd < 0 ? limit : lineEnd, lineEnd >= 0)
  if (lineEnd < 0 || bytes[lineEnd - 1] !== CARRIAGE_RETURN) return NO
  return detectAnswer(bytes, start, wordEnd, lineEnd)
}

function detectCommand(bytes: Uint8Array, start: number, wordEnd: number, lineEnd: number, whole: boolean): Detection {
  const command = commandNamed(bytes, start, wordEnd)
  if (command === undefined) return NO
  words.split(bytes, start, lineEnd)
  if (command.keyAt > 0 && !isKey(bytes, wordEnd, command.keyAt, whole)) return NO
  if (!whole) return command.kind === 'retrieve' ? MAYBE_CLIENT : NO
  switch (command.name) {
    case 'get':
    case 'gets':
      return CLIENT
    case 'gat':
    case 'gats':
      return isNumber(bytes, 1) ? CLIENT : NO
    case 'set':
    case 'add':
    case 'replace':
    case 'append':
    case 'prepend':
    case 'cas':
      return isNumber(bytes, 2) && isNumber(bytes, 4) ? CLIENT : NO
    case 'incr':
    case 'decr':
    case 'touch':
      return isNumber(bytes, 2) ? CLIENT : NO
    case 'ms':
      return isNumber(bytes, 2) ? CLIENT : NO
    case 'mg':
    case 'md':
    case 'ma':
      return haveFlags(bytes) ? CLIENT : NO
    case 'delete':
      return words.count <= 3 ? CLIENT : NO
    case 'me':
      return MAYBE_CLIENT
    case 'flush_all':
      return CLIENT
    case 'version':
    case 'stats':
    case 'mn':
      return words.count <= 2 ? MAYBE_CLIENT : NO
    case 'watch':
    case 'lru_crawler':
    case 'cache_memlimit':
    case 'verbosity':
      return MAYBE_CLIENT
    default:
      return NO
  }
}

/** A key is at most 250 bytes without blanks and control characters, one space before it. */
function isKey(bytes: Uint8Array, wordEnd: number, keyAt: number, whole: boolean): boolean {
  if (words.known <= keyAt || bytes[wordEnd] !== SPACE) return false
  const start = words.start(keyAt)
  const end = words.end(keyAt)
  if (end - start > LONGEST_KEY) return false
  for (let i = start; i < end; i++) if (bytes[i]! < 0x21 || bytes[i] === 0x7f) return false
  return whole || end - start > 0
}

/** Flags of a meta command are a letter with its argument. */
function haveFlags(bytes: Uint8Array): boolean {
  for (let i = 2; i < words.known; i++) {
    const letter = bytes[words.start(i)]! | 0x20
    const isLong =
      words.end(i) - words.start(i) > 1 && /[bcfhklqstvx]/.test(String.fromCharCode(bytes[words.start(i)]!))
    if (letter < 0x61 || letter > 0x7a || isLong) return false
  }
  return true
}

function isNumber(bytes: Uint8Array, index: number): boolean {
  if (index >= words.known) return false
  const start = words.start(index)
  return parseNumber(bytes, bytes[start] === MINUS ? start + 1 : start, words.end(index)) >= 0
}

function detectAnswer(bytes: Uint8Array, start: number, wordEnd: number, lineEnd: number): Detection {
  const found = lineWord(bytes, start, wordEnd)
  if (found === undefined) return NO
  words.split(bytes, start, lineEnd)
  const { word } = found
  if (word === 'VALUE') return isNumber(bytes, 2) && isNumber(bytes, 3) && words.count <= 5 ? SERVER : NO
  if (word === 'STAT') return words.count >= 2 ? SERVER : NO
  if (word === 'VA') return isNumber(bytes, 1) ? MAYBE_SERVER : NO
  if (OWN_ANSWERS.has(word)) return word.endsWith('_ERROR') || words.count === 1 ? SERVER : NO
  return LIKELY_ANSWERS.has(word) && (words.count === 1 || word === 'VERSION' || word === 'HD') ? MAYBE_SERVER : NO
}
