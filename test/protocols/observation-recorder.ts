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
  /** Offsets at which calls began, ascending, and their times. */
  readonly arrivals: { readonly offsets: number[]; readonly times: number[] }
}

/** The time of the call that brought the byte at `offset`. */
function timeAt({ offsets, times }: Traffic['arrivals'], offset: number): number | undefined {
  let at = offsets.length - 1
  while (at >= 0 && offsets[at]! > offset) at--
  return times[at]
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
    if (this.#seen.has(exchange)) assert.fail('begin twice')
    if (!(offset >= 0 && offset <= moved)) assert.fail(`begin at ${offset}, which has not come yet`)
    const came = timeAt(arrivals, offset)
    if (stream.timeNs !== came) {
      assert.fail(`${exchange.name} begins with the call that brought its first byte: ${stream.timeNs}, not ${came}`)
    }
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
    if (observation.requestEnd !== undefined) assert.fail('requestEnd twice')
    if (!(offset >= observation.begin && offset <= moved)) assert.fail(`requestEnd at ${offset}, ${moved} have come`)
    observation.requestEnd = offset
  }

  responseBegin(exchange: Exchange, offset: number): void {
    const observation = this.#find(exchange, 'responseBegin')
    const { moved } = this.#traffic[exchange.initiator === 'client' ? 'server' : 'client']
    if (observation.responseBegin !== undefined) assert.fail('responseBegin twice')
    if (!(offset >= 0 && offset <= moved)) assert.fail(`responseBegin at ${offset}, ${moved} have come`)
    observation.responseBegin = offset
  }

  end(exchange: Exchange, offset: number): void {
    const observation = this.#find(exchange, 'end')
    const { client, server } = this.#traffic
    if (!(offset >= (observation.responseBegin ?? 0))) assert.fail(`end at ${offset}, before its response`)
    if (offset > Math.max(client.moved, server.moved)) assert.fail(`end at ${offset}, which has not come yet`)
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
    if (found === undefined) assert.fail(`${what} of an exchange that is not open: ${exchange.name}`)
    return found
  }
}
