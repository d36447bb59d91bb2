import { CgiVariables } from '../cgi/variables.js'
import type { Exchange } from '../protocol.js'
import { lengthAt } from './records.js'

/** Most of a request's variables that is looked at. */
const MOST_PARAMETERS = 16_384

/** One request on its way; a connection may carry several at once. */
export class FastCgiRequest {
  readonly exchange: Exchange
  /** Its variables have come to their end. */
  described = false
  /** Its input has. */
  sent = false
  answered = false
  #parameters = new Uint8Array(0)
  #filled = 0
  /** Bytes of its variables that were not seen, or are too many. */
  #cut = false

  constructor(exchange: Exchange) {
    this.exchange = exchange
  }

  /** The next bytes of its variables, which are one text cut into records at will. `whole`: and all of this record. */
  addParameters(bytes: Uint8Array, start: number, end: number, whole: boolean): void {
    if (this.#cut) return
    const room = MOST_PARAMETERS - this.#filled
    const count = Math.min(end - start, room)
    if (this.#filled + count > this.#parameters.length) {
      const larger = new Uint8Array(Math.max(1024, 2 * (this.#filled + count)))
      larger.set(this.#parameters.subarray(0, this.#filled))
      this.#parameters = larger
    }
    this.#parameters.set(bytes.subarray(start, start + count), this.#filled)
    this.#filled += count
    this.#cut = !whole || count < end - start
  }

  get cut(): boolean {
    return this.#cut
  }

  /** What came so far; its bytes are given back. */
  takeVariables(): CgiVariables {
    const variables = new CgiVariables()
    const bytes = this.#parameters
    const end = this.#filled
    for (let at = 0; at < end; ) {
      const nameLength = lengthAt(bytes, at, end)
      if (nameLength < 0) break
      at += bytes[at]! < 0x80 ? 1 : 4
      const valueLength = lengthAt(bytes, at, end)
      if (valueLength < 0) break
      at += bytes[at]! < 0x80 ? 1 : 4
      const valueStart = at + nameLength
      const valueEnd = valueStart + valueLength
      if (valueEnd > end) break
      variables.add(bytes, at, valueStart, valueStart, valueEnd)
      at = valueEnd
    }
    this.#parameters = new Uint8Array(0)
    this.#filled = 0
    return variables
  }
}
