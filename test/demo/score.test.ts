import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scoreTraces } from '../../src/demo/score.js'
import type { FinishedSpan } from '../../src/traces/span.js'
import { perfectTraces, truthOf, withSpan } from './truth-traces.js'

/** nginx client, web server, query, producer, consumer, worker's call, stock server, its query. */
const LINKS_A_REQUEST = 8

const isQueryOf = (service: string) => (span: FinishedSpan) =>
  span.resource.service === service && span.sample.remote.endsWith(':3306')

test('traces that are as the services noted score 1', () => {
  const truth = truthOf(5)
  const score = scoreTraces(perfectTraces(truth), truth)
  assert.deepEqual(score.links, { expected: 5 * LINKS_A_REQUEST, right: 5 * LINKS_A_REQUEST, wrong: 0, missing: 0 })
  assert.equal(score.precision, 1)
  assert.equal(score.recall, 1)
  assert.deepEqual([score.requests, score.traces, score.oneRoot, score.merged], [5, 5, 5, 0])
  assert.deepEqual([score.unseen, score.duplicates, score.unknownSpans], [0, 0, 0])
})

test('the expected links run from nginx to the query of the service behind the queue', () => {
  const truth = truthOf(1)
  const chain: string[] = []
  let operation = truth.operations.find(each => each.label === 'stock client mysql')
  for (; operation !== undefined; operation = operation.parent) chain.push(operation.label)
  assert.deepEqual(chain, [
    'stock client mysql',
    'stock server http',
    'worker client http',
    'worker consumer amqp',
    'web producer amqp',
    'web server http',
    'nginx client http',
    'nginx server http',
  ])
})

test('a call put under another operation of its own request is wrong', () => {
  const truth = truthOf(3)
  const traces = perfectTraces(truth)
  const root = traces[0]!.spans.find(span => span.parentSpanId === undefined)!
  const score = scoreTraces(
    withSpan(traces, isQueryOf('web'), span => ({ ...span, parentSpanId: root.spanId })),
    truth,
  )
  assert.deepEqual([score.links.right, score.links.wrong, score.links.missing], [3 * LINKS_A_REQUEST - 1, 1, 0])
  assert.equal(score.byLabel['web client mysql']?.wrong, 1)
  assert.ok(score.precision < 1 && score.recall < 1)
})

test('two requests whose calls are exchanged make two wrong links and two merged traces', () => {
  const truth = truthOf(2)
  const [first, second] = perfectTraces(truth)
  const take = (spans: readonly FinishedSpan[]) => spans.find(isQueryOf('web'))!
  const [a, b] = [take(first!.spans), take(second!.spans)]
  const exchanged = [
    { ...first!, spans: first!.spans.map(span => (span === a ? { ...b, parentSpanId: a.parentSpanId } : span)) },
    { ...second!, spans: second!.spans.map(span => (span === b ? { ...a, parentSpanId: b.parentSpanId } : span)) },
  ]
  const score = scoreTraces(exchanged, truth)
  assert.equal(score.links.wrong, 2)
  assert.equal(score.merged, 2)
})

test('a span without a parent is a missing link, a second root and no wrong link', () => {
  const truth = truthOf(2)
  const orphaned = withSpan(perfectTraces(truth), isQueryOf('stock'), span => ({ ...span, parentSpanId: undefined }))
  const score = scoreTraces(orphaned, truth)
  assert.deepEqual([score.links.wrong, score.links.missing], [0, 1])
  assert.equal(score.oneRoot, 1)
  assert.equal(score.precision, 1)
})

test('an operation without a span is a missing link and unseen', () => {
  const truth = truthOf(2)
  const score = scoreTraces(
    withSpan(perfectTraces(truth), isQueryOf('stock'), () => undefined),
    truth,
  )
  assert.deepEqual([score.links.missing, score.unseen], [1, 1])
  assert.ok(score.recall < 1)
})

test('a parent that is in no trace is wrong, and its trace has not one root', () => {
  const truth = truthOf(2)
  const dangling = withSpan(perfectTraces(truth), isQueryOf('web'), span => ({ ...span, parentSpanId: 'f'.repeat(16) }))
  const score = scoreTraces(dangling, truth)
  assert.deepEqual([score.links.wrong, score.oneRoot], [1, 1])
})

test('the request that came from outside must have no parent', () => {
  const truth = truthOf(2)
  const traces = perfectTraces(truth)
  const other = traces[0]!.spans.find(isQueryOf('web'))!
  const isRoot = (span: FinishedSpan) => span.parentSpanId === undefined
  const score = scoreTraces(
    withSpan(traces, isRoot, span => ({ ...span, parentSpanId: other.spanId })),
    truth,
  )
  assert.equal(score.links.wrong, 1)
})

test('an operation shown twice is counted, and wrong', () => {
  const truth = truthOf(1)
  const [trace] = perfectTraces(truth)
  const query = trace!.spans.find(isQueryOf('web'))!
  const score = scoreTraces([{ ...trace!, spans: [...trace!.spans, { ...query, spanId: 'e'.repeat(16) }] }], truth)
  assert.deepEqual([score.duplicates, score.links.wrong], [1, 1])
})

test('spans of what nobody noted are neither right nor wrong', () => {
  const truth = truthOf(1)
  const [trace] = perfectTraces(truth)
  const query = trace!.spans.find(isQueryOf('web'))!
  const login = { ...query, spanId: 'd'.repeat(16), sample: { ...query.sample, requestPosition: 7 } }
  const score = scoreTraces([{ ...trace!, spans: [...trace!.spans, login] }], truth)
  assert.deepEqual([score.unknownSpans, score.links.wrong, score.links.missing], [1, 0, 0])
})

test('what came late is scored with the trace that it belongs to', () => {
  const truth = truthOf(1)
  const [trace] = perfectTraces(truth)
  const early = { ...trace!, spans: trace!.spans.slice(0, 5) }
  const late = { ...trace!, spans: trace!.spans.slice(5), late: true }
  const score = scoreTraces([early, late], truth)
  assert.deepEqual([score.precision, score.recall, score.traces, score.oneRoot], [1, 1, 1, 1])
})

test('no traces at all score 0', () => {
  const truth = truthOf(2)
  const score = scoreTraces([], truth)
  assert.deepEqual([score.precision, score.recall, score.links.missing], [0, 0, 2 * LINKS_A_REQUEST])
})
