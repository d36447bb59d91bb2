import type { FinishedSpan, FinishedTrace, ServiceResource, WallTime } from '../../src/traces/span.js'

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const hex = (random: () => number, digits: number): string => {
  let text = ''
  while (text.length < digits)
    text += Math.floor(random() * 4294967296)
      .toString(16)
      .padStart(8, '0')
  return text.slice(0, digits)
}

const serverId = (key: string): string => (BigInt(`0x${key}`) ^ 0x5bd1e9951b873593n).toString(16).padStart(16, '0')

const resource = (service: string): ServiceResource => ({
  service,
  attributes: {
    'service.name': service,
    'host.name': 'node-1',
    'host.id': '5a2c7e0d',
    'os.type': 'linux',
    'telemetry.sdk.name': 'opentelemetry',
    'telemetry.distro.name': 'ghostspan',
    'telemetry.distro.version': '0.1.0',
  },
})
const SERVICES = new Map(['nginx', 'web', 'worker'].map(name => [name, resource(name)]))

interface Step {
  readonly service: string
  readonly kind: FinishedSpan['kind']
  readonly protocol: string
  readonly name: string
  readonly parent: number
  readonly median: number
  readonly port: number
  readonly attributes: (random: () => number) => Record<string, string | number | boolean>
}

const http = (random: () => number, side: 'server' | 'client'): Record<string, string | number | boolean> => ({
  'http.request.method': 'POST',
  'http.response.status_code': random() < 0.02 ? 500 : 201,
  'url.path': `/orders/${Math.floor(random() * 5000)}`,
  [side === 'server' ? 'http.route' : 'url.template']: '/orders/{id}',
  'http.request.body.size': 60 + Math.floor(random() * 200),
  'http.response.body.size': 200 + Math.floor(random() * 2000),
  'user_agent.original': 'python-requests/2.28.1',
  'network.protocol.version': '1.1',
})
const sql = (text: string) => (): Record<string, string | number | boolean> => ({
  'db.system.name': 'mariadb',
  'db.namespace': 'shop',
  'db.operation.name': text.split(' ')[0]!,
  'db.query.text': text,
  'db.response.returned_rows': 1,
})
const STEPS: readonly Step[] = [
  {
    service: 'nginx',
    kind: 'server',
    protocol: 'http',
    name: 'POST /orders/{id}',
    parent: -1,
    median: 12e6,
    port: 80,
    attributes: random => http(random, 'server'),
  },
  {
    service: 'nginx',
    kind: 'client',
    protocol: 'http',
    name: 'POST /orders/{id}',
    parent: 0,
    median: 11e6,
    port: 8000,
    attributes: random => http(random, 'client'),
  },
  {
    service: 'web',
    kind: 'server',
    protocol: 'http',
    name: 'POST /orders/{id}',
    parent: 1,
    median: 10e6,
    port: 8000,
    attributes: random => http(random, 'server'),
  },
  {
    service: 'web',
    kind: 'client',
    protocol: 'mysql',
    name: 'SELECT shop.items',
    parent: 2,
    median: 6e5,
    port: 3306,
    attributes: sql('SELECT items.id, items.name, items.price FROM items WHERE items.id = ?'),
  },
  {
    service: 'web',
    kind: 'client',
    protocol: 'mysql',
    name: 'INSERT shop.orders',
    parent: 2,
    median: 9e5,
    port: 3306,
    attributes: sql('INSERT INTO orders (item, amount, customer) VALUES (?, ?, ?)'),
  },
  {
    service: 'web',
    kind: 'client',
    protocol: 'redis',
    name: 'GET',
    parent: 2,
    median: 2e5,
    port: 6379,
    attributes: () => ({ 'db.system.name': 'redis', 'db.operation.name': 'GET' }),
  },
  {
    service: 'web',
    kind: 'producer',
    protocol: 'amqp',
    name: 'send orders',
    parent: 2,
    median: 2e5,
    port: 5672,
    attributes: random => ({
      'messaging.system': 'rabbitmq',
      'messaging.destination.name': 'orders',
      'messaging.message.id': hex(random, 32),
    }),
  },
  {
    service: 'worker',
    kind: 'consumer',
    protocol: 'amqp',
    name: 'process orders',
    parent: 6,
    median: 5e6,
    port: 5672,
    attributes: random => ({
      'messaging.system': 'rabbitmq',
      'messaging.destination.name': 'orders',
      'messaging.message.id': hex(random, 32),
    }),
  },
]

