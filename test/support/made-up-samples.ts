import type { Connection } from '../../src/capture/connection.js'
import type { ObservedProcess } from '../../src/capture/processes.js'
import type { ContentKey, Exchange } from '../../src/protocols/protocol.js'
import type { Sample } from '../../src/samples/sample.js'

export const observedProcess = (pid: number): ObservedProcess => ({
  pid,
  info: undefined,
  comm: '',
  generation: 1,
  endedNs: undefined,
})

let connections = 0

export function madeUpConnection(overrides: Partial<Connection> = {}): Connection {
  connections++
  return {
    id: connections,
    transport: 'tcp',
    local: { address: '127.0.0.1', port: 80 },
    remote: { address: '127.0.0.1', port: 40_000 },
    role: 'server',
    roleGuessed: false,
    keyLow: 2 * connections,
    keyHigh: 2 * connections + 1,
    ownsLow: true,
    localIdentity: 0,
    remoteIdentity: 0,
    midlife: false,
    farEnd: 'undecided',
    process: observedProcess(1),
    ...overrides,
  }
}

export function madeUpExchange(overrides: Partial<Exchange> = {}): Exchange {
  return {
    protocol: 'http',
    initiator: 'client',
    shape: 'call',
    name: 'GET /',
    attributes: {},
    clientError: undefined,
    serverError: undefined,
    contentKeys: [] as ContentKey[],
    truncated: false,
    housekeeping: false,
    requestBodyBytes: undefined,
    follower: undefined,
    responseBodyBytes: undefined,
    tag: 0,
    ...overrides,
  }
}

let serial = 0

/** A sample as the recorder would make it; ends 10 ns after its start unless said. */
export function madeUpSample(overrides: Partial<Sample> = {}): Sample {
  const startNs = overrides.startNs ?? 0
  return {
    serial: ++serial,
    side: 'server',
    kind: 'server',
    exchange: madeUpExchange(),
    connection: madeUpConnection(),
    process: observedProcess(1),
    service: '',
    tid: 1,
    carrier: 0,
    activity: undefined,
    contextTrust: 1,
    wireHigh: 0,
    wireLow: 0,
    requestPosition: 0,
    ordinal: 0,
    startNs,
    requestEndNs: startNs,
    responseStartNs: Number.NaN,
    endNs: startNs + 10,
    requestBytes: 0,
    responseBytes: 0,
    responseObserved: true,
    complete: false,
    traceId: '',
    answers: undefined,
    spanId: '',
    node: undefined,
    ...overrides,
  }
}
