import type { Sender } from '../protocols/protocol.js'
import {
  type ByteMask,
  type ConnectionMasks,
  type Disguise,
  isMessageStart,
  MASKED,
  type MaskOptions,
} from './byte-mask.js'

const Frame = { method: 1, header: 2, body: 3 } as const
const FRAME_HEADER = 7
const PROTOCOL_HEADER = 8
/** start-ok and secure-ok of class connection: they say who one is. */
const AUTHENTICATION = new Set([(10 << 16) | 11, (10 << 16) | 21])
/** Class, weight, body size and flags of a content header. */
const CONTENT_FIXED = 14
const FLAG_HEADERS = 13
const FLAG_DELIVERY_MODE = 12
const FLAG_PRIORITY = 11
const FLAG_TIMESTAMP = 6
const FLAG_USER_ID = 4
/** Sizes of field values that have one (AMQP 0-9-1, 4.2.5.5, with RabbitMQ's types). */
const FIXED: Readonly<Record<string, number>> = {
  t: 1,
  b: 1,
  B: 1,
  s: 2,
  u: 2,
  I: 4,
  i: 4,
  f: 4,
  l: 8,
  L: 8,
  d: 8,
  T: 8,
  D: 5,
  V: 0,
}

export function createAmqpMasks(options: MaskOptions): ConnectionMasks {
  return { client: new AmqpMask(options, 'client'), server: new AmqpMask(options, 'server') }
}

/**
 * Frames, methods and properties; what authenticates, values of headers and bodies are put out of the way, the same ones
 * in the same way, so that what was published is still recognised where it is delivered.
 */
class AmqpMask implements ByteMask {
  readonly #options: MaskOptions
  readonly #sender: Sender
  readonly #disguise: Disguise
  #lost = false
  #started = false
  /** Place in the frame, its header included; the end octet comes after the payload. */
  #at = 0
  #opening = 0
  #type = 0
  #size = 0
  #method = 0
  #properties: PropertyWalk | undefined
  #newBody = true

  constructor(options: MaskOptions, sender: Sender) {
    this.#options = options
    this.#sender = sender
    this.#disguise = options.newDisguise()
  }

