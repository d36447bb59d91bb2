const SMALLEST = 64 << 10
/** Texts up to this length are copied letter by letter: below it a call into the runtime costs more. */
const SHORT_TEXT = 48
const HEX = new Uint8Array(128)
for (let digit = 0; digit < 16; digit++) {
  HEX['0123456789abcdef'.charCodeAt(digit)] = digit
  HEX['0123456789ABCDEF'.charCodeAt(digit)] = digit
}

/** The value of a hex digit by its character code. */
export const hexDigit = (code: number): number => HEX[code] ?? 0

/**
 * Appends values in ClickHouse's RowBinary format to one growing buffer. Numbers are little-endian, texts have their
 * length in front as a varint; LowCardinality(T) is written as T. Integers must be below 2^53.
 */
export class RowBinaryWriter {
  #buffer: Buffer
  #length = 0

  constructor(bytes = SMALLEST) {
    this.#buffer = Buffer.allocUnsafeSlow(bytes)
  }

  get length(): number {
    return this.#length
  }

  /** Forgets what was written after `length`. */
  truncate(length: number): void {
    this.#length = length
  }

  /** What was written; valid until the next write. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  #need(bytes: number): Buffer {
    if (this.#length + bytes > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#length + bytes))
      this.#buffer.copy(larger, 0, 0, this.#length)
      this.#buffer = larger
    }
    return this.#buffer
  }

  uint8(value: number): void {
    this.#need(1)[this.#length++] = value
  }

  uint16(value: number): void {
    const buffer = this.#need(2)
    buffer[this.#length] = value
    buffer[this.#length + 1] = value >>> 8
    this.#length += 2
  }

  uint32(value: number): void {
    const buffer = this.#need(4)
    const at = this.#length
    buffer[at] = value
    buffer[at + 1] = value >>> 8
    buffer[at + 2] = value >>> 16
    buffer[at + 3] = value >>> 24
    this.#length = at + 4
  }

  /** Anything that is no number from 0 up is written as 0. */
  uint64(value: number): void {
    const known = value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : 0
    this.uint32(known >>> 0)
    this.uint32(Math.floor(known / 4294967296))
  }

  float32(value: number): void {
    this.#need(4)
    this.#length = this.#buffer.writeFloatLE(value, this.#length)
  }

  /** DateTime64(9): nanoseconds since 1970, up to the year 2115. */
  time(seconds: number, nanos: number): void {
    // seconds * 10^9 exceeds 2^53; 10^9 = 1953125 * 2^9 keeps every step exact.
    const high = seconds * 1953125
    const top = Math.floor(high / 8388608)
    const rest = (high - top * 8388608) * 512 + nanos
    this.uint32(rest >>> 0)
    this.uint32(top + Math.floor(rest / 4294967296))
  }

  varint(value: number): void {
    const buffer = this.#need(8)
    while (value > 127) {
      buffer[this.#length++] = (value % 128) | 128
      value = Math.floor(value / 128)
    }
    buffer[this.#length++] = value
  }

  /** Bytes that are already in RowBinary. */
  raw(bytes: Uint8Array): void {
    const count = bytes.length
    const buffer = this.#need(count)
    const at = this.#length
    if (count > SHORT_TEXT) buffer.set(bytes, at)
    else for (let i = 0; i < count; i++) buffer[at + i] = bytes[i]!
    this.#length = at + count
  }

  /** The first `length` letters of a text. */
  text(value: string, length = value.length): void {
    const buffer = this.#need(length * 3 + 8)
    const at = this.#length
    if (length < SHORT_TEXT) {
      let i = 0
      for (; i < length; i++) {
        const code = value.charCodeAt(i)
        if (code > 127) break
        buffer[at + 1 + i] = code
      }
      if (i === length) {
        buffer[at] = length
        this.#length = at + 1 + length
        return
      }
    }
    // Most are ASCII, so the length's own width is guessed from the number of letters and mended when wrong.
    const guess = length < 128 ? 1 : length < 16384 ? 2 : length < 2097152 ? 3 : 4
    const part = length === value.length ? value : value.slice(0, length)
    const bytes = buffer.write(part, at + guess)
    this.varint(bytes)
    const width = this.#length - at
    if (width !== guess) buffer.write(part, at + width)
    this.#length = at + width + bytes
  }

  /** '127.0.0.1:5000' as a text and a UInt16; what has no such end ('unix') is all text, and the port 0. */
  endpoint(value: string): void {
    let port = 0
    let scale = 1
    let at = value.length
    for (; at > 0; at--) {
      const digit = value.charCodeAt(at - 1) - 48
      if (digit < 0 || digit > 9 || scale > 10_000) break
      port += digit * scale
      scale *= 10
    }
    // Only what is put together again to the same text is taken apart.
    const whole = value.charCodeAt(at - 1) !== 58 || port === 0 || port > 65535 || value.charCodeAt(at) === 48
    this.text(value, whole ? value.length : at - 1)
    this.uint16(whole ? 0 : port)
  }

  /** A number as a text, as JavaScript writes it. */
  numberText(value: number): void {
    if (value !== (value | 0) || value < 0 || (value === 0 && 1 / value < 0)) {
      this.text(String(value))
      return
    }
    let digits = 1
    for (let bound = 10; value >= bound; bound *= 10) digits++
    const buffer = this.#need(digits + 1)
    let at = this.#length
    buffer[at] = digits
    at += digits
    this.#length = at + 1
    let rest = value
    for (; rest > 9; at--) {
      const next = (rest / 10) | 0
      buffer[at] = 48 + rest - next * 10
      rest = next
    }
    buffer[at] = 48 + rest
  }

  /** FixedString: the bytes that hex digits stand for, in their order. */
  hex(digits: string): void {
    const count = digits.length >> 1
    const buffer = this.#need(count)
    const at = this.#length
    for (let i = 0; i < count; i++) {
      buffer[at + i] = (HEX[digits.charCodeAt(2 * i)]! << 4) | HEX[digits.charCodeAt(2 * i + 1)]!
    }
    this.#length = at + count
  }

  /** UInt64 of 16 hex digits; '' is 0. */
  hex64(digits: string): void {
    const buffer = this.#need(8)
    const at = this.#length
    if (digits.length !== 16) buffer.fill(0, at, at + 8)
    else {
      for (let i = 0; i < 8; i++) {
        buffer[at + 7 - i] = (HEX[digits.charCodeAt(2 * i)]! << 4) | HEX[digits.charCodeAt(2 * i + 1)]!
      }
    }
    this.#length = at + 8
  }

  /** Reserves the one byte of a count that is not known yet; `setCount` fills it. */
  count(): number {
    this.#need(1)
    return this.#length++
  }

  setCount(at: number, count: number): void {
    if (count < 128) {
      this.#buffer[at] = count
      return
    }
    const end = this.#length
    const width = count < 16384 ? 2 : count < 2097152 ? 3 : 4
    // Room for all that varint() may ask for: growing there would lose what lies behind it.
    this.#need(width + 8)
    this.#buffer.copyWithin(at + width, at + 1, end)
    this.#length = at
    this.varint(count)
    this.#length = end + width - 1
  }
}
