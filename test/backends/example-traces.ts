import type { FinishedSpan, FinishedTrace, ServiceResource, SpanLink, WallTime } from '../../src/traces/span.js'

const services = ['nginx', 'web', 'worker', 'audit'].map(
  (name): ServiceResource => ({
    service: name,
    attributes: { 'service.name': name, 'telemetry.distro.name': 'ghostspan', 'host.name': 'example' },
  }),
)
const [nginx, web, worker, audit] = services as [ServiceResource, ServiceResource, ServiceResource, ServiceResource]
const linked = { 'ghostspan.link.evidence': 'context', 'ghostspan.link.confidence': 0.97 }
const hex = (digits: number, number: number): string => number.toString(16).padStart(digits, '0')

export const spansPerTrace = 8

/**
 * The trace of one order: nginx, a web service with a database and a cache that fails, a queue, a worker that ends
 * after the answer, and one that is quick but begins after it. Times have odd nanoseconds, so that whoever rounds them is found out.
 *
 * @param number from 1; every id follows from it
 * @param seconds since 1970
 */
function exampleTrace(number: number, seconds: number): FinishedTrace {
  const traceId = `${hex(8, 0x60575041)}${hex(24, number)}`
  const id = (place: number): string => `${hex(8, 0x5a)}${hex(6, number)}${hex(2, place)}`
  const at = (micros: number): WallTime => [seconds, 100_000_007 + (number % 1_000) + micros * 1_000]
  const span = (
    place: number,
    parent: number,
    resource: ServiceResource,
    kind: FinishedSpan['kind'],
    name: string,
    [from, to]: readonly [number, number],
    more: Partial<FinishedSpan> = {},
  ): FinishedSpan => ({
    traceId,
    spanId: id(place),
    parentSpanId: parent === 0 ? undefined : id(parent),
    parentRemote: false,
    name,
    kind,
    start: at(from),
    end: at(to),
    durationNs: (to - from) * 1_000,
    status: { code: 'unset', message: '' },
    links: [],
    resource,
    link: undefined,
    sample: noFacts,
    ...more,
    attributes: { ...(parent === 0 ? {} : linked), ...more.attributes },
  })
  const http = {
    'http.request.method': 'POST',
    'http.response.status_code': 201,
    'ghostspan.response.observed': true,
  }
  const failed = { code: 'error', message: 'WRONGTYPE Operation against a key' } as const
  return {
    traceId,
    late: false,
    incomplete: false,
    spans: [
      span(1, 0, nginx, 'server', 'POST /orders', [0, 12_400], { attributes: http, links: [likelyParent(number)] }),
      span(2, 1, nginx, 'client', 'POST /orders', [200, 12_100], { attributes: http }),
      span(3, 2, web, 'server', 'POST /orders', [300, 11_900], { attributes: http }),
      span(4, 3, web, 'client', 'SELECT shop.items', [1_000, 1_640], { attributes: { 'db.system.name': 'mariadb' } }),
      span(5, 3, web, 'client', 'GET', [2_500, 2_587], { attributes: { 'db.system.name': 'redis' }, status: failed }),
      span(6, 3, web, 'producer', 'send orders', [6_000, 6_200], { attributes: { 'messaging.system': 'rabbitmq' } }),
      span(7, 6, worker, 'consumer', 'process orders', [6_400, 15_000]),
      span(8, 6, audit, 'consumer', 'process orders', [13_000, 13_100]),
    ],
  }
}

/** Example traces, each with ids of its own, and all those that were made. */
export interface ExampleTraces {
  readonly next: () => FinishedTrace
  readonly made: readonly FinishedTrace[]
}

export function createExampleTraces(seconds: number): ExampleTraces {
  const made: FinishedTrace[] = []
  return {
    made,
    next: () => {
      const trace = exampleTrace(made.length + 1, seconds)
      made.push(trace)
      return trace
    },
  }
}

/** Parent's service > child's service → number of such pairs: what Jaeger calls dependencies. */
export function servicePairs(traces: readonly FinishedTrace[]): Record<string, number> {
  const pairs: Record<string, number> = {}
  for (const { spans } of traces) {
    const services = new Map(spans.map(span => [span.spanId, span.resource.service]))
    for (const { parentSpanId, resource } of spans) {
      if (parentSpanId === undefined) continue
      const pair = `${services.get(parentSpanId)}>${resource.service}`
      pairs[pair] = (pairs[pair] ?? 0) + 1
    }
  }
  return pairs
}

function likelyParent(number: number): SpanLink {
  const attributes = { 'ghostspan.link.evidence': 'time', 'ghostspan.link.confidence': 0.31 }
  return { traceId: hex(32, 0xabc000 + number), spanId: hex(16, 0xdef), attributes }
}

const noFacts: FinishedSpan['sample'] = {
  protocol: 'http',
  pid: 0,
  tid: 0,
  carrier: 0,
  responseNs: 0,
  requestBytes: 0,
  responseBytes: 0,
  local: '',
  remote: '',
  wireKey: '',
  requestPosition: 0,
  ordinal: 0,
}
