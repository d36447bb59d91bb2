import type { ContentKey } from '../protocol.js'
import {
  addEnvelopeKeys,
  createEnvelopeIds,
  ENVELOPE_SEEN,
  type EnvelopeIds,
  isEnvelope,
  OVERLAP,
  scanEnvelope,
} from './envelope.js'
import { type Operation, operationIn } from './operation.js'

/** Bytes that are kept of a body at a time. */
const WINDOW = 4096

const UNDECIDED = 0
const ENVELOPE = 1
const OTHER = 2

/**
 * Finds the identifiers of a body that passes piece by piece, with holes. A body that is no envelope costs a look at
 * its first bytes; of one that is, at most WINDOW bytes are kept until it ends.
 */
export class EnvelopeReader {
  #state = OTHER
  #ids: EnvelopeIds | undefined
  #window: Uint8Array | undefined
  #length = 0
  /** The window holds the body's beginning. */
  #atBegin = false
  #operation: Operation | undefined

  /** A body begins. */
  begin(): void {
    this.#state = UNDECIDED
    this.#length = 0
    this.#atBegin = true
    this.#operation = undefined
  }

  /** What the message asks for or tells; known at the latest when the body is over. */
  get operation(): Operation | undefined {
    return this.#operation
  }

  /** True once the body is known to be an envelope. */
  get found(): boolean {
    return this.#state === ENVELOPE
  }

  /** The next bytes of the body. */
  update(bytes: Uint8Array, start: number, end: number): void {
    if (this.#state === OTHER) return
    if (this.#state === UNDECIDED) {
      if (bytes[start] !== 0x7b && this.#length === 0) {
        this.#state = OTHER
        return
      }
      this.#decide(bytes, start, end)
    } else this.#collect(bytes, start, end)
  }

  /** Bytes of the body were not copied. */
  missing(): void {
    if (this.#state === UNDECIDED) this.#state = OTHER
    if (this.#state === ENVELOPE) {
      this.#scan()
      this.#length = 0
    }
  }

  /** The body is over: adds what was found. */
  finish(keys: ContentKey[]): void {
    if (this.#state === ENVELOPE) {
      this.#scan()
      addEnvelopeKeys(this.#ids!, keys)
    }
    this.#state = OTHER
    this.#window = undefined
  }

  #decide(bytes: Uint8Array, start: number, end: number): void {
    if (this.#length === 0 && end - start >= ENVELOPE_SEEN && !isEnvelope(bytes, start, end)) {
      this.#state = OTHER
      return
    }
    const first = Math.min(end, start + ENVELOPE_SEEN - this.#length)
    this.#collect(bytes, start, first)
    if (this.#length < ENVELOPE_SEEN) return
    if (!isEnvelope(this.#window!, 0, this.#length)) {
      this.#state = OTHER
      return
    }
    this.#state = ENVELOPE
    this.#ids = createEnvelopeIds()
    this.#collect(bytes, first, end)
  }

  #collect(bytes: Uint8Array, start: number, end: number): void {
    this.#window ??= new Uint8Array(WINDOW)
    const window = this.#window
    while (start < end) {
      const count = Math.min(end - start, WINDOW - this.#length)
      window.set(bytes.subarray(start, start + count), this.#length)
      this.#length += count
      start += count
      if (this.#length < WINDOW) return
      this.#scan()
      // A key may have begun whose value has not come yet.
      window.copyWithin(0, WINDOW - OVERLAP)
      this.#length = OVERLAP
    }
  }

  #scan(): void {
    if (this.#window === undefined) return
    if (this.#atBegin) this.#operation = operationIn(this.#window, 0, this.#length)
    this.#atBegin = false
    scanEnvelope(this.#window, 0, this.#length, this.#ids!)
  }
}
