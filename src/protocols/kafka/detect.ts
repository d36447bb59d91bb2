import type { Detection } from '../protocol.js'
import { ApiKey } from './apis.js'
import { REQUEST_HEADER, type RequestHeader, readRequestHeader } from './request-header.js'

const NO: Detection = { match: 'no' }
const MAYBE: Detection = { match: 'maybe' }
const CLIENT: Detection = { match: 'yes', sender: 'client' }
const MAYBE_CLIENT: Detection = { match: 'maybe', sender: 'client' }

const LONGEST = 0x06400000
const SHORTEST = 10
/** Ids are counted from 0 or 1. */
const COUNTED = 0x1000000

/** A request whose header fits: nothing else of the protocol says what it is. */
export function detect(bytes: Uint8Array, start: number, end: number): Detection {
  const here = end - start
  if (here === 0 || bytes[start]! > LONGEST >>> 24) return NO
  if (here >= 4) {
    const length =
      ((bytes[start]! << 24) | (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!) >>> 0
    if (length < SHORTEST || length > LONGEST) return NO
  }
  // Brokers read the length first, then the rest.
  if (here <= 4) return MAYBE
  if (here >= 5 && bytes[start + 4] !== 0) return NO
  if (here >= 7 && bytes[start + 6] !== 0) return NO
  if (here < REQUEST_HEADER) return MAYBE_CLIENT
  const header = readRequestHeader(bytes, start)
  if (header === undefined || header.version > header.api.newest) return NO
  return detectClientId(header, bytes, start, end)
}

function detectClientId(header: RequestHeader, bytes: Uint8Array, start: number, end: number): Detection {
  const { api, version, total, clientIdLength } = header
  const from = start + REQUEST_HEADER
  if (clientIdLength < 0) return CLIENT
  // Zeros say nothing: only a first request without a body is short enough to be sure of.
  if (clientIdLength === 0)
    return api.key === ApiKey.apiVersions && version <= 2 && total === REQUEST_HEADER ? CLIENT : NO
  for (let i = from; i < Math.min(end, from + clientIdLength); i++) {
    const byte = bytes[i]!
    if (byte < 0x20 || byte === 0x7f) return NO
  }
  if (end - from < Math.min(4, clientIdLength)) return MAYBE_CLIENT
  if (api.key !== ApiKey.produce) return CLIENT
  // Frames of HTTP/2 have a zero there, and the end of a stream's number where the correlation id begins.
  return header.correlationId < COUNTED ? detectProduce(version, bytes, from + clientIdLength, end) : NO
}

/** Produce has key 0, as much else has a zero there: [transactional id], acks, timeout. */
function detectProduce(version: number, bytes: Uint8Array, at: number, end: number): Detection {
  // Tags of the header and a compact text, or a text; null for all but transactions.
  const acksAt = version >= 3 ? at + 2 : at
  if (acksAt + 2 > end) return MAYBE_CLIENT
  const hasId = version >= 9 ? bytes[at + 1] !== 0 : version >= 3 && bytes[at] !== 0xff
  if (hasId) return CLIENT
  const acks = ((bytes[acksAt]! << 24) >> 16) | bytes[acksAt + 1]!
  return acks >= -1 && acks <= 1 ? CLIENT : NO
}
