import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkByTime } from '../../src/correlate/time/link-by-time.js'
import { linkStreamByTime } from '../../src/correlate/time/link-stream-by-time.js'
import { createServiceStream, type StreamedRequest } from '../../src/correlate/time/service-stream.js'
import { createServiceWindow } from '../../src/correlate/time/service-window.js'
import { madeUpTraffic, type PlannedCall } from '../support/made-up-traffic.js'

const PLAN: readonly PlannedCall[] = [{ kind: 'db SELECT', stage: 0, takes: 2_000 }]

function crowd(count: number, kinds: number): ReturnType<typeof createServiceWindow> {
  const times = Array.from({ length: count }, (_, n) => n)
  return createServiceWindow({
    requests: times.map(n => ({ kind: n % kinds, place: 0, start: n, end: 2 * count + n })),
    calls: times.map(n => ({ kind: 0, place: 0, start: count + n, end: count + n + 1 })),
    requestKinds: kinds,
    callKinds: 1,
  })
}

test('A crowd of requests costs in proportion to its calls: candidates are cut, and counted', () => {
  const some = crowd(1_000, 1)
  const many = crowd(20_000, 1)
  const perCall = (window: typeof some): number => window.candidates.length / window.callCount
  assert.ok(perCall(some) <= 64)
  assert.ok(perCall(many) <= 20, `${perCall(many)} candidates a call`)
  assert.ok(many.leftOut.every(count => count >= 19_000))
})

test('Many kinds of request at once share the candidates of a call', () => {
  const window = crowd(20_000, 250)
  assert.ok(window.candidates.length / window.callCount <= 4 * 250)
})

test('Calls beyond what a stream may hold are left without a parent at once, and counted', () => {
  let refused = 0
  let decided = 0
  const stream = createServiceStream({
    seed: 1,
    requestKinds: () => 1,
    callKinds: () => 1,
    decide: (_call, candidates) => {
      decided++
      assert.equal(candidates[0]!.parent, undefined)
    },
    refused: calls => {
      refused += calls
    },
  })
  const request: StreamedRequest = { kind: 0, place: 0, start: 0, end: Number.NaN }
  stream.begin(request)
  for (let n = 0; n < 30_100; n++) stream.add({ kind: 0, place: 0, start: n, end: n + 1, known: undefined })
  assert.equal(stream.undecided, 30_000)
  assert.equal(refused, 100)
  assert.equal(decided, 100)
})

test('A sample without an end is not judged, and is nobody’s parent', () => {
  const { samples } = madeUpTraffic({ seed: 3, requests: 60, every: 5_000, plan: PLAN })
  const odd = samples.map((sample, n) => (n % 7 === 0 ? { ...sample, end: Number.NaN } : sample))
  for (const { candidates } of [linkByTime(odd), linkStreamByTime(odd)]) {
    candidates.forEach((those, n) => {
      if (Number.isNaN(odd[n]!.end)) assert.equal(those, undefined)
      for (const { parent } of those ?? []) assert.ok(parent < 0 || Number.isFinite(odd[parent]!.end))
    })
  }
})
