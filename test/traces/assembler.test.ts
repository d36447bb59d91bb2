import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCaptureClock } from '../../src/capture/capture-clock.js'
import { createContentEvidence } from '../../src/correlate/content-evidence.js'
import { createContextCounts } from '../../src/correlate/context-counts.js'
import { createContextEvidence } from '../../src/correlate/context-evidence.js'
import type { EvidenceSource } from '../../src/correlate/link.js'
import { createSolver } from '../../src/correlate/solver.js'
import { createWireEvidence } from '../../src/correlate/wire-evidence.js'
import type { Activity } from '../../src/samples/activity.js'
import { createMessageBacklog } from '../../src/samples/message-backlog.js'
import type { Sample } from '../../src/samples/sample.js'
import { createServiceNames } from '../../src/samples/service-names.js'
import { createCounters } from '../../src/telemetry/counters.js'
import { type Assembler, type AssemblerOptions, createAssembler } from '../../src/traces/assembler.js'
import { createResourceTable } from '../../src/traces/resources.js'
import type { FinishedTrace } from '../../src/traces/span.js'
import { createTraceBuilder } from '../../src/traces/trace-builder.js'
import { ORIGIN } from '../support/capture-builder.js'
import { madeUpConnection, madeUpExchange, madeUpSample } from '../support/made-up-samples.js'

const SECOND = 1e9

interface Bench {
  readonly assembler: Assembler
  readonly traces: FinishedTrace[]
  readonly counters: ReturnType<typeof createCounters>
  begin(sample: Sample): Sample
  complete(sample: Sample, endNs?: number): void
  /** Begins and completes at once. */
  whole(sample: Sample): Sample
}

function bench(overrides: Partial<AssemblerOptions> = {}): Bench {
  const traces: FinishedTrace[] = []
  const counters = createCounters()
  const sources: EvidenceSource[] = [
    createWireEvidence(),
    createContextEvidence(createMessageBacklog(), createContextCounts()),
    createContentEvidence(),
  ]
  const assembler = createAssembler({
    solver: createSolver(sources),
    builder: createTraceBuilder({
      clock: createCaptureClock(ORIGIN),
      services: createServiceNames(),
      resources: createResourceTable({ host: 'h', version: '1' }),
    }),
    counters,
    emit: trace => traces.push(trace),
    redundant: () => false,
    forget: sample => {
      for (const source of sources) source.forget?.(sample)
    },
    mayBindLater: () => false,
    quietNs: 2 * SECOND,
    longestNs: 60 * SECOND,
    confidenceFloor: 0.5,
    openLimit: 1_000,
    ...overrides,
  })
  const begin = (sample: Sample): Sample => {
    assembler.advance(sample.startNs)
    for (const source of sources) source.begin?.(sample)
    assembler.begin(sample)
    return sample
  }
  const complete = (sample: Sample, endNs = sample.endNs): void => {
    sample.endNs = endNs
    sample.complete = true
    assembler.advance(endNs)
    for (const source of sources) source.complete?.(sample)
    assembler.complete(sample)
  }
  const whole = (sample: Sample): Sample => {
    begin(sample)
    complete(sample)
    return sample
  }
  return { assembler, traces, counters, begin, complete, whole }
}

const activityOf = (owner: Sample | undefined, trust = 1): Activity => ({
  owner,
  parent: undefined,
  boundBy: 'read',
  trust,
  sinceNs: 0,
})

const connected = (role: 'client' | 'server') => madeUpConnection({ role })

const client = (owner: Sample | undefined, overrides: Partial<Sample> = {}, trust = 1): Sample =>
  madeUpSample({ side: 'client', kind: 'client', activity: activityOf(owner, trust), ...overrides })

test('A request and its call leave as one trace once nothing has happened for two seconds', () => {
  const { assembler, traces, begin, complete, whole } = bench()
  const request = begin(madeUpSample({ startNs: 100 }))
  whole(client(request, { startNs: 200 }))
  complete(request, 1_000)
  assembler.advance(1.9 * SECOND)
  assert.equal(traces.length, 0)
  assembler.advance(2.5 * SECOND)
  assert.equal(traces.length, 1)
  assert.deepEqual(
    traces[0]?.spans.map(span => [span.kind, span.link?.evidence, span.parentSpanId === traces[0]?.spans[0]?.spanId]),
    [
      ['server', undefined, false],
      ['client', 'context', true],
    ],
  )
  assert.equal(assembler.openSamples, 0)
  assert.equal(assembler.openTraces, 0)
})

