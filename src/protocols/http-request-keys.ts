import { hex32 } from './key-hash.js'
import type { ContentKey } from './protocol.js'

/** Methods that semantic conventions know: RFC 9110, RFC 5789 and the QUERY method. */
export const HTTP_METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'CONNECT', 'TRACE', 'QUERY']

export const LONGEST_REQUEST_ID = 128
export const TRACEPARENT_LENGTH = 55
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-|$)/
const B3 = /^([0-9a-f]{16}|[0-9a-f]{32})-([0-9a-f]{16})(-|$)/i

/**
 * What identifies an HTTP request, whatever carries it (HTTP/1, HTTP/2, uwsgi, FastCGI): all compute the same keys, so
 * that a request which a proxy passes on from one to the other is known again.
 */

/** Adds the key of a `traceparent` header (W3C Trace Context 3.2), if it is a valid one. */
export function addTraceparent(keys: ContentKey[], header: string): void {
  const value = header.slice(0, TRACEPARENT_LENGTH)
  if (TRACEPARENT.test(value)) keys.push({ type: 'traceparent', value, scope: 'one' })
}

/** Adds the key of a `b3` header (B3 propagation, single header), if it is a valid one. */
export function addB3(keys: ContentKey[], header: string): void {
  const match = B3.exec(header)
  if (match !== null) keys.push({ type: 'b3', value: `${match[1]}-${match[2]}`.toLowerCase(), scope: 'one' })
}

/** Adds the identifier of a request, once. */
export function addRequestId(
  keys: ContentKey[],
  type: 'x-request-id' | 'x-openstack-request-id',
  header: string,
): void {
  const value = header.slice(0, LONGEST_REQUEST_ID)
  if (value === '' || keys.some(key => key.type === type && key.value === value)) return
  keys.push({ type, value, scope: 'group' })
}

/** FNV-1a, 32 bits: of method, then target, as texts of Latin-1 or as their bytes. */
export const FORWARD_HASH_START = 0x811c9dc5

export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193)
}

export function finishForwardHash(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Hash of what a proxy passes on unchanged: method, path and query. */
export function forwardHashOf(method: string, target: string): number {
  let hash = FORWARD_HASH_START
  for (let i = 0; i < method.length; i++) hash = hashByte(hash, method.charCodeAt(i))
  for (let i = 0; i < target.length; i++) hash = hashByte(hash, target.charCodeAt(i))
  return finishForwardHash(hash)
}

const KNOWN_KEYS = 256
const knownHashes = new Uint32Array(KNOWN_KEYS)
const knownLengths = new Float64Array(KNOWN_KEYS)
const knownKeys: (ContentKey | undefined)[] = new Array(KNOWN_KEYS).fill(undefined)

/** That hash together with the length of the body, which may be known later. Requests that are alike share one key. */
export function forwardKey(hash: number, bodyBytes: number): ContentKey {
  const slot = hash % KNOWN_KEYS
  const known = knownKeys[slot]
  if (known !== undefined && knownHashes[slot] === hash && knownLengths[slot] === bodyBytes) return known
  const value = bodyBytes === 0 ? hex32(hash) : `${hex32(hash)}-${bodyBytes}`
  const key: ContentKey = { type: 'http-forward', value, scope: 'group' }
  knownHashes[slot] = hash
  knownLengths[slot] = bodyBytes
  knownKeys[slot] = key
  return key
}
