import {
  Flag,
  FRAME_HEADER,
  FrameType,
  frameFlags,
  frameType,
  headersOverhead,
  payloadLength,
  streamId,
} from './frames.js'

/**
 * Where the bytes of a block end. whole: its last frame is there. more: they end before that. malformed: these frames
 * are none.
 */
export type BlockState = 'whole' | 'more' | 'malformed'

/** Longest block in bytes of its frames; what is longer is read as far as this. */
export const LONGEST_BLOCK = 32_768

/** Promised stream of PUSH_PROMISE. */
const PROMISED_ID = 4

/** Of all connections: what it holds does not outlive one block. */
let gathered = new Uint8Array(4096)

/**
 * One header block: HEADERS or PUSH_PROMISE with the CONTINUATION frames behind it (RFC 9113, 4.3 and 6.10). After
 * `find` the block's bytes are `bytes[blockStart, blockEnd)`, its frames end at `end`.
 */
export class HeaderBlock {
  bytes: Uint8Array = gathered
  blockStart = 0
  blockEnd = 0
  /** Index behind the last frame whose header was seen; beyond the bytes that are there if it is cut. */
  end = 0
  /** The last frame whose header was seen does not end the block. */
  goesOn = false
  /** Nothing is there of the header of the frame that must follow: nobody knows where it ends. */
  endsUnknown = false

  /** Reads the frames at bytes[start, end), of which the first one's header is there. */
  find(bytes: Uint8Array, start: number, end: number): BlockState {
    const flags = frameFlags(bytes, start)
    const payload = start + FRAME_HEADER
    const isPush = frameType(bytes, start) === FrameType.pushPromise
    const overhead = isPush ? ((flags & Flag.padded) !== 0 ? 1 : 0) + PROMISED_ID : headersOverhead(flags)
    const length = payloadLength(bytes, start)
    const padding = (flags & Flag.padded) !== 0 && payload < end ? bytes[payload]! : 0
    if (overhead + padding > length) return 'malformed'
    this.bytes = bytes
    this.end = payload + length
    this.blockStart = Math.min(end, payload + overhead)
    this.blockEnd = Math.min(end, this.end - padding)
    this.goesOn = (flags & Flag.endHeaders) === 0
    this.endsUnknown = false
    if (!this.goesOn) return this.end <= end ? 'whole' : 'more'
    return this.#gather(bytes, end, streamId(bytes, start))
  }

  #gather(bytes: Uint8Array, end: number, id: number): BlockState {
    let size = this.#append(bytes, this.blockStart, this.blockEnd, 0)
    while (this.goesOn && this.end < end) {
      const at = this.end
      if (at + FRAME_HEADER > end) {
        this.endsUnknown = true
        break
      }
      if (frameType(bytes, at) !== FrameType.continuation || streamId(bytes, at) !== id) return 'malformed'
      this.goesOn = (frameFlags(bytes, at) & Flag.endHeaders) === 0
      const payload = at + FRAME_HEADER
      this.end = payload + payloadLength(bytes, at)
      size = this.#append(bytes, payload, Math.min(this.end, end), size)
    }
    if (this.goesOn && this.end === end) this.endsUnknown = true
    this.bytes = gathered
    this.blockStart = 0
    this.blockEnd = size
    return !this.goesOn && this.end <= end ? 'whole' : 'more'
  }

  #append(bytes: Uint8Array, start: number, end: number, size: number): number {
    const added = Math.max(0, end - start)
    if (size + added > gathered.length) {
      const larger = new Uint8Array((size + added) * 2)
      larger.set(gathered.subarray(0, size))
      gathered = larger
    }
    gathered.set(bytes.subarray(start, start + added), size)
    return size + added
  }
}
