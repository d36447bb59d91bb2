import { FRAME_HEADER, FrameType, frameType, looksLikeFrame, looksLikeFrames, streamId } from './frames.js'
import type { Streams } from './streams.js'

/** Places that are looked at behind the beginning of what was copied. */
const FARTHEST_LOOK = 1024

/**
 * Index of the first frame in bytes[start, end) after a loss; -1 if none is found. A call usually begins with a frame.
 * Farther on only a run of frames that ends exactly with the bytes counts: the end of a call, of which the middle was
 * not copied.
 */
export function findFrames(bytes: Uint8Array, start: number, end: number, streams: Streams): number {
  if (looksLikeFrames(bytes, start, end, false) && looksLikeFrame(bytes, start, end)) return start
  const last = Math.min(end - FRAME_HEADER, start + FARTHEST_LOOK)
  for (let at = start + 1; at <= last; at++) {
    // Nearly no byte gets past this: lengths below 65,536, and one of ten types.
    if (bytes[at] !== 0 || bytes[at + 3]! > FrameType.windowUpdate) continue
    if (!looksLikeFrames(bytes, at, end, true)) continue
    const carriesStream = frameType(bytes, at) <= FrameType.headers
    if (!carriesStream || streams.isOpen(streamId(bytes, at))) return at
  }
  return -1
}