  begin(bytes: Uint8Array, start: number, end: number): void {
    if (!this.#lost || !isMessageStart(this.#options.module, this.#sender, bytes, start, end)) return
    this.#lost = false
    this.#at = 0
  }

  hole(count: number): void {
    const left = FRAME_HEADER + this.#size + 1 - this.#at
    const isPayload = this.#at >= FRAME_HEADER && this.#type === Frame.body
    if (this.#lost || !isPayload || count > left) {
      this.#lost = true
      return
    }
    this.#at += count
    if (count === left) this.#at = 0
  }

  next(byte: number): number {
    if (this.#lost) return MASKED
    if (!this.#started) {
      this.#started = true
      if (byte === 0x41) this.#opening = PROTOCOL_HEADER
    }
    if (this.#opening > 0) {
      this.#opening--
      return byte
    }
    const at = this.#at++
    if (at < FRAME_HEADER) return this.#inFrameHeader(byte, at)
    const place = at - FRAME_HEADER
    if (place === this.#size) {
      this.#at = 0
      if (byte !== 0xce) this.#lost = true
      return byte
    }
    if (this.#type === Frame.method) return this.#inMethod(byte, place)
    if (this.#type === Frame.header) return this.#inContentHeader(byte, place)
    return this.#type === Frame.body ? this.#inBody(byte) : byte
  }

  #inFrameHeader(byte: number, at: number): number {
    if (at === 0) {
      this.#type = byte
      this.#size = 0
      this.#method = 0
      if (byte < 1 || (byte > 3 && byte !== 8)) this.#lost = true
    } else if (at > 2) this.#size = this.#size * 256 + byte
    return byte
  }

  #inMethod(byte: number, place: number): number {
    if (place < 4) {
      this.#method = (this.#method << 8) | byte
      return byte
    }
    return AUTHENTICATION.has(this.#method) ? MASKED : byte
  }

  #inContentHeader(byte: number, place: number): number {
    if (place === 0) {
      this.#method = 0
      this.#properties = undefined
      this.#newBody = true
    }
    if (place >= CONTENT_FIXED - 2 && place < CONTENT_FIXED) this.#method = (this.#method << 8) | byte
    if (place < CONTENT_FIXED) return byte
    this.#properties ??= new PropertyWalk(this.#method, this.#disguise)
    return this.#properties.next(byte)
  }

  #inBody(byte: number): number {
    if (this.#newBody) this.#disguise.reset()
    this.#newBody = false
    return this.#disguise.next(byte)
  }
}

/** What the next bytes of the properties are. */
type Part =
  | { readonly kind: 'short'; readonly shown: Shown }
  | { readonly kind: 'bytes'; readonly shown: Shown; left: number }
  | { readonly kind: 'value' }
  | { readonly kind: 'long'; readonly holds: 'text' | 'table' | 'array'; read: number; length: number }
  | { readonly kind: 'entries'; readonly of: 'table' | 'array'; left: number }

/** key: as it is, and remembered, since one key's value may stay. */
type Shown = 'plain' | 'key' | 'secret'

const CONTAINERS: Readonly<Record<string, 'text' | 'table' | 'array'>> = {
  S: 'text',
  x: 'text',
  F: 'table',
  A: 'array',
}

/** Walks over the properties of a content header and puts the texts in its headers out of the way. */
class PropertyWalk {
  readonly #disguise: Disguise
  /** What is still to come, the next one last. */
  readonly #parts: Part[] = []
  #key = ''

  constructor(flags: number, disguise: Disguise) {
    this.#disguise = disguise
    for (let bit = 2; bit <= 15; bit++) {
      if ((flags & (1 << bit)) === 0) continue
      if (bit === FLAG_HEADERS) this.#parts.push({ kind: 'long', read: 0, length: 0, holds: 'table' })
      else if (bit === FLAG_DELIVERY_MODE || bit === FLAG_PRIORITY) this.#parts.push(plainBytes(1))
      else if (bit === FLAG_TIMESTAMP) this.#parts.push(plainBytes(8))
      else this.#parts.push({ kind: 'short', shown: bit === FLAG_USER_ID ? 'secret' : 'plain' })
    }
  }

  next(byte: number): number {
    this.#openEntry()
    for (const part of this.#parts) if (part.kind === 'entries') part.left--
    const part = this.#parts.at(-1)
    switch (part?.kind) {
      case 'short':
        this.#parts.pop()
        if (byte > 0) this.#push({ kind: 'bytes', left: byte, shown: part.shown })
        return byte
      case 'value':
        this.#parts.pop()
        this.#openValue(String.fromCharCode(byte))
        return byte
      case 'long':
        return this.#inLength(part, byte)
      case 'bytes':
        return this.#inBytes(part, byte)
      default:
        return MASKED
    }
  }

  /** In a table or an array: the next entry, or what comes after its end. */
  #openEntry(): void {
    for (let part = this.#parts.at(-1); part?.kind === 'entries'; part = this.#parts.at(-1)) {
      if (part.left <= 0) this.#parts.pop()
      else {
        this.#parts.push({ kind: 'value' })
        if (part.of === 'table') this.#parts.push({ kind: 'short', shown: 'key' })
        this.#key = ''
      }
    }
  }

  #push(part: Part): void {
    this.#disguise.reset()
    this.#parts.push(part)
  }

  #openValue(type: string): void {
    const fixed = FIXED[type]
    const holds = CONTAINERS[type]
    if (fixed !== undefined) {
      if (fixed > 0) this.#parts.push(plainBytes(fixed))
    } else if (holds !== undefined) this.#parts.push({ kind: 'long', read: 0, length: 0, holds })
    // An unknown type: its length is unknown, so is everything after it.
    else this.#parts.splice(0)
  }

  #inLength(part: Extract<Part, { kind: 'long' }>, byte: number): number {
    part.length = part.length * 256 + byte
    if (++part.read < 4) return byte
    const { holds, length } = part
    this.#parts.pop()
    if (length === 0) return byte
    if (holds === 'text')
      this.#push({ kind: 'bytes', left: length, shown: this.#key === 'traceparent' ? 'plain' : 'secret' })
    else this.#parts.push({ kind: 'entries', of: holds, left: length })
    return byte
  }

  #inBytes(part: Extract<Part, { kind: 'bytes' }>, byte: number): number {
    if (--part.left === 0) this.#parts.pop()
    if (part.shown === 'key') this.#key += String.fromCharCode(byte)
    return part.shown === 'secret' ? this.#disguise.next(byte) : byte
  }
}

function plainBytes(left: number): Part {
  return { kind: 'bytes', left, shown: 'plain' }
}
