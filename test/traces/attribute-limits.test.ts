import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCounters } from '../../src/telemetry/counters.js'
import { createLimitedSinks } from '../../src/traces/attribute-limits.js'
import type { FinishedSpan, FinishedTrace, TraceSink } from '../../src/traces/span.js'

function collector(): TraceSink & { readonly traces: FinishedTrace[] } {
  const traces: FinishedTrace[] = []
  return { traces, accept: trace => void traces.push(trace), flush: async () => {}, close: async () => {} }
}

const traceOf = (...attributes: Record<string, string | number | boolean>[]): FinishedTrace => ({
  traceId: '1'.repeat(32),
  late: false,
  incomplete: false,
  spans: attributes.map((one, index) => ({ spanId: String(index), attributes: one }) as unknown as FinishedSpan),
})

test('a trace within the limits is handed on as it is, to every sink, also one that came later', () => {
  const sinks = [collector()]
  const limited = createLimitedSinks(sinks, { valueLength: 5, count: 3 }, createCounters())
  sinks.push(collector())
  const trace = traceOf({ a: 'short', b: 1, c: true })
  limited.accept(trace)
  assert.deepEqual(
    sinks.map(sink => sink.traces[0] === trace),
    [true, true],
  )
})

test('texts that are too long are cut and attributes that are too many left out, counted', () => {
  const counters = createCounters()
  const sink = collector()
  const trace = traceOf({ a: 'too long', b: 123456789, c: 1, d: 2 }, { a: 'fine' })
  createLimitedSinks([sink], { valueLength: 5, count: 3 }, counters).accept(trace)
  assert.deepEqual(
    sink.traces[0]!.spans.map(span => span.attributes),
    [{ a: 'too l', b: 123456789, c: 1 }, { a: 'fine' }],
  )
  assert.equal(sink.traces[0]!.spans[1], trace.spans[1], 'a span within the limits is not copied')
  assert.equal(trace.spans[0]!.attributes['a'], 'too long', 'what came in stays as it is')
  assert.deepEqual(counters.snapshot('traces.attributes'), {
    'traces.attributes.cut': 1,
    'traces.attributes.left_out': 1,
  })
})

test('a cut never leaves half a character', () => {
  const sink = collector()
  createLimitedSinks([sink], { valueLength: 3, count: 9 }, createCounters()).accept(traceOf({ a: 'ab😀cd' }))
  assert.equal(sink.traces[0]!.spans[0]!.attributes['a'], 'ab')
})
