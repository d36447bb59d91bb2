/** RFC 9113, 6. */
export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export const Flag = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const

export const FRAME_HEADER = 9
/** What a connection begins with from the client (RFC 9113, 3.4). */
export const PREFACE = new Uint8Array(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1'))

/** RFC 9113, 6.5.2: the size of a frame's payload unless something larger was agreed. */
const USUAL_PAYLOAD = 16_384
/** A frame of settings holds each of a dozen parameters once. */
const LONGEST_SETTINGS = 240
const LAST_ERROR_CODE = 13

/** A frame's header at bytes[at]; 9 bytes must be there. */
export const payloadLength = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
export const frameType = (bytes: Uint8Array, at: number): number => bytes[at + 3]!
export const frameFlags = (bytes: Uint8Array, at: number): number => bytes[at + 4]!
export const streamId = (bytes: Uint8Array, at: number): number => uint31(bytes, at + 5)

export const uint31 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! & 0x7f) << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!

/** Whether a sender that follows the rules may send a frame with the header at bytes[at]. */
export function isFrame(bytes: Uint8Array, at: number): boolean {
  const length = payloadLength(bytes, at)
  const onConnection = streamId(bytes, at) === 0
  switch (frameType(bytes, at)) {
    case FrameType.data:
    case FrameType.headers:
    case FrameType.pushPromise:
      return !onConnection
    case FrameType.priority:
      return !onConnection && length === 5
    case FrameType.resetStream:
      return !onConnection && length === 4
    case FrameType.settings:
      return onConnection && length % 6 === 0 && ((frameFlags(bytes, at) & Flag.ack) === 0 || length === 0)
    case FrameType.ping:
      return onConnection && length === 8
    case FrameType.goAway:
      return onConnection && length >= 8
    case FrameType.windowUpdate:
      return length === 4
    case FrameType.continuation:
      // Only ever behind a frame that began a header block.
      return false
    default:
      return length <= USUAL_PAYLOAD
  }
}

/**
 * Whether the bytes at `at` look like a frame to somebody who does not know that one begins there: only what senders
 * really send, with every byte that can be checked.
 */
export function looksLikeFrame(bytes: Uint8Array, at: number, end: number): boolean {
  if (at + FRAME_HEADER > end || !isFrame(bytes, at)) return false
  const type = frameType(bytes, at)
  const flags = frameFlags(bytes, at)
  const length = payloadLength(bytes, at)
  // The reserved bit is sent as 0.
  if (length > USUAL_PAYLOAD || (bytes[at + 5]! & 0x80) !== 0) return false
  const payload = at + FRAME_HEADER
  switch (type) {
    case FrameType.data:
      return (flags & ~(Flag.endStream | Flag.padded)) === 0 && (length > 0 || flags === Flag.endStream)
    case FrameType.headers:
      return looksLikeHeaders(bytes, at, end, flags, length)
    case FrameType.settings:
      return length <= LONGEST_SETTINGS && flags <= Flag.ack && (length === 0 || settingIsKnown(bytes, payload, end))
    case FrameType.ping:
      return flags <= Flag.ack
    case FrameType.resetStream:
      return flags === 0 && (payload + 4 > end || uint31(bytes, payload) <= LAST_ERROR_CODE)
    case FrameType.goAway:
      return flags === 0
    case FrameType.windowUpdate:
      return flags === 0 && (payload + 4 > end || uint31(bytes, payload) > 0)
    case FrameType.priority:
      return flags === 0
    default:
      return false
  }
}

/** The first parameter's number is one that is registered: 0 to 9, with room for more. */
function settingIsKnown(bytes: Uint8Array, payload: number, end: number): boolean {
  return payload + 2 > end || (bytes[payload] === 0 && bytes[payload + 1]! <= 16) || bytes[payload] === 0xfe
}

function looksLikeHeaders(bytes: Uint8Array, at: number, end: number, flags: number, length: number): boolean {
  const known = Flag.endStream | Flag.endHeaders | Flag.padded | Flag.priority
  if ((flags & ~known) !== 0 || (flags & Flag.endHeaders) === 0) return false
  const overhead = headersOverhead(flags)
  if (length <= overhead) return false
  const block = at + FRAME_HEADER + overhead
  // Index 0 is never sent as an indexed field.
  return block >= end || bytes[block] !== 0x80
}

/** Bytes of a HEADERS frame's payload in front of the block: pad length and priority. */
export const headersOverhead = (flags: number): number =>
  ((flags & Flag.padded) !== 0 ? 1 : 0) + ((flags & Flag.priority) !== 0 ? 5 : 0)

/** Whether frames follow each other from `at` to `end`; the last one may go on beyond it. */
export function looksLikeFrames(bytes: Uint8Array, at: number, end: number, toTheEnd: boolean): boolean {
  while (at + FRAME_HEADER <= end) {
    if (!looksLikeFrame(bytes, at, end)) return false
    at += FRAME_HEADER + payloadLength(bytes, at)
  }
  return toTheEnd ? at === end : true
}
