import assert from 'node:assert/strict'
import type { InputStream } from '../../src/protocols/input-stream.js'
import type { Exchange, ExchangeSink, Sender } from '../../src/protocols/protocol.js'

/** What a module reported of one exchange. Offsets are those given to the sink. */
export interface Observation {
  readonly exchange: Exchange
  readonly begin: number
  /** `timeNs` of the initiator's stream when `begin` was reported. */
  readonly beginTimeNs: number
  requestEnd: number | undefined
  responseBegin: number | undefined
  end: number | undefined
  abandoned: boolean
}

/** What has been moved in one direction so far. */
export interface Traffic {
  readonly stream: InputStream
  /** Offset behind the last byte moved, whether it was seen or not. */
  moved: number
  /** Offsets at which calls began, and their times; ascending. */
  readonly arrivals: [offset: number, timeNs: number][]
}

/**
 * Keeps what a module reports, and refuses reports in the wrong order, of bytes that have not come yet, or at a time
 * that is not that of the first byte.
 */
export class ObservationRecorder implements ExchangeSink {
  readonly observations: Observation[] = []
  readonly #open = new Map<Exchange, Observation>()
  readonly #seen = new Set<Exchange>()
  readonly #traffic: Readonly<Record<Sender, Traffic>>

  constructor(traffic: Readonly<Record<Sender, Traffic>>) {
    this.#traffic = traffic
  }

  begin(exchange: Exchange, offset: number): void {
    const { stream, moved, arrivals } = this.#traffic[exchange.initiator]
    assert.ok(!this.#seen.has(exchange), 'begin twice')
    assert.ok(offset >= 0 && offset <= moved, `begin at ${offset}, which has not come yet`)
    const came = arrivals.findLast(([start]) => start <= offset)?.[1]
    assert.equal(stream.timeNs, came, `${exchange.name} begins with the call that brought its first byte`)
    const observation: Observation = {
      exchange,
      begin: offset,
      beginTimeNs: stream.timeNs,
      requestEnd: undefined,
      responseBegin: undefined,
      end: undefined,
      abandoned: false,
    }
    this.observations.push(observation)
    this.#seen.add(exchange)
    this.#open.set(exchange, observation)
  }

  requestEnd(exchange: Exchange, offset: number): void {
    const observation = this.#find(exchange, 'requestEnd')
    const { moved } = this.#traffic[exchange.initiator]
    assert.equal(observation.requestEnd, undefined, 'requestEnd twice')
    assert.ok(offset >= observation.begin && offset <= moved, `requestEnd at ${offset}`)
    observation.requestEnd = offset
  }

  responseBegin(exchange: Exchange, offset: number): void {
    const observation = this.#find(exchange, 'responseBegin')
    const { moved } = this.#traffic[exchange.initiator === 'client' ? 'server' : 'client']
    assert.equal(observation.responseBegin, undefined, 'responseBegin twice')
    assert.ok(offset >= 0 && offset <= moved, `responseBegin at ${offset}`)
    observation.responseBegin = offset
  }

  end(exchange: Exchange, offset: number): void {
    const observation = this.#find(exchange, 'end')
    const { client, server } = this.#traffic
    assert.ok(offset >= (observation.responseBegin ?? 0), `end at ${offset}, before its response`)
    assert.ok(offset <= Math.max(client.moved, server.moved), `end at ${offset}, which has not come yet`)
    observation.end = offset
    this.#open.delete(exchange)
  }

  abandon(exchange: Exchange): void {
    this.#find(exchange, 'abandon').abandoned = true
    this.#open.delete(exchange)
  }

  /** After the connection's end nothing may be open. */
  checkClosed(): void {
    for (const { name } of this.#open.keys()) assert.fail(`${name} is left open`)
  }

  #find(exchange: Exchange, what: string): Observation {
    const found = this.#open.get(exchange)
    assert.ok(found, `${what} of an exchange that is not open: ${exchange.name}`)
    return found
  }
}
