import { type Chain, MASKED, type Pseudonyms } from './pseudonyms.js'

/** Class, weight, size of the body, flags. */
const FIXED = 14
const SIZE_AT = 4
const FLAGS_AT = 12
const FLAG_HEADERS = 13
const FLAG_DELIVERY_MODE = 12
const FLAG_PRIORITY = 11
const FLAG_REPLY_TO = 9
const FLAG_TIMESTAMP = 6
/** What the broker puts a name behind, see src/protocols/amqp/properties.ts. */
const DIRECT_REPLY = Buffer.from('amq.rabbitmq.reply-to')
const TRACEPARENT = 'traceparent'
const TRACEPARENT_DASHES = new Set([2, 35, 52])
const TRACEPARENT_LENGTH = 55

/** Bytes of field values behind their type (section 4.2.5.5, as RabbitMQ reads it); −1: a length of 4 bytes is told. */
const VALUE_BYTES = new Map<number, number>(
  Object.entries({
    t: 1,
    b: 1,
    B: 1,
    s: 2,
    u: 2,
    I: 4,
    i: 4,
    f: 4,
    D: 5,
    l: 8,
    L: 8,
    d: 8,
    T: 8,
    V: 0,
    S: -1,
    x: -1,
    A: -1,
    F: -1,
  }).map(([type, bytes]) => [type.charCodeAt(0), bytes]),
)

const Place = {
  fixed: 0,
  property: 1,
  text: 2,
  plain: 3,
  tableLength: 4,
  name: 5,
  type: 6,
  valueLength: 7,
  value: 8,
} as const
const NAME_CHARACTER = /[\w.-]/

/**
 * The payload of a header frame, byte by byte: flags, lengths, types and names of headers stay. What ids, names and
 * headers say becomes something else, the same at the publisher and at the consumer, so that a message is recognised.
 */
export class AmqpPropertiesMask {
  /** Of the body; −1 if it was not seen. */
  bodySize = -1

  readonly #chain: Chain
  #place: number = Place.fixed
  #at = 0
  #flags = 0
  #bit = 16
  #left = 0
  #tableLeft = 0
  #number = 0
  #numberLeft = 0
  #nameLength = -1
  #name = ''
  #column = 0
  /** A value that may be shown so far: `amq.rabbitmq.reply-to`, a traceparent. */
  #isPlain = false
  #lost = false

  constructor(pseudonyms: Pseudonyms) {
    this.#chain = pseudonyms.chain('amqp property')
  }

  begin(): void {
    this.#place = Place.fixed
    this.#at = 0
    this.#flags = 0
    this.#bit = 16
    this.bodySize = 0
    this.#lost = false
  }

  /** Bytes are missing. */
  lose(): void {
    if (this.#place === Place.fixed) this.bodySize = -1
    this.#lost = true
  }

  next(byte: number): number {
    if (this.#lost) return MASKED
    switch (this.#place) {
      case Place.fixed:
        return this.#inFixed(byte)
      case Place.property:
        return this.#beginProperty(byte)
      case Place.text:
        return this.#inText(byte)
      case Place.plain:
        if (--this.#left === 0) this.#place = Place.property
        return byte
      case Place.tableLength:
        return this.#inTableLength(byte)
      default:
        return this.#inTable(byte)
    }
  }

  #inFixed(byte: number): number {
    const at = this.#at++
    if (at >= SIZE_AT && at < FLAGS_AT) this.bodySize = this.bodySize * 256 + byte
    else if (at >= FLAGS_AT) this.#flags = (this.#flags << 8) | byte
    if (this.#at === FIXED) {
      this.#place = Place.property
      // Bit 0 announces more flags; this class has none.
      if ((this.#flags & 1) !== 0) this.#lost = true
    }
    return byte
  }

  #beginProperty(byte: number): number {
    do this.#bit--
    while (this.#bit > 1 && (this.#flags & (1 << this.#bit)) === 0)
    switch (this.#bit) {
      case FLAG_HEADERS:
        this.#beginNumber(Place.tableLength)
        return this.#inTableLength(byte)
      case FLAG_DELIVERY_MODE:
      case FLAG_PRIORITY:
        return byte
      case FLAG_TIMESTAMP:
        this.#place = Place.plain
        this.#left = 7
        return byte
    }
    if (this.#bit <= 1) {
      this.#lost = true
      return MASKED
    }
    this.#left = byte
    if (byte > 0) {
      this.#place = Place.text
      this.#beginValue(this.#bit === FLAG_REPLY_TO)
    }
    return byte
  }

  #beginNumber(place: number): void {
    this.#place = place
    this.#number = 0
    this.#numberLeft = 4
  }

  /** True when the number is whole. */
  #digit(byte: number): boolean {
    this.#number = this.#number * 256 + byte
    return --this.#numberLeft === 0
  }

  #beginValue(isPlain: boolean): void {
    this.#chain.begin()
    this.#column = 0
    this.#isPlain = isPlain
  }

  #inText(byte: number): number {
    if (this.#column >= DIRECT_REPLY.length || byte !== DIRECT_REPLY[this.#column]) this.#isPlain = false
    this.#column++
    const masked = this.#chain.letter(byte)
    if (--this.#left === 0) this.#place = Place.property
    return this.#isPlain ? byte : masked
  }

  #inTableLength(byte: number): number {
    if (!this.#digit(byte)) return byte
    this.#tableLeft = this.#number
    this.#nameLength = -1
    this.#place = this.#tableLeft === 0 ? Place.property : Place.name
    return byte
  }

  #inTable(byte: number): number {
    this.#tableLeft--
    const shown = this.#entryByte(byte)
    if (this.#tableLeft === 0) this.#place = Place.property
    return shown
  }

  #entryByte(byte: number): number {
    switch (this.#place) {
      case Place.name:
        return this.#inName(byte)
      case Place.type:
        return this.#inType(byte)
      case Place.valueLength:
        if (!this.#digit(byte)) return byte
        this.#left = this.#number
        this.#beginValue(this.#name === TRACEPARENT && this.#left === TRACEPARENT_LENGTH)
        this.#place = Place.value
        if (this.#left === 0) this.#endEntry()
        return byte
      default:
        return this.#inValue(byte)
    }
  }

  #inName(byte: number): number {
    if (this.#nameLength < 0) {
      this.#nameLength = byte
      this.#name = ''
    } else {
      this.#nameLength--
      this.#name += String.fromCharCode(byte)
    }
    const isLength = this.#name === '' && this.#nameLength === byte
    if (this.#nameLength === 0) this.#place = Place.type
    return isLength || NAME_CHARACTER.test(String.fromCharCode(byte)) ? byte : MASKED
  }

  #inType(byte: number): number {
    const bytes = VALUE_BYTES.get(byte)
    if (bytes === undefined) this.#lost = true
    else if (bytes < 0) this.#beginNumber(Place.valueLength)
    else {
      this.#left = bytes
      this.#beginValue(false)
      this.#place = Place.value
      if (bytes === 0) this.#endEntry()
    }
    return byte
  }

  #inValue(byte: number): number {
    const column = this.#column++
    const isDash = TRACEPARENT_DASHES.has(column)
    const isHex = (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66)
    if (isDash ? byte !== 0x2d : !isHex) this.#isPlain = false
    const masked = this.#chain.byte(byte)
    if (--this.#left === 0) this.#endEntry()
    return this.#isPlain ? byte : masked
  }

  #endEntry(): void {
    this.#place = Place.name
    this.#nameLength = -1
    this.#name = ''
  }
}
