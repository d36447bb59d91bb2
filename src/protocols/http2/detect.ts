import type { Detection, Sender } from '../protocol.js'
import {
  FRAME_HEADER,
  FrameType,
  frameFlags,
  frameType,
  headersOverhead,
  looksLikeFrames,
  PREFACE,
  payloadLength,
} from './frames.js'

const NO: Detection = { match: 'no' }
const MAYBE_PREFACE: Detection = { match: 'maybe', sender: 'client' }
const BY: Readonly<Record<Sender, Detection>> = {
  client: { match: 'yes', sender: 'client' },
  server: { match: 'yes', sender: 'server' },
}
const FRAME: Detection = { match: 'yes' }

/** `PRI * HTTP/2.0` */
const ENOUGH_OF_PREFACE = 14

/**
 * The client's preface, or a frame that can be told from other protocols' bytes: one that is checked byte by byte
 * (SETTINGS, PING, WINDOW_UPDATE…), or HEADERS that begin as a request's or an answer's do.
 */
export function detectHttp2(bytes: Uint8Array, start: number, end: number): Detection {
  const length = Math.min(end - start, PREFACE.length)
  let same = 0
  while (same < length && bytes[start + same] === PREFACE[same]) same++
  if (same === length && length > 0) return length >= ENOUGH_OF_PREFACE ? BY.client : MAYBE_PREFACE
  if (start + FRAME_HEADER > end || !looksLikeFrames(bytes, start, end, false)) return NO
  switch (frameType(bytes, start)) {
    case FrameType.headers: {
      const sender = senderOf(bytes, start, end)
      return sender === undefined ? NO : BY[sender]
    }
    case FrameType.settings:
    case FrameType.ping:
    case FrameType.goAway:
    case FrameType.windowUpdate:
    case FrameType.resetStream:
      return isSeenWhole(bytes, start, end) ? FRAME : NO
    default:
      return NO
  }
}

/** A frame of nothing but zeros behind its type could be anything. */
function isSeenWhole(bytes: Uint8Array, start: number, end: number): boolean {
  const length = payloadLength(bytes, start)
  return start + FRAME_HEADER + Math.min(length, 6) <= end
}

/** Indexes of the table of RFC 7541, appendix A. */
const FIRST_METHOD = 2
const LAST_SCHEME = 7
const FIRST_STATUS = 8
const LAST_STATUS = 14

/** Who sends the block: pseudo-header fields come first, and those of requests and answers are different ones. */
function senderOf(bytes: Uint8Array, start: number, end: number): Sender | undefined {
  let at = start + FRAME_HEADER + headersOverhead(frameFlags(bytes, start))
  // Changes of the table's size come before everything else.
  while (at < end && (bytes[at]! & 0xe0) === 0x20) at += (bytes[at]! & 0x1f) === 0x1f ? 3 : 1
  if (at >= end) return undefined
  const byte = bytes[at]!
  const index = (byte & 0x80) !== 0 ? byte & 0x7f : (byte & 0xc0) === 0x40 ? byte & 0x3f : byte & 0x0f
  if (index >= FIRST_STATUS && index <= LAST_STATUS) return 'server'
  if (index >= FIRST_METHOD && index <= LAST_SCHEME) return 'client'
  // `:authority` or `:path` may come first, as a text that goes with it.
  return index === 1 && (byte & 0x80) === 0 ? 'client' : undefined
}
