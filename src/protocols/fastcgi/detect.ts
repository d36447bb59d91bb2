import type { Detection } from '../protocol.js'
import { HEADER, RecordType, readHeader, VERSION } from './records.js'

const NO: Detection = { match: 'no' }
const MAYBE_CLIENT: Detection = { match: 'maybe', sender: 'client' }
const CLIENT: Detection = { match: 'yes', sender: 'client' }
const SERVER: Detection = { match: 'yes', sender: 'server' }

const BEGIN_LENGTH = 8
const END_LENGTH = 8
const MOST_PADDING = 7

/** The beginning of a request, or on a connection met in mid-life a record of an answer. */
export function detectFastCgi(bytes: Uint8Array, start: number, end: number): Detection {
  const here = end - start
  if (here === 0 || bytes[start] !== VERSION) return NO
  if (here < HEADER) return mayBegin(bytes, start, end) ? MAYBE_CLIENT : NO
  const header = readHeader(bytes, start)
  if (header === undefined || header.request === 0 || header.padding > MOST_PADDING || bytes[start + 7] !== 0) return NO
  const { type, length } = header
  const content = start + HEADER
  if (type === RecordType.beginRequest) {
    if (length !== BEGIN_LENGTH) return NO
    if (here < HEADER + BEGIN_LENGTH) return MAYBE_CLIENT
    return isBegin(bytes, content) ? CLIENT : NO
  }
  if (type === RecordType.endRequest) {
    if (length !== END_LENGTH || content + END_LENGTH > end) return NO
    return bytes[content + 4]! <= 3 && bytes[content + 5] === 0 && bytes[content + 6] === 0 ? SERVER : NO
  }
  return type === RecordType.output && length > 8 && isHeaderLine(bytes, content, Math.min(end, content + length))
    ? SERVER
    : NO
}

/** BEGIN_REQUEST as far as it is here. */
function mayBegin(bytes: Uint8Array, start: number, end: number): boolean {
  if (start + 1 < end && bytes[start + 1] !== RecordType.beginRequest) return false
  if (start + 4 < end && bytes[start + 4] !== 0) return false
  return start + 5 >= end || bytes[start + 5] === BEGIN_LENGTH
}

/** Role: responder, authorizer, filter; flags: keep the connection; five reserved bytes. */
function isBegin(bytes: Uint8Array, content: number): boolean {
  const role = bytes[content + 1]!
  if (bytes[content] !== 0 || role < 1 || role > 3 || bytes[content + 2]! > 1) return false
  for (let i = content + 3; i < content + BEGIN_LENGTH; i++) if (bytes[i] !== 0) return false
  return true
}

/** `Content-type: …`, `Status: 404`, `X-Powered-By: …`: a token and a colon. */
function isHeaderLine(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < Math.min(end, start + 48); i++) {
    const byte = bytes[i]!
    if (byte === 0x3a) return i - start >= 4
    const isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a
    if (!isLetter && byte !== 0x2d) return false
  }
  return false
}
