import type { InputStream } from '../input-stream.js'
import { BASIC, methodKind } from './methods.js'
import { uint16, uint32 } from './wire-types.js'

/**
 * AMQP 0-9-1, section 2.3.5. A message is a method frame, a header frame, and body frames until the size that the
 * header told; frames of other channels may stand between them.
 *
 *     +------+---------+---------+   +---------+   +-----------+
 *     | type | channel |  size   |   | payload |   | frame-end |
 *     |  1   |    2    |    4    |   |  size   |   |   0xce    |
 *     +------+---------+---------+   +---------+   +-----------+
 */
export const Frame = { method: 1, header: 2, body: 3, heartbeat: 8 } as const
export const FRAME_HEADER = 7
export const FRAME_END = 0xce

/** Largest frame that is believed; servers agree on 128 KiB, some clients on no limit. */
const LARGEST = 1 << 27
/** Most of a method or header frame that is waited for. */
const LOOKED_AT = 4096
/** Calls without a frame that can be read, before the connection is given up. */
const PATIENCE = 1000

/** Who gets the frames of one direction. Positions are offsets in the stream. */
export interface FrameHandler {
  /** bytes[start, end): the payload, not whole if `hidden`. Called before the frame is taken from the stream. */
  method(
    channel: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    hidden: boolean,
    at: number,
    next: number,
  ): void
  header(channel: number, bytes: Uint8Array, start: number, end: number, hidden: boolean, next: number): void
  body(channel: number, bytes: Uint8Array, start: number, end: number): void
  bodyHole(channel: number, count: number): void
  bodyEnd(channel: number, next: number): void
  /** Frames may have passed unseen. */
  lost(): void
}

/** Reads the frames of one direction. */
export class FrameReader {
  /** These bytes are not AMQP 0-9-1. */
  failed = false
  readonly #handler: FrameHandler
  #bodyChannel = 0
  /** Bytes left of a body frame, its end byte included; 0: no body frame is being read. */
  #bodyLeft = 0
  #lost: boolean
  #vain = 0
  /** The beginning of what may be a frame is kept. */
  #waiting = false

  constructor(handler: FrameHandler, joined: boolean) {
    this.#handler = handler
    this.#lost = joined
  }

