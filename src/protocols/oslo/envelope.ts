import { latin1 } from '../latin1.js'
import type { ContentKey } from '../protocol.js'
import { QUOTE, textBehind } from './field-text.js'

/**
 * What oslo.messaging writes, whatever carries it: JSON in a string of JSON, so that quotes inside have a backslash.
 *
 *     {"oslo.version": "2.0", "oslo.message": "{\"method\": …, \"_unique_id\": \"9a0d…\", \"_context_request_id\": …}"}
 *
 * https://opendev.org/openstack/oslo.messaging, oslo_messaging/_drivers/common.py (serialize_msg), amqp.py
 */
export const OPENING = Buffer.from('{"oslo.')
/** Bytes that `isEnvelope` needs. */
export const ENVELOPE_SEEN = OPENING.length

/** Whether a body begins with the envelope; its first bytes are bytes[start, end). */
export function isEnvelope(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < ENVELOPE_SEEN) return false
  for (let k = 0; k < OPENING.length; k++) if (bytes[start + k] !== OPENING[k]) return false
  return true
}

/** Identifiers of one envelope, as they are found; undefined: not seen. */
export interface EnvelopeIds {
  /** Of one message; the same where it is sent and where it is consumed. */
  uniqueId: string | undefined
  /** Of one remote call: in the call and in its answer. */
  callId: string | undefined
  /** Only calls have it. */
  replyQueue: string | undefined
  /** Of one notification. */
  notificationId: string | undefined
  /** `req-…` of the API request in whose name it was sent, and of the one that caused that. */
  requestId: string | undefined
  globalRequestId: string | undefined
  /** The same, as notifications name them. */
  plainRequestId: string | undefined
  plainGlobalRequestId: string | undefined
}

export const createEnvelopeIds = (): EnvelopeIds => ({
  uniqueId: undefined,
  callId: undefined,
  replyQueue: undefined,
  notificationId: undefined,
  requestId: undefined,
  globalRequestId: undefined,
  plainRequestId: undefined,
  plainGlobalRequestId: undefined,
})

const FIELDS: Readonly<Record<string, keyof EnvelopeIds>> = Object.assign(Object.create(null) as object, {
  _unique_id: 'uniqueId',
  _msg_id: 'callId',
  _reply_q: 'replyQueue',
  message_id: 'notificationId',
  _context_request_id: 'requestId',
  request_id: 'plainRequestId',
  _context_global_request_id: 'globalRequestId',
  global_request_id: 'plainGlobalRequestId',
} satisfies Record<string, keyof EnvelopeIds>)

/** Names of the fields that hold identifiers. */
export const identifierFields: readonly string[] = Object.keys(FIELDS)

const IS_REQUEST: ReadonlySet<keyof EnvelopeIds> = new Set([
  'requestId',
  'globalRequestId',
  'plainRequestId',
  'plainGlobalRequestId',
] satisfies (keyof EnvelopeIds)[])

const LONGEST_NAME = 26
const LONGEST_VALUE = 80
/** Bytes at the end of a piece in which a key may have begun whose value lies in the next. */
export const OVERLAP = LONGEST_NAME + LONGEST_VALUE + 8

const ID = Buffer.from('_id')
const REPLY = Buffer.from('_reply_q')
const VALUE = /^[\w.:-]{8,80}$/
const REQUEST = /^req-[0-9a-f-]{32,36}$/

const indexOf = Buffer.prototype.indexOf as unknown as (this: Uint8Array, value: Uint8Array, from: number) => number

/** Looks for identifiers in bytes[start, end), a piece of an envelope. What was found before stays. */
export function scanEnvelope(bytes: Uint8Array, start: number, end: number, out: EnvelopeIds): void {
  scanFor(ID, bytes, start, end, out)
  if (out.replyQueue === undefined) scanFor(REPLY, bytes, start, end, out)
}

function scanFor(needle: Uint8Array, bytes: Uint8Array, start: number, end: number, out: EnvelopeIds): void {
  const piece = bytes.subarray(start, end)
  for (let at = indexOf.call(piece, needle, 0); at >= 0; at = indexOf.call(piece, needle, at + 1)) {
    const nameEnd = at + needle.length
    const nameStart = startOfName(piece, at)
    if (nameStart < 0) continue
    const field = FIELDS[latin1(piece, nameStart, nameEnd)]
    if (field === undefined || out[field] !== undefined) continue
    const value = textBehind(piece, nameEnd, LONGEST_VALUE)
    if (value !== undefined && (IS_REQUEST.has(field) ? REQUEST : VALUE).test(value)) out[field] = value
  }
}

function startOfName(piece: Uint8Array, at: number): number {
  const least = Math.max(1, at - LONGEST_NAME)
  for (let i = at; i >= least; i--) if (piece[i - 1] === QUOTE) return i
  return -1
}

/**
 * The identifiers as content keys. A call and its answer have the same `_msg_id`: the answer's key is of another type,
 * so that neither is taken for the other. Identifiers of requests are shared by everything done for them.
 */
export function addEnvelopeKeys(ids: EnvelopeIds, keys: ContentKey[]): void {
  const { uniqueId, callId, replyQueue, notificationId } = ids
  // Notifications have no unique id, and name their context's fields without a prefix, which arguments of calls may too.
  const isNotification = uniqueId === undefined && callId === undefined
  const requestId = ids.requestId ?? (isNotification ? ids.plainRequestId : undefined)
  const globalRequestId = ids.globalRequestId ?? (isNotification ? ids.plainGlobalRequestId : undefined)
  if (uniqueId !== undefined) keys.push({ type: 'oslo-unique-id', value: uniqueId, scope: 'one' })
  if (callId !== undefined) {
    // Answers have no context and name no queue for an answer.
    const isCall = replyQueue !== undefined || requestId !== undefined
    keys.push({ type: isCall ? 'oslo-call' : 'oslo-answer', value: callId, scope: 'one' })
  }
  if (isNotification && notificationId !== undefined) {
    keys.push({ type: 'oslo-notification', value: notificationId, scope: 'one' })
  }
  if (replyQueue !== undefined) keys.push({ type: 'oslo-reply-queue', value: replyQueue, scope: 'group' })
  if (requestId !== undefined) keys.push({ type: 'x-openstack-request-id', value: requestId, scope: 'group' })
  if (globalRequestId !== undefined && globalRequestId !== requestId) {
    keys.push({ type: 'x-openstack-request-id', value: globalRequestId, scope: 'group' })
  }
}