test('A trace waits for an operation that has not ended', () => {
  const { assembler, traces, begin, complete, whole } = bench()
  const request = begin(madeUpSample())
  const slow = begin(client(request, { startNs: 10 }))
  complete(request, 20)
  assembler.advance(30 * SECOND)
  assert.equal(traces.length, 0)
  complete(slow, 31 * SECOND)
  assembler.advance(34 * SECOND)
  assert.equal(traces[0]?.spans.length, 2)
  assert.equal(traces[0]?.incomplete, false)
  whole(madeUpSample({ startNs: 35 * SECOND }))
})

test('A trace that is too old leaves as it is and says so', () => {
  const { assembler, traces, begin, counters } = bench()
  const request = begin(madeUpSample())
  begin(client(request, { startNs: 10 }))
  assembler.advance(61 * SECOND)
  assert.equal(traces[0]?.incomplete, true)
  assert.equal(traces[0]?.spans.length, 2)
  assert.equal(counters.snapshot()['traces.forced.too_old'], 1)
})

test('What turns out to be caused by an exported span joins its trace, late, under the same ids', () => {
  const { assembler, traces, whole } = bench()
  const request = whole(madeUpSample())
  assembler.advance(5 * SECOND)
  whole(client(request, { startNs: 6 * SECOND }))
  assembler.advance(9 * SECOND)
  assert.equal(traces.length, 2)
  assert.equal(traces[1]?.late, true)
  assert.equal(traces[1]?.traceId, traces[0]?.traceId)
  assert.equal(traces[1]?.spans[0]?.parentSpanId, traces[0]?.spans[0]?.spanId)
})

test('A doubtful parent becomes a link of a trace of its own, never a parent', () => {
  const { assembler, traces, whole } = bench()
  const request = whole(madeUpSample())
  whole(client(request, { startNs: 5 }, 0.3))
  assembler.advance(5 * SECOND)
  assert.equal(traces.length, 2)
  const [owner, doubtful] = traces
  assert.equal(doubtful?.spans[0]?.parentSpanId, undefined)
  assert.equal(doubtful?.spans[0]?.links[0]?.spanId, owner?.spans[0]?.spanId)
  assert.equal(doubtful?.spans[0]?.links[0]?.traceId, owner?.traceId)
  assert.equal(doubtful?.spans[0]?.links[0]?.attributes['ghostspan.link.confidence'], 0.3)
})

test("A server's span lies within the client's, although sends are timed after they were done", () => {
  const { assembler, traces, begin, complete } = bench()
  const wire = { wireHigh: 1, wireLow: 2 }
  const server = begin(madeUpSample({ ...wire, startNs: 100 }))
  const caller = begin(client(undefined, { ...wire, startNs: 105 }))
  complete(server, 210)
  complete(caller, 205)
  assembler.advance(5 * SECOND)
  const [outer, inner] = traces[0]?.spans ?? []
  assert.equal(inner?.link?.evidence, 'wire')
  assert.equal(inner?.link?.confidence, 1)
  assert.deepEqual(inner?.start, outer?.start)
  assert.deepEqual(inner?.end, outer?.end)
})

test('Both ends of one operation have different ids that are never zero', () => {
  const { assembler, traces, begin, complete } = bench()
  const wire = { wireHigh: 0x5bd1e995, wireLow: 0x1b873593 }
  const caller = begin(client(undefined, { ...wire, startNs: 1 }))
  const server = begin(madeUpSample({ ...wire, startNs: 2 }))
  complete(server, 3)
  complete(caller, 4)
  assembler.advance(5 * SECOND)
  for (const span of traces[0]?.spans ?? []) assert.match(span.spanId, /^(?!0{16})[0-9a-f]{16}$/)
})

