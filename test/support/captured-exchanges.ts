import { createCaptureClock } from '../../src/capture/capture-clock.js'
import { EventReader } from '../../src/capture/event-reader.js'
import { createPcapSource } from '../../src/capture/pcap-source.js'
import { createProcesses } from '../../src/capture/processes.js'
import type { Exchange, ExchangeSink, ProtocolModule, Sender } from '../../src/protocols/protocol.js'
import { createCarriers } from '../../src/samples/carriers.js'
import { ConnectionDriver } from '../../src/samples/connection-driver.js'
import type { ConnectionState } from '../../src/samples/connection-state.js'
import { createMessageBacklog } from '../../src/samples/message-backlog.js'
import { createRemoteCalls } from '../../src/samples/remote-calls.js'
import { createSampleRecorder } from '../../src/samples/sample-recorder.js'
import { createCounters } from '../../src/telemetry/counters.js'

/** What a module reported of one exchange of a capture, housekeeping included; offsets as given to the sink. */
export interface CapturedExchange {
  readonly clientPort: number
  readonly exchange: Exchange
  readonly begin: number
  requestEnd: number | undefined
  responseBegin: number | undefined
  end: number | undefined
}

export interface Capture {
  readonly exchanges: readonly CapturedExchange[]
  readonly counters: Record<string, number>
  /** The bytes of the exchange's initiator from its begin on. */
  bytesOf(exchange: CapturedExchange, count: number): Uint8Array
}

interface Watched {
  readonly client: Map<number, Uint8Array>
  readonly server: Map<number, Uint8Array>
}

/** Reads a packet capture with these modules, as the pipeline does, and keeps everything that they report. */
export function readCapture(path: string, modules: readonly ProtocolModule[]): Capture {
  const counters = createCounters()
  const exchanges: CapturedExchange[] = []
  const streams = new Map<CapturedExchange, Watched>()
  const watch = (module: ProtocolModule): ProtocolModule => ({
    ...module,
    open: options => {
      const { connection } = options.sink as ConnectionState
      const clientPort = (connection.role === 'client' ? connection.local : connection.remote).port
      const moved: Watched = { client: new Map(), server: new Map() }
      const sink = watchSink(options.sink, begun => {
        const captured = { clientPort, ...begun }
        exchanges.push(captured)
        streams.set(captured, moved)
        return captured
      })
      const read = module.open({ ...options, sink })
      return {
        read: (sender, stream) => {
          const { bytes, start, end, position } = stream
          if (start < end) moved[sender].set(position, bytes.slice(start, end))
          read.read(sender, stream)
        },
        close: () => read.close(),
        get failed() {
          return read.failed
        },
        get wants() {
          return read.wants
        },
      }
    },
  })
  run(path, modules.map(watch), counters)
  return {
    exchanges,
    counters: counters.snapshot(),
    bytesOf: (exchange, count) => collect(streams.get(exchange)![exchange.exchange.initiator], exchange.begin, count),
  }
}

function run(path: string, modules: readonly ProtocolModule[], counters: ReturnType<typeof createCounters>): void {
  const source = createPcapSource(path, { counters })
  const record = new EventReader(createCaptureClock(source.origin))
  const processes = createProcesses()
  const carriers = createCarriers()
  const listener = { begin: () => {}, keyed: () => {}, requested: () => {}, complete: () => {} }
  const driver = new ConnectionDriver({
    modules,
    processes,
    carriers,
    recorder: createSampleRecorder({
      record,
      processes,
      carriers,
      remoteCalls: createRemoteCalls(carriers, createMessageBacklog()),
      listener,
    }),
    control: source.control,
    counters,
    routes: () => ({ template: path => path }),
  })
  for (let batch = source.read(); batch !== undefined || !source.ended; batch = source.read()) {
    if (batch !== undefined) record.read(batch, driver)
  }
  driver.finish()
}

function watchSink(
  sink: ExchangeSink,
  add: (begun: Omit<CapturedExchange, 'clientPort'>) => CapturedExchange,
): ExchangeSink {
  const byExchange = new Map<Exchange, CapturedExchange>()
  return {
    begin: (exchange, offset) => {
      const begun = { exchange, begin: offset, requestEnd: undefined, responseBegin: undefined, end: undefined }
      byExchange.set(exchange, add(begun))
      sink.begin(exchange, offset)
    },
    requestEnd: (exchange, offset) => {
      byExchange.get(exchange)!.requestEnd = offset
      sink.requestEnd(exchange, offset)
    },
    responseBegin: (exchange, offset) => {
      byExchange.get(exchange)!.responseBegin = offset
      sink.responseBegin(exchange, offset)
    },
    end: (exchange, offset, timeNs) => {
      byExchange.get(exchange)!.end = offset
      sink.end(exchange, offset, timeNs)
    },
    abandon: exchange => sink.abandon(exchange),
  }
}

function collect(pieces: Watched[Sender], begin: number, count: number): Uint8Array {
  const out = new Uint8Array(count)
  for (const [position, bytes] of pieces) {
    const from = Math.max(begin, position)
    const to = Math.min(begin + count, position + bytes.length)
    if (from < to) out.set(bytes.subarray(from - position, to - position), from - begin)
  }
  return out
}
