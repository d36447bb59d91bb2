import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { status } from '@grpc/grpc-js'
import type { OtlpProtocol, OtlpSinkOptions } from '../../src/export/otlp-options.js'
import { createOtlpSink, type OtlpSink } from '../../src/export/otlp-sink.js'
import { type Counters, createCounters } from '../../src/telemetry/counters.js'
import { baseSeconds, hexId, numberedTrace, service, span, trace } from './finished-traces.js'
import { type OtlpReceiver, type ReceiverOptions, startGrpcReceiver, startHttpReceiver } from './otlp-receiver.js'
import { waitFor } from './wait-for.js'

const protocols: readonly OtlpProtocol[] = ['grpc', 'http/protobuf', 'http/json']

const startReceiver = (protocol: OtlpProtocol, options?: ReceiverOptions): Promise<OtlpReceiver> =>
  protocol === 'grpc' ? startGrpcReceiver(options) : startHttpReceiver(options)

interface Bench {
  readonly sink: OtlpSink
  readonly counters: Counters
  readonly warnings: string[]
}

function openSink(t: TestContext, url: string, options: Partial<OtlpSinkOptions> = {}): Bench {
  const counters = createCounters()
  const warnings: string[] = []
  const warn = (message: string): void => void warnings.push(message)
  const sink = createOtlpSink({
    url,
    version: '9.9',
    counters,
    warn,
    backOffMillis: 5,
    flushMillis: 30_000,
    ...options,
  })
  t.after(() => sink.close())
  return { sink, counters, warnings }
}

async function receive(t: TestContext, protocol: OtlpProtocol, options?: ReceiverOptions): Promise<OtlpReceiver> {
  const receiver = await startReceiver(protocol, options)
  t.after(() => receiver.close())
  return receiver
}