const at = (nanos: bigint): WallTime => [Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n)]

/** Traces as the demo makes them: eight spans over three services, every value drawn anew. */
export function* syntheticTraces(options: {
  readonly count: number
  readonly seed?: number
  /** Start of the first, ns since 1970. */
  readonly startNs: bigint
  /** Between two starts, on average. */
  readonly gapNs?: number
}): Generator<FinishedTrace> {
  const random = createRandom(options.seed ?? 1)
  let start = options.startNs
  for (let i = 0; i < options.count; i++) {
    start += BigInt(Math.round(random() * 2 * (options.gapNs ?? 1e6)))
    yield syntheticTrace(random, start)
  }
}

function syntheticTrace(random: () => number, startNs: bigint): FinishedTrace {
  const traceId = hex(random, 32)
  const spans: FinishedSpan[] = []
  const ports = STEPS.map(() => 32768 + Math.floor(random() * 28000))
  for (const [i, step] of STEPS.entries()) {
    const parent = spans[step.parent]
    const durationNs = Math.max(1, Math.round(step.median * Math.exp((random() - 0.5) * 1.5)))
    const start = startNs + BigInt(i) * 150_000n + BigInt(Math.floor(random() * 100_000))
    const server = step.kind === 'server' || step.kind === 'consumer'
    const far = `127.0.0.1:${step.port}`
    const near = `127.0.0.1:${ports[server && step.parent >= 0 ? step.parent : i]}`
    const evidence = parent === undefined ? undefined : step.parent === 6 ? 'content' : server ? 'wire' : 'context'
    const failed = random() < 0.02
    // As the assembler derives them: a client's id is its wire key, its server's a bijection of that.
    const wireKey = evidence === 'wire' ? parent!.sample.wireKey : hex(random, 16)
    const spanId = server ? serverId(wireKey) : wireKey
    spans.push({
      traceId,
      spanId,
      parentSpanId: parent?.spanId,
      parentRemote: false,
      name: step.name,
      kind: step.kind,
      start: at(start),
      end: at(start + BigInt(durationNs)),
      durationNs,
      attributes: {
        ...step.attributes(random),
        'network.peer.address': '127.0.0.1',
        'network.peer.port': server ? Number(near.split(':')[1]) : step.port,
        'server.port': step.port,
        'process.pid': 1000 + step.port,
        'thread.id': 2000 + Math.floor(random() * 8),
        'ghostspan.response.observed': true,
        ...(evidence === undefined ? {} : { 'ghostspan.link.evidence': evidence, 'ghostspan.link.confidence': 1 }),
      },
      status: failed ? { code: 'error', message: 'status 500' } : { code: 'unset', message: '' },
      links: [],
      resource: SERVICES.get(step.service)!,
      link:
        evidence === undefined
          ? undefined
          : {
              evidence,
              confidence: evidence === 'content' ? 0.99 : 1,
              strengths: {
                wire: evidence === 'wire' ? 1 : 0,
                context: evidence === 'context' ? 1 : 0,
                content: evidence === 'content' ? 1 : 0,
                time: 0,
              },
              alternatives: [],
            },
      sample: {
        protocol: step.protocol,
        pid: 1000 + step.port,
        tid: 2000 + Math.floor(random() * 8),
        carrier: 0,
        responseNs: Math.floor(random() * 50_000),
        requestBytes: 100 + Math.floor(random() * 400),
        responseBytes: 100 + Math.floor(random() * 2000),
        local: server ? far : near,
        remote: server ? near : far,
        wireKey,
        requestPosition: Math.floor(random() * 1e6),
        ordinal: Math.floor(random() * 1000),
      },
    })
  }
  return { traceId, spans, late: false, incomplete: false }
}
