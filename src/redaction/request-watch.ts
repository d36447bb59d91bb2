import type { Exchange, ExchangeSink } from '../protocols/protocol.js'

export interface RequestListener {
  /** A request begins while no other one waits for its answer. */
  answerIsNext(): void
  /** An operation, other than those that keep a connection up, is complete. */
  answered(): void
}

/** Takes from a module what redaction must know of its exchanges. */
export class RequestWatch implements ExchangeSink {
  readonly #listener: RequestListener
  #open = 0

  constructor(listener: RequestListener) {
    this.#listener = listener
  }

  begin(exchange: Exchange): void {
    if (this.#open === 0 && exchange.initiator === 'client') this.#listener.answerIsNext()
    this.#open++
  }

  requestEnd(): void {}

  responseBegin(): void {}

  end(exchange: Exchange): void {
    this.#open--
    if (!exchange.housekeeping) this.#listener.answered()
  }

  abandon(): void {
    this.#open--
  }
}