for (const protocol of protocols) {
  test(`${protocol}: ids, parents, kinds, times, status, attributes and links arrive as they are`, async t => {
    const receiver = await receive(t, protocol)
    const { sink } = openSink(t, receiver.url, { protocol, headers: { 'X-Scope': 'tenant' } })
    const traceId = hexId(32, 0xabcdef)
    const root = span({
      traceId,
      spanId: hexId(16, 0xa1),
      micros: 12_400,
      parentSpanId: hexId(16, 7),
      parentRemote: true,
    })
    const failed = span({
      traceId,
      spanId: hexId(16, 0xa2),
      parentSpanId: root.spanId,
      kind: 'client',
      name: 'SELECT shop.items',
      at: 337_000.001,
      attributes: { 'db.system.name': 'mariadb', 'server.port': 3306, 'ghostspan.link.confidence': 0.97, ok: true },
      status: { code: 'error', message: '1146' },
      links: [{ traceId: hexId(32, 5), spanId: hexId(16, 6), attributes: { 'ghostspan.link.evidence': 'time' } }],
    })
    sink.accept(
      trace([root, failed, ...(['producer', 'consumer', 'internal'] as const).map(kind => span({ traceId, kind }))]),
    )
    await sink.flush()

    const spans = receiver.spans()
    assert.deepEqual(
      spans.map(s => s.kind),
      [2, 3, 4, 5, 1],
    )
    const [first, second] = spans
    assert.equal(first!.traceId, traceId)
    assert.equal(first!.parentSpanId, hexId(16, 7))
    assert.equal(first!.flags, 0x301)
    assert.equal(first!.startTimeUnixNano, `${baseSeconds}337000000`)
    assert.equal(first!.endTimeUnixNano, `${baseSeconds}349400000`)
    assert.deepEqual(second!.status, { code: 2, message: '1146' })
    assert.equal(second!.flags, 0x101)
    assert.equal(second!.startTimeUnixNano, `${baseSeconds}337000001`)
    assert.deepEqual(second!.attributes, failed.attributes)
    assert.deepEqual(second!.links, failed.links)
    assert.equal(spans[2]!.parentSpanId, '')
    assert.equal(receiver.headers[0]!['x-scope'], 'tenant')
    assert.match(receiver.headers[0]!['user-agent']!, /^ghostspan\/9\.9 /)
  })

  test(`${protocol}: one resource group per service, one scope in it`, async t => {
    const receiver = await receive(t, protocol)
    const { sink } = openSink(t, receiver.url, { protocol })
    const [nginx, shop] = [service('nginx'), service('shop')]
    sink.accept(trace([nginx, shop, nginx].map(resource => span({ resource }))))
    sink.accept(trace([shop, nginx].map(resource => span({ resource }))))
    await sink.flush()

    assert.equal(receiver.requests.length, 1)
    const groups = receiver.requests[0]!.resourceSpans.map(group => [
      group.resource['service.name'],
      group.scopes.map(scope => [scope.name, scope.version, scope.spans.length]),
    ])
    assert.deepEqual(groups, [
      ['nginx', [['ghostspan', '9.9', 3]]],
      ['shop', [['ghostspan', '9.9', 2]]],
    ])
  })

  test(`${protocol}: a receiver that is not ready gets every span once when it is`, async t => {
    const code = protocol === 'grpc' ? status.UNAVAILABLE : 503
    const receiver = await receive(t, protocol, { answer: n => (n < 3 ? { kind: 'fail', code } : { kind: 'take' }) })
    const { sink, counters, warnings } = openSink(t, receiver.url, { protocol, batchSpans: 10 })
    for (let i = 1; i <= 4; i++) sink.accept(numberedTrace(i, 4))
    await sink.flush()

    assert.equal(receiver.spans().length, 20)
    assert.equal(new Set(receiver.spans().map(s => s.spanId)).size, 20)
    assert.equal(counters.snapshot('export.otlp')['export.otlp.spans'], 20)
    if (protocol === 'grpc') assert.equal(counters.snapshot('export.otlp')['export.otlp.retries'], 3)
    assert.deepEqual(counters.snapshot('export.otlp.dropped'), {})
    if (protocol === 'grpc') assert.match(warnings[0]!, /fails, spans wait: UNAVAILABLE/)
  })

  test(`${protocol}: what a receiver rejects of a request is counted and told, not sent again`, async t => {
    const receiver = await receive(t, protocol, { answer: () => ({ kind: 'take', rejected: 2, message: 'too old' }) })
    const { sink, counters, warnings } = openSink(t, receiver.url, { protocol })
    sink.accept(numberedTrace(1, 4))
    await sink.flush()

    assert.equal(receiver.requests.length, 1)
    assert.equal(counters.snapshot()['export.otlp.dropped.rejected'], 2)
    assert.match(warnings.join(), /2 \(rejected by the receiver: too old\)/)
  })

  test(`${protocol}: a request that is too large is sent in halves`, async t => {
    const tooLarge =
      protocol === 'grpc'
        ? { code: status.RESOURCE_EXHAUSTED, details: 'grpc: received message larger than max (5000000 vs. 4194304)' }
        : { code: 413 }
    const receiver = await receive(t, protocol, {
      answer: (_, { resourceSpans }) =>
        resourceSpans[0]!.scopes[0]!.spans.length > 3 ? { kind: 'fail', ...tooLarge } : { kind: 'take' },
    })
    const { sink, counters } = openSink(t, receiver.url, { protocol, requestsInFlight: 1 })
    sink.accept(numberedTrace(1, 10))
    await sink.flush()

    const ids = receiver.spans().map(s => s.spanId)
    assert.deepEqual(
      ids,
      numberedTrace(1, 10).spans.map(s => s.spanId),
    )
    assert.equal(counters.snapshot()['export.otlp.splits'], 3)
    assert.deepEqual(counters.snapshot('export.otlp.dropped'), {})
  })

  test(`${protocol}: compressed requests arrive`, async t => {
    const receiver = await receive(t, protocol)
    const { sink } = openSink(t, receiver.url, { protocol, compression: 'gzip' })
    sink.accept(numberedTrace(1, 9))
    await sink.flush()
    assert.equal(receiver.spans().length, 10)
    // The gRPC server takes the header away before the handler sees it.
    if (protocol !== 'grpc') assert.equal(receiver.headers[0]!['content-encoding'], 'gzip')
  })

  test(`${protocol}: what a receiver refuses for good is dropped and counted`, async t => {
    const code = protocol === 'grpc' ? status.INVALID_ARGUMENT : 400
    const receiver = await receive(t, protocol, { answer: n => (n === 0 ? { kind: 'fail', code } : { kind: 'take' }) })
    const { sink, counters } = openSink(t, receiver.url, { protocol })
    sink.accept(numberedTrace(1, 4))
    await sink.flush()
    sink.accept(numberedTrace(2, 1))
    await sink.flush()

    assert.equal(counters.snapshot()['export.otlp.dropped.refused'], 5)
    assert.deepEqual(
      receiver.spans().map(s => s.traceId),
      [hexId(32, 2), hexId(32, 2)],
    )
    assert.equal(sink.status().healthy, true)
  })
}

