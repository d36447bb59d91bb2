import { Method } from '../protocols/amqp/methods.js'
import { MASKED } from './pseudonyms.js'

/**
 * Arguments that stay, in order: a digit for so many bytes, `s` for a short string, `h` for one of which only the length
 * stays. Whatever comes behind them, and all arguments of other methods, is hidden: tables, what authenticates, virtual hosts, texts of errors.
 */
const SHOWN = new Map<number, string>([
  [Method.connectionClose, '2'],
  [Method.channelClose, '2'],
  [Method.queueDeclare, '2s1'],
  [Method.queueDeclareOk, 's44'],
  [Method.consume, '2ss1'],
  [Method.consumeOk, 's'],
  [Method.cancel, 's1'],
  [Method.publish, '2ss1'],
  [Method.return, '2hss'],
  [Method.deliver, 's81ss'],
  [Method.get, '2s1'],
  [Method.getOk, '81ss4'],
  [Method.ack, '81'],
  [Method.reject, '81'],
  [Method.nack, '81'],
])
const ID_BYTES = 4

/** The payload of a method frame, byte by byte. */
export class AmqpMethodMask {
  #idLeft = ID_BYTES
  #id = 0
  #shown = ''
  #field = 0
  /** Bytes left of the argument that is being read. */
  #left = 0
  #hidden = false

  begin(): void {
    this.#idLeft = ID_BYTES
    this.#id = 0
    this.#shown = ''
    this.#field = 0
    this.#left = 0
  }

  next(byte: number): number {
    if (this.#idLeft > 0) {
      this.#id = (this.#id << 8) | byte
      if (--this.#idLeft === 0) this.#shown = SHOWN.get(this.#id) ?? ''
      return byte
    }
    if (this.#left > 0) {
      this.#left--
      return this.#hidden ? MASKED : byte
    }
    const field = this.#shown[this.#field]
    if (field === undefined) return MASKED
    this.#field++
    this.#hidden = field === 'h'
    this.#left = field === 's' || field === 'h' ? byte : Number(field) - 1
    return byte
  }

  /** Bytes are missing: nobody knows where the next argument begins. */
  lose(): void {
    this.#idLeft = this.#left = 0
    this.#shown = ''
  }
}
