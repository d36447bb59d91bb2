import { buildTruth, type Operation, type ReceivedAt, type Truth, type TruthRecord } from '../../src/demo/truth.js'
import type { FinishedSpan, FinishedSpanKind, FinishedTrace } from '../../src/traces/span.js'

const NGINX = 8080
const WEB = 8000
const STOCK = 8001
const MYSQL = 3306
const AMQP = 5672
const BASE_MILLIS = 1_700_000_000_000

const record = (more: Partial<TruthRecord> & Pick<TruthRecord, 'kind' | 'service' | 'protocol'>): TruthRecord => ({
  name: 'x',
  local: 0,
  remote: 0,
  position: 0,
  at: BASE_MILLIS / 1000,
  ...more,
})

/**
 * What the demo would note of `count` requests, one after the other on the same connections: nginx → web → a query, a
 * message → worker → stock → a query.
 */
export function notesOf(count: number): TruthRecord[] {
  return Array.from({ length: count }, (_, number) => notesOfRequest(number)).flat()
}

function notesOfRequest(number: number): TruthRecord[] {
  const request = `r${number}`
  const at = BASE_MILLIS / 1000 + number
  const message = `order ${number} placed`
  const position = number * 100
  const web: ReceivedAt = [WEB, 40_001, position]
  const worker: ReceivedAt = [40_005, AMQP, position]
  const stock: ReceivedAt = [STOCK, 40_006, position]
  const client = (service: string, protocol: string, local: number, remote: number, received: ReceivedAt) =>
    record({ kind: 'client', service, protocol, local, remote, position, at, in: received })
  const received = (kind: 'server' | 'consumer', service: string, protocol: string, [local, remote]: ReceivedAt) =>
    record({ kind, service, protocol, local, remote, position, at })
  return [
    record({ kind: 'request', service: 'load', protocol: 'http', local: 40_000, remote: NGINX, position, at, request }),
    { ...received('server', 'web', 'http', web), request },
    client('web', 'mysql', 40_002, MYSQL, web),
    { ...client('web', 'amqp', 40_003, AMQP, web), kind: 'producer', message },
    { ...received('consumer', 'worker', 'amqp', worker), message },
    client('worker', 'http', 40_006, STOCK, worker),
    received('server', 'stock', 'http', stock),
    client('stock', 'mysql', 40_007, MYSQL, stock),
  ]
}

const KINDS: Readonly<Record<string, FinishedSpanKind>> = { in: 'server', out: 'client' }

function spanOf(operation: Operation, traceId: string, ids: ReadonlyMap<Operation, string>): FinishedSpan {
  const [direction, local, remote, position] = operation.key.split(' ')
  const seconds = Math.floor(operation.atMillis / 1000)
  const start: [number, number] = [seconds, Math.round((operation.atMillis - seconds * 1000) * 1e6)]
  const parent = operation.parent && ids.get(operation.parent)
  return {
    traceId,
    spanId: ids.get(operation)!,
    parentSpanId: parent,
    parentRemote: false,
    name: operation.name,
    kind: operation.label.includes('producer') ? 'producer' : KINDS[direction!]!,
    start,
    end: start,
    durationNs: 0,
    attributes: {},
    status: { code: 'unset', message: '' },
    links: [],
    resource: { service: operation.label.split(' ')[0]!, attributes: {} },
    link: undefined,
    sample: {
      protocol: 'http',
      pid: 1,
      tid: 1,
      carrier: 0,
      responseNs: 0,
      requestBytes: 1,
      responseBytes: 1,
      local: `127.0.0.1:${local}`,
      remote: `127.0.0.1:${remote}`,
      wireKey: '',
      requestPosition: Number(position),
      ordinal: 0,
    },
  }
}

/** The traces that a perfect observer would make of the same requests. */
export function perfectTraces(truth: Truth): FinishedTrace[] {
  const ids = new Map(truth.operations.map((each, number) => [each, (number + 1).toString(16).padStart(16, '0')]))
  return [...truth.requests].map((request, number) => {
    const traceId = (number + 1).toString(16).padStart(32, '0')
    const own = truth.operations.filter(each => each.request === request)
    return { traceId, spans: own.map(each => spanOf(each, traceId, ids)), late: false, incomplete: false }
  })
}

export const truthOf = (count: number): Truth => buildTruth(notesOf(count))

/** The traces with one span changed: the first that the predicate picks. */
export function withSpan(
  traces: readonly FinishedTrace[],
  pick: (span: FinishedSpan) => boolean,
  change: (span: FinishedSpan) => FinishedSpan | undefined,
): FinishedTrace[] {
  let done = false
  return traces.map(trace => ({
    ...trace,
    spans: trace.spans.flatMap(span => {
      if (done || !pick(span)) return [span]
      done = true
      return change(span) ?? []
    }),
  }))
}
