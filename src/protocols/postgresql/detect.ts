import type { Detection } from '../protocol.js'
import { BACKEND, Backend, FRONTEND, Frontend, fits, HEADER, uint16, uint32, untilNul } from './messages.js'
import { openingOf, STARTUP_HEADER, STARTUP_LIMIT } from './startup.js'

const NO: Detection = { match: 'no' }
const MAYBE: Detection = { match: 'maybe' }
const CLIENT: Detection = { match: 'yes', sender: 'client' }
const SERVER: Detection = { match: 'yes', sender: 'server' }
const MAYBE_CLIENT: Detection = { match: 'maybe', sender: 'client' }
const MAYBE_SERVER: Detection = { match: 'maybe', sender: 'server' }

/** Words that statements begin with, as far as applications send them. */
const VERBS = new Set(
  (
    'SELECT INSERT UPDATE DELETE MERGE WITH SET SHOW RESET BEGIN START COMMIT END ROLLBACK ABORT SAVEPOINT RELEASE ' +
    'CREATE ALTER DROP TRUNCATE CALL DO EXPLAIN ANALYZE VACUUM REINDEX CLUSTER COPY DECLARE FETCH MOVE CLOSE LISTEN ' +
    'UNLISTEN NOTIFY LOCK GRANT REVOKE PREPARE EXECUTE DEALLOCATE DISCARD REFRESH COMMENT VALUES TABLE CHECKPOINT LOAD ' +
    'SECURITY IMPORT REASSIGN'
  ).split(' '),
)
const TAGS =
  /^(SELECT|INSERT|UPDATE|DELETE|MERGE|FETCH|MOVE|COPY|BEGIN|COMMIT|ROLLBACK|START|SAVEPOINT|RELEASE|PREPARE|DEALLOCATE|SET|RESET|SHOW|CREATE|ALTER|DROP|TRUNCATE|LISTEN|NOTIFY|DISCARD|CALL|DO|EXPLAIN|LOCK|VACUUM|ANALYZE|GRANT|REVOKE|DECLARE|CLOSE|REFRESH|COMMENT)\b/

/** Bytes of which a text must consist to be taken for one. */
const TEXT_SEEN = 24

/** A startup message, or a message of a type whose content says more than its length. */
export function detect(bytes: Uint8Array, start: number, end: number): Detection {
  const here = end - start
  if (here === 0) return NO
  const type = bytes[start]!
  if (type === 0) return detectOpening(bytes, start, end)
  if (FRONTEND[type] === undefined && BACKEND[type] === undefined) return NO
  if (here < HEADER) {
    for (let i = start + 1; i < Math.min(end, start + 3); i++) if (bytes[i] !== 0) return NO
    return MAYBE
  }
  const length = uint32(bytes, start + 1)
  const from = start + HEADER
  const last = Math.min(end, start + 1 + length)
  if (fits(FRONTEND, type, length)) {
    const found = detectClient(bytes, type, from, last, start + 1 + length)
    if (found.match !== 'no') return found
  }
  return fits(BACKEND, type, length) ? detectServer(bytes, type, from, last, start + 1 + length) : NO
}

function detectOpening(bytes: Uint8Array, start: number, end: number): Detection {
  const here = end - start
  if (here > 1 && bytes[start + 1] !== 0) return NO
  if (here < STARTUP_HEADER) {
    if (here >= 4 && uint32(bytes, start) > STARTUP_LIMIT) return NO
    return here > 4 && bytes[start + 4] !== 0 && bytes[start + 4] !== 4 ? NO : MAYBE_CLIENT
  }
  const opening = openingOf(bytes, start)
  if (opening === undefined) return NO
  if (opening !== 'startup') return CLIENT
  const from = start + STARTUP_HEADER
  if (from === end) return MAYBE_CLIENT
  // Names of settings: lower case, and the text goes on with a NUL.
  const nameEnd = untilNul(bytes, from, end)
  for (let i = from; i < nameEnd; i++) {
    const c = bytes[i]!
    if ((c < 0x61 || c > 0x7a) && c !== 0x5f && c !== 0x2e) return NO
  }
  return nameEnd === end ? MAYBE_CLIENT : nameEnd - from >= 4 ? CLIENT : NO
}

function detectClient(bytes: Uint8Array, type: number, from: number, end: number, whole: number): Detection {
  switch (type) {
    case Frontend.query:
      return detectStatement(bytes, from, end, whole)
    case Frontend.parse: {
      const nameEnd = untilNul(bytes, from, end)
      if (nameEnd - from > 64 || !isText(bytes, from, nameEnd)) return NO
      return nameEnd === end ? MAYBE_CLIENT : detectStatement(bytes, nameEnd + 1, end, whole)
    }
    case Frontend.bind:
      return detectBind(bytes, from, end)
    case Frontend.sync:
      // ParameterStatus is longer.
      return CLIENT
    default:
      return NO
  }
}