test('A consumed message is the child of the message that was sent', () => {
  const { assembler, traces, whole } = bench()
  const key = { type: 'amqp-message', value: 'orders/1', scope: 'one' } as const
  const exchange = (initiator: 'client' | 'server') =>
    madeUpExchange({ shape: 'message', initiator, contentKeys: [key] })
  const [atProducer, atBroker, atConsumer] = [connected('client'), connected('server'), connected('client')]
  whole(
    madeUpSample({
      side: 'client',
      kind: 'producer',
      connection: atProducer,
      exchange: exchange('client'),
      startNs: 10,
    }),
  )
  // The broker hands it on under the same key, which makes it neither cause nor effect.
  whole(
    madeUpSample({
      side: 'client',
      kind: 'producer',
      connection: atBroker,
      exchange: exchange('server'),
      startNs: 30,
      wireLow: 9,
    }),
  )
  whole(madeUpSample({ kind: 'consumer', connection: atConsumer, exchange: exchange('server'), startNs: 50 }))
  assembler.advance(5 * SECOND)
  assert.deepEqual(
    traces
      .find(trace => trace.spans.length === 2)
      ?.spans.map(span => [span.kind, span.link?.evidence, span.link?.confidence]),
    [
      ['producer', undefined, undefined],
      ['consumer', 'content', 0.999],
    ],
  )
})

test('Equal messages go to their consumers in the order in which they were sent', () => {
  const { assembler, traces, whole } = bench()
  const key = { type: 'amqp-message', value: 'same', scope: 'one' } as const
  const exchange = (initiator: 'client' | 'server') =>
    madeUpExchange({ shape: 'message', initiator, contentKeys: [key] })
  const sent = [1, 2, 3].map(at =>
    whole(
      madeUpSample({
        side: 'client',
        kind: 'producer',
        connection: connected('client'),
        exchange: exchange('client'),
        startNs: at,
        wireLow: at,
      }),
    ),
  )
  const consumed = [11, 12, 13].map(at =>
    whole(
      madeUpSample({
        kind: 'consumer',
        connection: connected('client'),
        exchange: exchange('server'),
        startNs: at,
        wireLow: at,
      }),
    ),
  )
  assembler.advance(5 * SECOND)
  assert.equal(traces.length, 3)
  for (const [i, each] of consumed.entries()) assert.equal(each.traceId, sent[i]?.traceId)
})

test("An instrumented caller's traceparent is joined: its ids, a remote parent, our topmost span", () => {
  const { assembler, traces, whole } = bench()
  const value = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  whole(madeUpSample({ exchange: madeUpExchange({ contentKeys: [{ type: 'traceparent', value, scope: 'one' }] }) }))
  assembler.advance(5 * SECOND)
  const span = traces[0]?.spans[0]
  assert.equal(span?.traceId, '4bf92f3577b34da6a3ce929d0e0e4736')
  assert.equal(span?.parentSpanId, '00f067aa0ba902b7')
  assert.equal(span?.parentRemote, true)
})

test('Samples that would close a circle are refused and counted', () => {
  const { assembler, traces, begin, complete, counters } = bench()
  const a = begin(client(undefined, { startNs: 1 }))
  const b = begin(client(a, { startNs: 1 }))
  a.activity = activityOf(b)
  complete(a, 2)
  complete(b, 3)
  assembler.advance(5 * SECOND)
  assert.equal(counters.snapshot()['correlate.refused.circle'], 1)
  assert.equal(traces.flatMap(trace => trace.spans).length, 2)
})

test('More open operations than the limit let the oldest traces go', () => {
  const { assembler, traces, begin, counters } = bench({ openLimit: 100 })
  for (let i = 0; i < 1_000; i++) begin(madeUpSample({ startNs: i, wireLow: i + 1 }))
  assembler.advance(2_000)
  assert.ok(assembler.openSamples <= 100)
  assert.equal(traces.length, 1_000 - assembler.openSamples)
  assert.ok((counters.snapshot()['traces.forced.open_limit'] ?? 0) >= 900)
})

test('At the end of the capture everything leaves, once', () => {
  const { assembler, traces, begin, whole } = bench()
  const request = whole(madeUpSample())
  whole(client(request, { startNs: 2 }))
  begin(madeUpSample({ startNs: 3, wireLow: 77 }))
  assembler.finish()
  assembler.finish()
  assert.equal(traces.flatMap(trace => trace.spans).length, 3)
  assert.equal(assembler.openSamples, 0)
})
