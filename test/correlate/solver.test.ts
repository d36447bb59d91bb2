import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Evidence, EvidenceKind, EvidenceSource } from '../../src/correlate/link.js'
import { createSolver } from '../../src/correlate/solver.js'
import type { ContentKey } from '../../src/protocols/protocol.js'
import type { Sample } from '../../src/samples/sample.js'
import { madeUpExchange, madeUpSample, observedProcess } from '../support/made-up-samples.js'

const process = observedProcess(3)
const request = (keys: ContentKey[] = [], startNs = 0): Sample =>
  madeUpSample({ process, startNs, exchange: madeUpExchange({ contentKeys: keys }) })
const call = (keys: ContentKey[] = [], startNs = 1_000): Sample =>
  madeUpSample({
    process,
    side: 'client',
    kind: 'client',
    startNs,
    complete: true,
    exchange: madeUpExchange({ contentKeys: keys }),
  })
const id = (value: string): ContentKey => ({ type: 'x-request-id', value, scope: 'group' })

/** Says of every call what it is told to. */
function source(kind: EvidenceKind, said: () => readonly (readonly [Sample, number])[]): EvidenceSource {
  return {
    kind,
    candidates: (_, out: Evidence[]) => {
      for (const [parent, strength] of said()) out.push({ kind, parent, strength })
    },
  }
}
const solverOf = (said: Partial<Record<EvidenceKind, readonly (readonly [Sample, number])[]>>) =>
  createSolver((Object.keys(said) as EvidenceKind[]).map(kind => source(kind, () => said[kind]!)))

test('One parent of which nothing speaks against is as sure as its evidence', () => {
  const parent = request()
  assert.equal(solverOf({ context: [[parent, 0.7]] }).solve(call())?.confidence, 0.7)
  assert.equal(solverOf({ context: [[parent, 1]] }).solve(call())?.confidence, 1)
  assert.equal(solverOf({ context: [[parent, 0]] }).solve(call()), undefined)
  assert.equal(solverOf({ context: [] }).solve(call()), undefined)
})

test('A distribution over candidates stays as it is', () => {
  const [a, b] = [request(), request()]
  const link = solverOf({
    time: [
      [a, 0.6],
      [b, 0.3],
    ],
  }).solve(call())
  assert.equal(link?.parent, a)
  assert.equal(link?.confidence, 0.6)
  assert.deepEqual(
    link?.alternatives.map(({ parent, confidence }) => [parent, confidence]),
    [[b, 0.3]],
  )
})

test('Two kinds that say the same make it surer, two that contradict each other leave it in doubt', () => {
  const [a, b] = [request(), request()]
  const agree = solverOf({ context: [[a, 0.8]], time: [[a, 0.8]] }).solve(call())
  assert.ok(agree!.confidence > 0.9)
  const contradict = solverOf({ context: [[a, 0.8]], time: [[b, 0.7]] }).solve(call())
  assert.equal(contradict?.parent, a)
  assert.ok(contradict!.confidence < 0.8)
  assert.equal(contradict?.alternatives[0]?.parent, b)
  const certain = solverOf({ context: [[a, 1]], content: [[b, 0.999]] }).solve(call())
  assert.ok(certain!.confidence < 0.95, `${certain?.confidence}`)
})

test('No effect before its cause: such a candidate is none', () => {
  const [early, late] = [request([], 0), request([], 50_000_000)]
  const link = solverOf({ context: [[late, 0.9]], time: [[early, 0.2]] }).solve(call())
  assert.equal(link?.parent, early)
})

test('Ties go to the earlier one, whatever the order of the evidence', () => {
  const [a, b] = [request(), request()]
  for (const both of [
    [a, b],
    [b, a],
  ] as const) {
    const link = solverOf({ time: both.map(parent => [parent, 0.4] as const) }).solve(call())
    assert.equal(link?.parent, a)
  }
})

test('An identifier that a group shares makes no parent, but decides between candidates', () => {
  const [other, same] = [request([id('req-1')]), request([id('req-2')])]
  assert.equal(solverOf({ context: [] }).solve(call([id('req-2')])), undefined)
  const solver = solverOf({
    time: [
      [other, 0.45],
      [same, 0.4],
    ],
  })
  assert.equal(solver.solve(call())?.parent, other)
  const link = solver.solve(call([id('req-2')]))
  assert.equal(link?.parent, same)
  assert.ok(link!.confidence > 0.6)
})

test('A trace that an instrumented service goes on with is an identifier of the group, whatever its spans are', () => {
  const traceparent = (trace: string, span: string): ContentKey => ({
    type: 'traceparent',
    value: `00-${trace.repeat(32)}-${span.repeat(16)}-01`,
    scope: 'one',
  })
  const [other, same] = [request([traceparent('1', 'a')]), request([traceparent('2', 'b')])]
  const solver = solverOf({
    time: [
      [other, 0.45],
      [same, 0.4],
    ],
  })
  assert.equal(solver.solve(call([traceparent('2', 'c')]))?.parent, same)
})

test('A service that makes up an identifier for each call says nothing with it, once that is known', () => {
  let parent = request([id('a')])
  const solver = createSolver([source('context', () => [[parent, 1]])])
  const first = solver.solve(call([id('x')]))
  for (let i = 0; i < 50; i++) solver.solve(call([id(`x${i}`)]))
  parent = request([id('b')])
  const later = solver.solve(call([id('y')]))
  assert.ok(first!.confidence > 0.99)
  assert.ok(later!.confidence >= first!.confidence)
})

test('A service that passes identifiers on casts doubt on what has another one', () => {
  let parent = request([id('a')])
  const solver = createSolver([source('context', () => [[parent, 1]])])
  for (let i = 0; i < 200; i++) {
    parent = request([id(`r${i}`)])
    assert.equal(solver.solve(call([id(`r${i}`)]))?.confidence, 1)
  }
  assert.ok(solver.solve(call([id('other')]))!.confidence < 1)
  const weak = createSolver([source('context', () => [[parent, 0.8]])])
  assert.ok(weak.solve(call([id('other')]))!.confidence < 0.8)
})

test('Only what is in doubt keeps its other candidates', () => {
  const [a, b] = [request(), request()]
  assert.deepEqual(solverOf({ context: [[a, 1]], time: [[b, 0.2]] }).solve(call())?.alternatives, [])
})