test('a dead receiver: the queue holds its limit, the oldest whole traces go, all are counted, told once', async t => {
  const receiver = await startGrpcReceiver()
  await receiver.close()
  const { sink, counters, warnings } = openSink(t, receiver.url, { queueSpans: 100, batchSpans: 20, flushMillis: 50 })
  for (let i = 1; i <= 1_000; i++) sink.accept(numberedTrace(i, 4))
  await waitFor('a failed request', () => !sink.status().healthy)
  const { queuedSpans, sendingSpans, lastFailure } = sink.status()
  assert.ok(queuedSpans <= 100 && queuedSpans > 95, `${queuedSpans} spans wait`)
  assert.ok(sendingSpans <= 40, `${sendingSpans} spans in requests`)
  assert.match(lastFailure!, /UNAVAILABLE/)
  const full = counters.snapshot('export.otlp')['export.otlp.dropped.queue_full']!
  assert.equal(full + queuedSpans + sendingSpans, 5_000)
  assert.equal(full, 5 * counters.snapshot('export.otlp')['export.otlp.dropped_traces.queue_full']!)

  await sink.close()
  assert.equal(counters.snapshot('export.otlp')['export.otlp.dropped.deadline'], queuedSpans + sendingSpans)
  assert.equal(counters.snapshot('export.otlp')['export.otlp.spans'], undefined)
  assert.equal(warnings.filter(w => w.includes('the queue was full')).length, 2, 'the first loss, then the sum')
  sink.accept(numberedTrace(1, 0))
  assert.equal(counters.snapshot('export.otlp')['export.otlp.dropped.closed'], 1)
})

test('a receiver that comes back gets what was kept, the newest of all', async t => {
  const first = await startGrpcReceiver()
  const { sink, counters } = openSink(t, first.url, { queueSpans: 50, batchSpans: 10, lingerMillis: 5 })
  sink.accept(numberedTrace(1, 4))
  await sink.flush()
  assert.equal(first.spans().length, 5)
  await first.close()

  for (let i = 2; i <= 100; i++) sink.accept(numberedTrace(i, 4))
  await waitFor('a failed request', () => !sink.status().healthy)
  const second = await startGrpcReceiver({ port: first.port })
  t.after(() => second.close())
  await waitFor('the receiver is found again', () => sink.status().healthy && sink.status().queuedSpans === 0)
  await sink.flush()

  const got = second.spans()
  assert.equal(new Set(got.map(s => s.spanId)).size, got.length, 'none twice')
  assert.ok(got.some(s => s.traceId === hexId(32, 100)))
  assert.equal(got.length + counters.snapshot()['export.otlp.dropped.queue_full']!, 99 * 5)
})

test('a slow receiver: two requests under way at most, everything arrives', async t => {
  let underWay = 0
  let most = 0
  const receiver = await receive(t, 'grpc', {
    answer: async () => {
      most = Math.max(most, ++underWay)
      await new Promise(resolve => setTimeout(resolve, 20))
      underWay--
      return { kind: 'take' }
    },
  })
  const { sink } = openSink(t, receiver.url, { batchSpans: 10 })
  for (let i = 1; i <= 50; i++) sink.accept(numberedTrace(i, 4))
  await sink.flush()
  assert.equal(receiver.spans().length, 250)
  assert.equal(most, 2)
})