function detectStatement(bytes: Uint8Array, from: number, end: number, whole: number): Detection {
  let i = from
  while (i < end && isOpening(bytes[i]!)) i++
  if (i === end) return end < whole ? MAYBE_CLIENT : NO
  const isComment =
    i + 1 < end && ((bytes[i] === 0x2f && bytes[i + 1] === 0x2a) || (bytes[i] === 0x2d && bytes[i + 1] === 0x2d))
  if (isComment) return isText(bytes, i, Math.min(end, i + TEXT_SEEN)) ? CLIENT : NO
  const first = i
  let word = ''
  while (i < end && word.length < 12 && isLetter(bytes[i]!)) word += String.fromCharCode(bytes[i++]! & 0xdf)
  if (i === end && end < whole) return MAYBE_CLIENT
  if (VERBS.has(word)) return CLIENT
  // No verb that is known; but a text that ends with the message.
  const isWhole = end === whole && bytes[end - 1] === 0 && end - first > 4
  return isWhole && isText(bytes, first, end - 1) ? CLIENT : NO
}

/** portal NUL, statement NUL, count of format codes: 2, codes: 2 each */
function detectBind(bytes: Uint8Array, from: number, end: number): Detection {
  const portalEnd = untilNul(bytes, from, end)
  const statementEnd = untilNul(bytes, portalEnd + 1, end)
  if (portalEnd - from > 64 || !isText(bytes, from, portalEnd)) return NO
  if (statementEnd - portalEnd > 64 || !isText(bytes, portalEnd + 1, Math.min(statementEnd, end))) return NO
  if (statementEnd + 3 > end) return MAYBE_CLIENT
  const formats = uint16(bytes, statementEnd + 1)
  let at = statementEnd + 3
  for (let i = 0; i < formats && at + 2 <= end; i++, at += 2) if (uint16(bytes, at) > 1) return NO
  if (at + 2 > end) return formats > 0 && formats <= 1000 ? CLIENT : MAYBE_CLIENT
  const parameters = uint16(bytes, at)
  return formats <= 1 || formats === parameters ? CLIENT : NO
}

function detectServer(bytes: Uint8Array, type: number, from: number, end: number, whole: number): Detection {
  switch (type) {
    case Backend.authentication:
      if (end - from < 4) return MAYBE_SERVER
      return uint32(bytes, from) <= 12 ? SERVER : NO
    case Backend.ready: {
      if (from === end) return MAYBE_SERVER
      const status = bytes[from]
      return status === 0x49 || status === 0x54 || status === 0x45 ? SERVER : NO
    }
    case Backend.parseComplete:
    case Backend.bindComplete:
      return SERVER
    case Backend.error:
      // Severity, in the server's language, and again as a word.
      if (end - from < 2) return MAYBE_SERVER
      return bytes[from] === 0x53 && isSeverity(bytes, from + 1, end) ? SERVER : NO
    case Backend.commandComplete: {
      const tagEnd = untilNul(bytes, from, end)
      const tag = Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.min(tagEnd - from, 64)).toString('latin1')
      return whole === tagEnd + 1 && TAGS.test(tag) ? SERVER : NO
    }
    case Backend.rowDescription:
      return detectRowDescription(bytes, from, end)
    default:
      return NO
  }
}

/** count: 2, then for each column name NUL, table: 4, column: 2, type: 4, size: 2, modifier: 4, format: 2 */
function detectRowDescription(bytes: Uint8Array, from: number, end: number): Detection {
  if (end - from < 2) return MAYBE_SERVER
  const columns = uint16(bytes, from)
  if (columns === 0 || columns > 1664) return NO
  const nameEnd = untilNul(bytes, from + 2, end)
  if (!isText(bytes, from + 2, nameEnd) || nameEnd - from > 66) return NO
  if (nameEnd + 19 > end) return MAYBE_SERVER
  return uint16(bytes, nameEnd + 17) <= 1 ? SERVER : NO
}

function isSeverity(bytes: Uint8Array, from: number, end: number): boolean {
  const wordEnd = untilNul(bytes, from, Math.min(end, from + 32))
  if (wordEnd === from || !isText(bytes, from, wordEnd)) return false
  return wordEnd + 1 >= end || bytes[wordEnd + 1] === 0x56 || bytes[wordEnd + 1] === 0x43
}

function isLetter(byte: number): boolean {
  const upper = byte & 0xdf
  return upper >= 0x41 && upper <= 0x5a
}

/** White space and parentheses. */
function isOpening(byte: number): boolean {
  return byte === 0x20 || byte === 0x28 || (byte >= 0x09 && byte <= 0x0d)
}

function isText(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (byte < 0x20 && (byte < 0x09 || byte > 0x0d)) return false
  }
  return true
}
