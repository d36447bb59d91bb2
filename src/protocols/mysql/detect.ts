import type { Detection } from '../protocol.js'
import { COMMANDS, Command } from './commands.js'
import { readGreeting } from './handshake.js'
import { HEADER, uint24, uint32 } from './packets.js'

const NO: Detection = { match: 'no' }
const MAYBE: Detection = { match: 'maybe' }
const CLIENT: Detection = { match: 'yes', sender: 'client' }
const SERVER: Detection = { match: 'yes', sender: 'server' }
const MAYBE_CLIENT: Detection = { match: 'maybe', sender: 'client' }

/** Words that SQL statements begin with, as far as applications send them. */
const VERBS = new Set(
  (
    'SELECT INSERT UPDATE DELETE REPLACE SET SHOW USE BEGIN START COMMIT ROLLBACK CREATE ALTER DROP TRUNCATE CALL WITH ' +
    'EXPLAIN DESCRIBE DESC SAVEPOINT RELEASE LOCK UNLOCK LOAD DO KILL FLUSH GRANT REVOKE PREPARE EXECUTE DEALLOCATE ' +
    'ANALYZE OPTIMIZE CHECK REPAIR RENAME XA HANDLER TABLE VALUES'
  ).split(' '),
)

/**
 * A greeting, a login, a command or an answer. A packet's header has four bytes only, so its length must fit what is
 * here and the payload must say more: SQL, the definition of a column, an SQL state.
 */
export function detect(bytes: Uint8Array, start: number, end: number): Detection {
  const available = end - start
  if (available < HEADER)
    return available > 0 && available < 3 ? MAYBE : available === 3 && bytes[start + 2] !== 0 ? NO : MAYBE
  const length = uint24(bytes, start)
  const sequence = bytes[start + 3]!
  if (length === 0 || length > 0x7fffff) return NO
  // The server reads four bytes first: wait for the rest.
  if (available === HEADER) return sequence <= 1 && length <= 0xffff ? MAYBE : NO
  const payload = Math.min(length, available - HEADER)
  const whole = payload === length
  if (sequence === 0) return detectFirst(bytes, start + HEADER, payload, length, available)
  if (sequence === 1) return detectSecond(bytes, start + HEADER, payload, length, whole, end)
  return NO
}

/** Sequence 0: what the server says first, or a command. */
function detectFirst(bytes: Uint8Array, at: number, payload: number, length: number, available: number): Detection {
  const first = bytes[at]!
  if (first === 0x0a && length >= 40 && length <= 512) {
    if (payload < 2) return MAYBE
    // Version 10, then the server's version, a number first.
    if (bytes[at + 1]! < 0x30 || bytes[at + 1]! > 0x39) return NO
    if (payload < length && available < 128) return MAYBE
    return readGreeting(bytes, at, at + payload) === undefined ? NO : SERVER
  }
  const kind = COMMANDS[first]
  if (kind === undefined || length < kind.least || length > kind.most) return NO
  if (first === Command.query || first === Command.prepare) return detectText(bytes, at + 1, payload - 1, length - 1)
  if (first === Command.execute && payload >= 10) {
    const once = uint32(bytes, at + 6) === 1 && (bytes[at + 5]! & 0xf0) === 0
    return once ? CLIENT : NO
  }
  if (first === Command.ping || first === Command.quit) {
    return available === HEADER + 1 ? MAYBE_CLIENT : NO
  }
  return NO
}

/** Query attributes, if any, stand before the text; without values they are two bytes. */
function detectText(bytes: Uint8Array, at: number, here: number, length: number): Detection {
  let i = at
  const end = at + here
  if (here >= 2 && bytes[i] === 0 && bytes[i + 1] === 1) i += 2
  while (i < end && isOpening(bytes[i]!)) i++
  // A comment may stand in front: text all the same.
  if (i + 1 < end && bytes[i] === 0x2f && bytes[i + 1] === 0x2a) return isPrintable(bytes, i, end - i) ? CLIENT : NO
  let word = ''
  while (i < end && word.length < 10 && isLetter(bytes[i]!)) word += String.fromCharCode(bytes[i++]! & 0xdf)
  if (i === end && here < length) return word.length < 10 ? MAYBE_CLIENT : NO
  return VERBS.has(word) ? CLIENT : NO
}

/** Sequence 1: the client's login, or the first packet of an answer. */
function detectSecond(
  bytes: Uint8Array,
  at: number,
  payload: number,
  length: number,
  whole: boolean,
  end: number,
): Detection {
  const first = bytes[at]!
  if (payload < 2) return length > 1 ? MAYBE : detectResultSet(bytes, at, length, end)
  if (length >= 32 && (bytes[at + 1]! & 0x02) !== 0 && first !== 0xff) {
    if (payload < 32) return MAYBE
    // Capabilities with PROTOCOL_41, maximum packet size, character set, then zeros (MariaDB uses the last four).
    let zeros = 0
    for (let i = at + 9; i < at + 28; i++) if (bytes[i] === 0) zeros++
    if (zeros === 19) return CLIENT
  }
  if (first === 0xff && length >= 9 && length <= 1024) {
    if (payload < 4) return MAYBE
    return bytes[at + 3] === 0x23 && isPrintable(bytes, at + 3, payload - 3) ? SERVER : NO
  }
  if (first === 0 && whole && length >= 7 && length <= 11 && at + length === end) return isOk(bytes, at, length)
  return detectResultSet(bytes, at, length, end)
}

/** 0x00, affected rows, insert id, status (autocommit or in a transaction), warnings */
function isOk(bytes: Uint8Array, at: number, length: number): Detection {
  const status = at + length - 4
  const known = (bytes[status]! & 0x03) !== 0 && bytes[status + 1]! < 0x80
  return known && bytes[at + 1]! < 0xfd ? SERVER : NO
}

/** A count of columns, then the first definition: catalog "def". */
function detectResultSet(bytes: Uint8Array, at: number, length: number, end: number): Detection {
  if (length > 4) return NO
  const next = at + length
  if (next + HEADER + 4 > end)
    return next === end || next + HEADER + 4 > end ? { match: 'maybe', sender: 'server' } : NO
  const def = next + HEADER
  const isDefinition =
    bytes[next + 3] === 2 &&
    bytes[def] === 3 &&
    bytes[def + 1] === 0x64 &&
    bytes[def + 2] === 0x65 &&
    bytes[def + 3] === 0x66
  return isDefinition ? SERVER : NO
}

function isLetter(byte: number): boolean {
  const upper = byte & 0xdf
  return upper >= 0x41 && upper <= 0x5a
}

/** White space and parentheses. */
function isOpening(byte: number): boolean {
  return byte === 0x20 || byte === 0x28 || (byte >= 0x09 && byte <= 0x0d)
}

function isPrintable(bytes: Uint8Array, start: number, length: number): boolean {
  for (let i = start; i < start + length; i++) {
    const byte = bytes[i]!
    if (byte < 0x20 && (byte < 0x09 || byte > 0x0d)) return false
  }
  return true
}
