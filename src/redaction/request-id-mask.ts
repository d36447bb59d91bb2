import type { Chain, Pseudonyms } from './pseudonyms.js'

/** What identifiers of OpenStack's requests begin with. */
const PREFIX = [0x72, 0x65, 0x71, 0x2d]

/** An identifier of a request, which the same or another protocol carries elsewhere: `req-` stays, hexadecimal digits too. */
export class RequestIdMask {
  readonly #chain: Chain
  #column = 0
  #isPrefixed = true

  constructor(pseudonyms: Pseudonyms) {
    this.#chain = pseudonyms.chain('request id')
  }

  begin(): void {
    this.#chain.begin()
    this.#column = 0
    this.#isPrefixed = true
  }

  next(byte: number): number {
    const masked = this.#chain.identifier(byte)
    const column = this.#column++
    if (column >= PREFIX.length) return masked
    if (byte !== PREFIX[column]) this.#isPrefixed = false
    return this.#isPrefixed ? byte : masked
  }
}
