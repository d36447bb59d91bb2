import { BODY_HEAD, BODY_TAIL } from '../protocols/amqp/body-hash.js'
import { OPENING } from '../protocols/oslo/envelope.js'
import { OsloEnvelopeMask } from './oslo-envelope-mask.js'
import { type Chain, MASKED, type Pseudonyms } from './pseudonyms.js'

/**
 * A body, however it is cut into frames: its beginning and its end, by which it is recognised, become something else,
 * the same at the publisher and at the consumer; what lies between them is blanked. Of an envelope of oslo.messaging the
 * identifiers become others wherever they are.
 */
export class AmqpBodyMask {
  readonly #chain: Chain
  readonly #envelope: OsloEnvelopeMask
  #position = 0
  #tailStart = 0
  /** Bytes before the next one are missing: it cannot become what it becomes where they were seen. */
  #broken = false
  /** So far, the body begins like an envelope. */
  #isEnvelope = true

  constructor(pseudonyms: Pseudonyms) {
    this.#chain = pseudonyms.chain('amqp body')
    this.#envelope = new OsloEnvelopeMask(pseudonyms)
  }

  /** @param size of the body; −1 if it was not seen. */
  begin(size: number): void {
    this.#position = 0
    this.#tailStart = Math.max(BODY_HEAD, size - BODY_TAIL)
    this.#broken = size < 0
    this.#isEnvelope = size >= OPENING.length
    this.#chain.begin()
    this.#envelope.begin()
  }

  next(byte: number): number {
    const position = this.#position++
    if (position === this.#tailStart) {
      this.#chain.begin()
      this.#broken = false
    }
    if (position < OPENING.length) {
      if (byte !== OPENING[position]) this.#isEnvelope = false
      const masked = this.#hidden(byte, position)
      return this.#isEnvelope ? byte : masked
    }
    const masked = this.#hidden(byte, position)
    return this.#isEnvelope ? this.#envelope.next(byte, masked) : masked
  }

  missing(count: number): void {
    const before = this.#position
    this.#position += count
    if (before < OPENING.length) this.#isEnvelope = false
    if (before <= this.#tailStart && this.#position > this.#tailStart) this.#broken = true
    else if (before < BODY_HEAD || before > this.#tailStart) this.#broken = true
    this.#envelope.begin()
  }

  #hidden(byte: number, position: number): number {
    if (this.#broken || (position >= BODY_HEAD && position < this.#tailStart)) return MASKED
    return this.#isEnvelope && position >= OPENING.length ? this.#chain.letter(byte) : this.#chain.byte(byte)
  }
}