  read(stream: InputStream): void {
    while (!this.failed && !stream.skipping) {
      if (this.#bodyLeft > 0) {
        if (!this.#body(stream)) return
      } else if (this.#lost) {
        if (!this.#resynchronise(stream)) return
      } else if (!this.#frame(stream)) return
    }
  }

  /** Each returns false when more bytes are needed. */
  #frame(stream: InputStream): boolean {
    const { available, bytes, start } = stream
    if (available < FRAME_HEADER) return stream.hole > 0 ? this.#lose(stream) : false
    const type = bytes[start]!
    const size = uint32(bytes, start + 3)
    if (type === 0x41) return this.#protocolHeader(stream)
    if (!isFrameHeader(bytes, start)) return this.#lose(stream)
    const channel = uint16(bytes, start + 1)
    if (type === Frame.body) {
      stream.consume(FRAME_HEADER)
      this.#bodyChannel = channel
      this.#bodyLeft = size + 1
      return true
    }
    const whole = FRAME_HEADER + size + 1
    const hidden = available < whole
    if (hidden && stream.hole === 0 && available < LOOKED_AT) return false
    if (!hidden && bytes[start + whole - 1] !== FRAME_END) return this.#lose(stream)
    const from = start + FRAME_HEADER
    const end = Math.min(stream.end, from + size)
    const at = stream.position
    // Of a frame that is cut the rest may be yet to come.
    const next = Math.min(at + whole, stream.come)
    if (type === Frame.method && end - from >= 4) {
      this.#handler.method(channel, bytes, from, end, end < from + size, at, next)
    } else if (type === Frame.header) {
      this.#handler.header(channel, bytes, from, end, end < from + size, next)
    }
    stream.skip(whole)
    return true
  }

  #body(stream: InputStream): boolean {
    const payload = Math.min(stream.available, this.#bodyLeft - 1)
    if (payload > 0) {
      this.#handler.body(this.#bodyChannel, stream.bytes, stream.start, stream.start + payload)
      stream.consume(payload)
      this.#bodyLeft -= payload
    }
    if (this.#bodyLeft > 1) {
      if (stream.hole === 0) return false
      const count = Math.min(stream.hole, this.#bodyLeft - 1)
      this.#handler.bodyHole(this.#bodyChannel, count)
      stream.skip(count)
      this.#bodyLeft -= count
      return true
    }
    if (stream.available === 0 && stream.hole === 0) return false
    if (stream.available > 0 && stream.bytes[stream.start] !== FRAME_END) return this.#lose(stream)
    stream.skip(1)
    this.#bodyLeft = 0
    this.#handler.bodyEnd(this.#bodyChannel, stream.position)
    return true
  }

  /** "AMQP", 0, 0, 9, 1 */
  #protocolHeader(stream: InputStream): boolean {
    const { available, bytes, start } = stream
    if (available < 8) return stream.hole > 0 ? this.#lose(stream) : false
    if (!isProtocolHeader(bytes, start)) {
      this.failed = true
      return false
    }
    stream.consume(8)
    return true
  }

  #lose(stream: InputStream): boolean {
    this.#bodyLeft = 0
    this.#lost = true
    this.#handler.lost()
    // What has been kept came at several times: a frame found in it would get a wrong one.
    stream.resume()
    return true
  }

  /** Looks for the next frame: at the start of what is here, or behind a frame's end byte. */
  #resynchronise(stream: InputStream): boolean {
    const { bytes, start, end } = stream
    let i = start
    for (; i < end; i++) {
      if (i > start && bytes[i - 1] !== FRAME_END) continue
      const found = looksLikeFrame(bytes, i, end)
      if (found === 'yes') {
        if (i > start) stream.consume(i - start)
        this.#lost = this.#waiting = false
        this.#vain = 0
        return true
      }
      if (found === 'wait' && stream.hole === 0) {
        if (i > start) stream.consume(i - start)
        this.#waiting = true
        return false
      }
      if (this.#waiting) break
    }
    this.#waiting = false
    stream.resume()
    if (++this.#vain > PATIENCE) this.failed = true
    return false
  }
}

export function isProtocolHeader(bytes: Uint8Array, i: number): boolean {
  return (
    bytes[i] === 0x41 &&
    bytes[i + 1] === 0x4d &&
    bytes[i + 2] === 0x51 &&
    bytes[i + 3] === 0x50 &&
    uint32(bytes, i + 4) === 0x00000901
  )
}

function isFrameHeader(bytes: Uint8Array, i: number): boolean {
  const size = uint32(bytes, i + 3)
  switch (bytes[i]) {
    case Frame.method:
      return size >= 4 && size <= LARGEST
    case Frame.header:
      return size >= 14 && size <= LARGEST
    case Frame.body:
      return size <= LARGEST
    case Frame.heartbeat:
      return size === 0
    default:
      return false
  }
}

/** Whether a frame begins at bytes[i]; 'wait' when too little of it is there to say. */
export function looksLikeFrame(bytes: Uint8Array, i: number, end: number): 'yes' | 'no' | 'wait' {
  const type = bytes[i]
  if (type !== Frame.method && type !== Frame.header && type !== Frame.body && type !== Frame.heartbeat) return 'no'
  const here = end - i
  // Channel numbers and sizes are small: their upper bytes are zero, which is all that a short piece tells.
  if (here >= 2 && bytes[i + 1]! > 0x0f) return 'no'
  if (here >= 4 && bytes[i + 3] !== 0) return 'no'
  if (here < FRAME_HEADER) return 'wait'
  if (!isFrameHeader(bytes, i)) return 'no'
  const size = uint32(bytes, i + 3)
  const whole = FRAME_HEADER + size + 1
  if (here >= whole && bytes[i + whole - 1] !== FRAME_END) return 'no'
  if (type === Frame.heartbeat) return here >= whole ? 'yes' : 'wait'
  if (type === Frame.body) return here >= whole ? 'yes' : size <= 8192 ? 'wait' : 'no'
  if (here < FRAME_HEADER + 4) return 'wait'
  const known =
    type === Frame.method
      ? methodKind(uint32(bytes, i + FRAME_HEADER)) !== undefined
      : uint32(bytes, i + FRAME_HEADER) === BASIC << 16
  return known ? 'yes' : 'no'
}
