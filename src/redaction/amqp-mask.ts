import { FRAME_END, FRAME_HEADER, Frame, looksLikeFrame } from '../protocols/amqp/parse.js'
import { AmqpBodyMask } from './amqp-body-mask.js'
import { AmqpMethodMask } from './amqp-method-mask.js'
import { AmqpPropertiesMask } from './amqp-properties-mask.js'
import type { DirectionMask, MaskOptions, ProtocolMask } from './protocol-mask.js'
import { MASKED, type Pseudonyms, UNREAD } from './pseudonyms.js'

/** "AMQP", 0, 0, 9, 1 */
const PROTOCOL_HEADER = [0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1]
const LARGEST = 1 << 27
const MOST_CHANNELS = 4096

export function createAmqpMask({ pseudonyms, lost }: MaskOptions): ProtocolMask {
  return { client: new AmqpMask(pseudonyms, lost.client), server: new AmqpMask(pseudonyms, lost.server) }
}

/** Frames of one direction. */
class AmqpMask implements DirectionMask {
  readonly #pseudonyms: Pseudonyms
  readonly #method = new AmqpMethodMask()
  readonly #properties: AmqpPropertiesMask
  /** What each channel is sending. */
  readonly #bodies = new Map<number, AmqpBodyMask>()
  #lost: boolean
  /** Bytes of the protocol header that have matched; −1: it is over, or there is none. */
  #opening = 0
  /** Place in the frame, its header included. */
  #at = 0
  #type = 0
  #channel = 0
  #size = 0
  #body: AmqpBodyMask | undefined

  constructor(pseudonyms: Pseudonyms, lost: boolean) {
    this.#pseudonyms = pseudonyms
    this.#properties = new AmqpPropertiesMask(pseudonyms)
    this.#lost = lost
  }

  pass(bytes: Uint8Array, start: number, end: number): void {
    for (let i = start; i < end; ) {
      if (this.#lost) {
        const next = this.#findFrame(bytes, i, end)
        // The end of the frame before is what the next one is found by.
        if (next > i) bytes.fill(UNREAD, i, next < end ? next - 1 : end)
        i = next
        continue
      }
      bytes[i] = this.#next(bytes[i]!)
      i++
    }
  }

  hole(count: number): void {
    if (this.#lost) return
    const left = FRAME_HEADER + this.#size + 1 - this.#at
    if (this.#opening > 0 || this.#at < FRAME_HEADER || count > left) {
      this.#lose()
      return
    }
    if (this.#type === Frame.body) this.#body?.missing(Math.min(count, left - 1))
    else if (this.#type === Frame.header) this.#properties.lose()
    else this.#method.lose()
    this.#at += count
    if (count === left) this.#endFrame()
  }

  /** Where the next frame surely begins: here, or behind the end of another one; `end` if nowhere. */
  #findFrame(bytes: Uint8Array, start: number, end: number): number {
    for (let i = start; i < end; i++) {
      if (i > start && bytes[i - 1] !== FRAME_END) continue
      if (looksLikeFrame(bytes, i, end) !== 'yes') continue
      this.#lost = false
      this.#at = 0
      this.#opening = -1
      return i
    }
    return end
  }

  #lose(): void {
    this.#lost = true
    this.#at = 0
    this.#bodies.clear()
    this.#body = undefined
  }

  #next(byte: number): number {
    if (this.#opening >= 0) {
      if (byte === PROTOCOL_HEADER[this.#opening]) {
        if (++this.#opening === PROTOCOL_HEADER.length) this.#opening = -1
        return byte
      }
      if (this.#opening > 0) {
        this.#lose()
        return UNREAD
      }
      this.#opening = -1
    }
    const at = this.#at++
    if (at < FRAME_HEADER) return this.#inFrameHeader(byte, at)
    if (at === FRAME_HEADER + this.#size) return this.#inFrameEnd(byte)
    switch (this.#type) {
      case Frame.method:
        return this.#method.next(byte)
      case Frame.header:
        return this.#properties.next(byte)
      default:
        return this.#body?.next(byte) ?? MASKED
    }
  }

  #inFrameHeader(byte: number, at: number): number {
    if (at === 0) {
      this.#type = byte
      this.#channel = this.#size = 0
    } else if (at <= 2) this.#channel = this.#channel * 256 + byte
    else this.#size = this.#size * 256 + byte
    if (at === 0 ? !isType(byte) : at === FRAME_HEADER - 1 && !this.#isFrame()) {
      this.#lose()
      return UNREAD
    }
    if (at === FRAME_HEADER - 1) this.#beginPayload()
    return byte
  }

  #isFrame(): boolean {
    const size = this.#size
    if (this.#type === Frame.heartbeat) return size === 0
    return size <= LARGEST && size >= (this.#type === Frame.method ? 4 : this.#type === Frame.header ? 14 : 0)
  }

  #beginPayload(): void {
    if (this.#type === Frame.method) this.#method.begin()
    else if (this.#type === Frame.header) this.#properties.begin()
    else this.#body = this.#bodies.get(this.#channel)
  }

  #inFrameEnd(byte: number): number {
    if (byte !== FRAME_END) {
      this.#lose()
      return UNREAD
    }
    this.#endFrame()
    return byte
  }

  #endFrame(): void {
    this.#at = 0
    if (this.#type === Frame.header) this.#beginBody()
    else if (this.#type === Frame.method) this.#bodies.delete(this.#channel)
  }

  #beginBody(): void {
    let body = this.#bodies.get(this.#channel)
    if (body === undefined) {
      if (this.#bodies.size >= MOST_CHANNELS) this.#bodies.clear()
      body = new AmqpBodyMask(this.#pseudonyms)
      this.#bodies.set(this.#channel, body)
    }
    body.begin(this.#properties.bodySize)
  }
}

function isType(byte: number): boolean {
  return byte === Frame.method || byte === Frame.header || byte === Frame.body || byte === Frame.heartbeat
}
