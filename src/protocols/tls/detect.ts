import type { Detection } from '../protocol.js'
import { ContentType, HandshakeType, isRecord, RECORD_HEADER, recordLength } from './records.js'

const NO: Detection = { match: 'no' }
const MAYBE: Detection = { match: 'maybe' }
const CLIENT: Detection = { match: 'yes', sender: 'client' }
const SERVER: Detection = { match: 'yes', sender: 'server' }
const RECORDS: Detection = { match: 'yes' }

/** Type, length of the handshake message: 3, version: 2. */
const HELLO_START = RECORD_HEADER + 6

/**
 * A hello, which tells who sends it; or, on a connection that was joined, a record of application data that another
 * record follows, or whose length agrees with what is there.
 */
export function detectTls(bytes: Uint8Array, start: number, end: number): Detection {
  if (start === end || !isRecord(bytes, start, end)) return NO
  const type = bytes[start]!
  if (type === ContentType.handshake) return detectHello(bytes, start, end)
  if (type !== ContentType.applicationData || start + RECORD_HEADER > end) return NO
  const next = start + RECORD_HEADER + recordLength(bytes, start)
  if (next > end) return bytes[start + 1] === 3 && bytes[start + 2] === 3 ? RECORDS : NO
  return next === end || isRecord(bytes, next, end) ? RECORDS : NO
}

function detectHello(bytes: Uint8Array, start: number, end: number): Detection {
  if (start + HELLO_START > end) {
    const type = start + RECORD_HEADER < end ? bytes[start + RECORD_HEADER] : undefined
    return type === undefined || type === HandshakeType.clientHello || type === HandshakeType.serverHello ? MAYBE : NO
  }
  const message = start + RECORD_HEADER
  const length = (bytes[message + 1]! << 16) | (bytes[message + 2]! << 8) | bytes[message + 3]!
  if (length === 0 || length > 0xffff || bytes[message + 4] !== 3 || bytes[message + 5]! > 4) return NO
  if (bytes[message] === HandshakeType.clientHello) return CLIENT
  return bytes[message] === HandshakeType.serverHello ? SERVER : NO
}
