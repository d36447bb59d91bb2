import type { Exchange, ExchangeSink, Sender } from '../protocol.js'

/** Where one direction's latest frame lies. */
export interface FramePlace {
  start: number
  end: number
}

/**
 * Exchanges of the unpacked stream at their frames' places: what begins in a frame begins with it, what ends in one ends
 * with it.
 */
export class FrameSink implements ExchangeSink {
  readonly places: Record<Sender, FramePlace> = {
    client: { start: 0, end: 0 },
    server: { start: 0, end: 0 },
  }
  readonly #sink: ExchangeSink

  constructor(sink: ExchangeSink) {
    this.#sink = sink
  }

  begin(exchange: Exchange): void {
    this.#sink.begin(exchange, this.places.client.start)
  }

  requestEnd(exchange: Exchange): void {
    this.#sink.requestEnd(exchange, this.places.client.end)
  }

  responseBegin(exchange: Exchange): void {
    this.#sink.responseBegin(exchange, this.places.server.start)
  }

  end(exchange: Exchange, _offset: number, timeNs?: number): void {
    const { end } = this.places[exchange.shape === 'message' ? 'client' : 'server']
    if (timeNs === undefined) this.#sink.end(exchange, end)
    else this.#sink.end(exchange, end, timeNs)
  }

  abandon(exchange: Exchange): void {
    this.#sink.abandon(exchange)
  }
}