test('a receiver that never answers: the attempt ends after its timeout and is made again', async t => {
  const receiver = await receive(t, 'grpc', {
    answer: n => (n === 0 ? new Promise(() => {}) : { kind: 'take' }),
  })
  const { sink, counters } = openSink(t, receiver.url, { timeoutMillis: 100 })
  sink.accept(numberedTrace(1, 4))
  await sink.flush()
  assert.equal(receiver.spans().length, 5)
  assert.equal(counters.snapshot()['export.otlp.retries'], 1)
})

test('grpc: RESOURCE_EXHAUSTED is retried when the receiver says when, refused when it does not', async t => {
  const receiver = await receive(t, 'grpc', {
    answer: n => {
      if (n === 0) return { kind: 'fail', code: status.RESOURCE_EXHAUSTED, retryAfterSeconds: 0.05 }
      return n === 1 ? { kind: 'take' } : { kind: 'fail', code: status.RESOURCE_EXHAUSTED }
    },
  })
  const { sink, counters } = openSink(t, receiver.url)
  sink.accept(numberedTrace(1, 4))
  await sink.flush()
  assert.equal(receiver.spans().length, 5)
  sink.accept(numberedTrace(2, 4))
  await sink.flush()
  assert.equal(counters.snapshot()['export.otlp.dropped.refused'], 5)
})

test('a batch leaves after the linger, without anybody asking', async t => {
  const receiver = await receive(t, 'grpc')
  const { sink } = openSink(t, receiver.url, { lingerMillis: 10 })
  sink.accept(numberedTrace(1, 4))
  await waitFor('the spans', () => receiver.spans().length === 5)
})

test('a request that fails for too long is given up and counted', async t => {
  const receiver = await receive(t, 'grpc', { answer: () => ({ kind: 'fail', code: status.UNAVAILABLE }) })
  const { sink, counters } = openSink(t, receiver.url, { retryMillis: 50, longestBackOffMillis: 10 })
  sink.accept(numberedTrace(1, 4))
  await sink.flush()
  assert.equal(counters.snapshot()['export.otlp.dropped.retry_time'], 5)
})

test('traces with zero ids stay here, an end that is not after its start becomes 1 ns after it', async t => {
  const receiver = await receive(t, 'grpc')
  const { sink, counters } = openSink(t, receiver.url)
  sink.accept(trace([span({ traceId: hexId(32, 0) })]))
  sink.accept(trace([span(), span({ spanId: hexId(16, 0) })]))
  sink.accept(trace([span({ parentSpanId: hexId(16, 0) })]))
  sink.accept(trace([span({ traceId: 'abc' })]))
  sink.accept(trace([span({ spanId: hexId(16, 0xbb), micros: -5 }), span({ spanId: hexId(16, 0xcc), micros: 0 })]))
  await sink.flush()

  assert.deepEqual(
    receiver.spans().map(s => s.spanId),
    [hexId(16, 0xbb), hexId(16, 0xcc)],
  )
  for (const { startTimeUnixNano, endTimeUnixNano } of receiver.spans()) {
    assert.equal(BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano), 1n)
  }
  assert.equal(counters.snapshot()['export.otlp.dropped.zero_id'], 5)
  assert.equal(counters.snapshot()['export.otlp.clamped.end_before_start'], 1)
})

test('attribute limits: long text is cut, attributes too many are left out and their number is told', async t => {
  const receiver = await receive(t, 'http/json')
  const { sink } = openSink(t, receiver.url, { protocol: 'http/json', attributeLimits: { valueLength: 4, count: 2 } })
  sink.accept(trace([span({ attributes: { a: 'abcdef', b: 1_234_567, c: 'x', d: true } })]))
  await sink.flush()
  const [received] = receiver.spans()
  assert.deepEqual(received!.attributes, { a: 'abcd', b: 1_234_567 })
  assert.equal(received!.droppedAttributesCount, 2)
})

test('grpc: a host and port without a scheme, insecure; a timeout of 0 is none', async t => {
  const receiver = await receive(t, 'grpc')
  const { sink } = openSink(t, `127.0.0.1:${receiver.port}`, { insecure: true, timeoutMillis: 0 })
  sink.accept(numberedTrace(1, 1))
  await sink.flush()
  assert.equal(receiver.spans().length, 2)
})
