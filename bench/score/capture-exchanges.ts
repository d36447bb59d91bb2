import { createCaptureClock } from '../../src/capture/capture-clock.js'
import { EventReader } from '../../src/capture/event-reader.js'
import { createPcapSource } from '../../src/capture/pcap-source.js'
import { createProcesses } from '../../src/capture/processes.js'
import type { Exchange, ExchangeSink, ProtocolConnection, ProtocolModule } from '../../src/protocols/protocol.js'
import { protocolModules } from '../../src/protocols/registry.js'
import { createCarriers } from '../../src/samples/carriers.js'
import { ConnectionDriver } from '../../src/samples/connection-driver.js'
import type { ConnectionState } from '../../src/samples/connection-state.js'
import { createMessageBacklog } from '../../src/samples/message-backlog.js'
import { createRemoteCalls } from '../../src/samples/remote-calls.js'
import { createSampleRecorder } from '../../src/samples/sample-recorder.js'
import { createCounters } from '../../src/telemetry/counters.js'

/** One exchange that was read out of a packet capture, housekeeping included. */
export interface ReadExchange {
  readonly exchange: Exchange
  /** Number of the connection, in the order in which modules took them over. */
  readonly connection: number
  readonly clientPort: number
  answered: boolean
  ended: boolean
  abandoned: boolean
}

/**
 * What the production path reads out of a packet capture: packets to records, records to connections, connections to
 * protocol modules. In the order in which the exchanges began.
 */
export function readCapture(path: string): ReadExchange[] {
  const counters = createCounters()
  const read: ReadExchange[] = []
  let connections = 0
  const listen = (sink: ExchangeSink): ExchangeSink => {
    // The driver's sinks are its connections' states.
    const { connection } = sink as ConnectionState
    const clientPort = (connection.role === 'client' ? connection.local : connection.remote).port
    return new ListeningSink(sink, read, connections++, clientPort)
  }
  const source = createPcapSource(path, { counters, ends: 'server' })
  const record = new EventReader(createCaptureClock(source.origin))
  const processes = createProcesses()
  const carriers = createCarriers()
  const nobody = { begin: () => {}, keyed: () => {}, requested: () => {}, complete: () => {} }
  const driver = new ConnectionDriver({
    modules: protocolModules.map(module => observed(module, listen)),
    processes,
    carriers,
    recorder: createSampleRecorder({
      record,
      processes,
      carriers,
      remoteCalls: createRemoteCalls(carriers, createMessageBacklog()),
      listener: nobody,
    }),
    control: source.control,
    counters,
    // Paths as they are: what others read is compared, not how routes are named.
    routes: () => ({ template: path => path }),
  })
  for (let batch = source.read(); batch !== undefined; batch = source.read()) record.read(batch, driver)
  driver.finish()
  return read
}

/** The module, with a listener between it and the driver. */
function observed(module: ProtocolModule, listen: (sink: ExchangeSink) => ExchangeSink): ProtocolModule {
  return {
    ...module,
    detect: module.detect,
    open: (options): ProtocolConnection => module.open({ ...options, sink: listen(options.sink) }),
  }
}

class ListeningSink implements ExchangeSink {
  readonly #sink: ExchangeSink
  readonly #read: ReadExchange[]
  readonly #connection: number
  readonly #clientPort: number
  readonly #open = new Map<Exchange, ReadExchange>()

  constructor(sink: ExchangeSink, read: ReadExchange[], connection: number, clientPort: number) {
    this.#sink = sink
    this.#connection = connection
    this.#clientPort = clientPort
    this.#read = read
  }

  begin(exchange: Exchange, offset: number): void {
    const told = { answered: false, ended: false, abandoned: false }
    const each = { exchange, connection: this.#connection, clientPort: this.#clientPort, ...told }
    this.#open.set(exchange, each)
    this.#read.push(each)
    this.#sink.begin(exchange, offset)
  }

  requestEnd(exchange: Exchange, offset: number): void {
    this.#sink.requestEnd(exchange, offset)
  }

  responseBegin(exchange: Exchange, offset: number): void {
    const each = this.#open.get(exchange)
    if (each !== undefined) each.answered = true
    this.#sink.responseBegin(exchange, offset)
  }

  end(exchange: Exchange, offset: number, timeNs?: number): void {
    const each = this.#open.get(exchange)
    if (each !== undefined) each.ended = true
    this.#open.delete(exchange)
    this.#sink.end(exchange, offset, timeNs)
  }

  abandon(exchange: Exchange): void {
    const each = this.#open.get(exchange)
    if (each !== undefined) each.abandoned = true
    this.#open.delete(exchange)
    this.#sink.abandon(exchange)
  }
}
