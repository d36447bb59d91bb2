import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ObservedProcess } from '../../src/capture/processes.js'
import { createContextCounts } from '../../src/correlate/context-counts.js'
import { createContextEvidence } from '../../src/correlate/context-evidence.js'
import type { EvidenceSource } from '../../src/correlate/link.js'
import { createSolver, type Solver } from '../../src/correlate/solver.js'
import { createSeededRandom } from '../../src/correlate/time/seeded-random.js'
import { createTimeEvidence, type TimeEvidence } from '../../src/correlate/time-evidence.js'
import { createMessageBacklog } from '../../src/samples/message-backlog.js'
import type { Sample } from '../../src/samples/sample.js'
import { createCounters } from '../../src/telemetry/counters.js'
import { madeUpConnection, madeUpExchange, madeUpSample, observedProcess } from '../support/made-up-samples.js'

const MILLION = 1e6
/** Trust of context where it leaves open who the owner is. */
const UNSURE = 0.3

interface Bench {
  readonly time: TimeEvidence
  readonly solver: Solver
  readonly counters: ReturnType<typeof createCounters>
  request(process: ObservedProcess, startNs: number, endNs: number): Sample
  call(process: ObservedProcess, startNs: number, endNs: number, owner: Sample | undefined, trust?: number): Sample
  /** Lets all of them happen in order of their times, asks for each call's parent, and finishes. */
  play(): void
}

function bench(mayBindLater = false): Bench {
  const counters = createCounters()
  const time = createTimeEvidence({ counters, serviceOf: () => 'shop', mayBindLater: () => mayBindLater })
  const sources: EvidenceSource[] = [createContextEvidence(createMessageBacklog(), createContextCounts()), time]
  const solver = createSolver(sources)
  const samples: { sample: Sample; endNs: number }[] = []
  const put = (sample: Sample, endNs: number): Sample => {
    samples.push({ sample, endNs })
    return sample
  }
  return {
    time,
    solver,
    counters,
    request: (process, startNs, endNs) => put(madeUpSample({ process, startNs }), endNs),
    call: (process, startNs, endNs, owner, trust = 1) =>
      put(
        madeUpSample({
          side: 'client',
          kind: 'client',
          process,
          startNs,
          exchange: madeUpExchange({ name: 'GET /stock' }),
          connection: madeUpConnection({ role: 'client', remote: { address: '127.0.0.1', port: 9_000 } }),
          activity: { owner, parent: undefined, boundBy: undefined, trust, sinceNs: startNs },
        }),
        endNs,
      ),
    play: () => {
      const happenings = samples.flatMap(({ sample, endNs }) => [
        { at: sample.startNs, happen: () => time.begin?.(sample) },
        {
          at: endNs,
          happen: () => {
            sample.endNs = endNs
            sample.complete = true
            time.complete?.(sample)
          },
        },
        { at: endNs + 100 * MILLION, happen: () => void solver.solve(sample) },
      ])
      for (const { at, happen } of happenings.sort((a, b) => a.at - b.at)) {
        time.advance(at)
        happen()
      }
      time.finish()
    },
  }
}

/** Requests 20 ms apart, each calling once, 2 ms after its start; every `doubted`-th call has no owner. */
function traffic(
  on: Bench,
  process: ObservedProcess,
  doubted: number,
): { request: Sample; call: Sample; open: boolean }[] {
  const random = createSeededRandom(5)
  return Array.from({ length: 200 }, (_, n) => {
    const startNs = (20 * n + 5 * random()) * MILLION
    const request = on.request(process, startNs, startNs + 30 * MILLION)
    const open = n % doubted === doubted - 1
    const from = startNs + (2 + random()) * MILLION
    const call = on.call(process, from, from + 10 * MILLION, open ? undefined : request, open ? UNSURE : 1)
    return { request, call, open }
  })
}

test('A call that context leaves open gets the request that times speak for', () => {
  const on = bench()
  const made = traffic(on, observedProcess(1), 10)
  on.play()
  let right = 0
  const open = made.filter(one => one.open)
  for (const { request, call } of open) {
    const link = on.solver.solve(call)
    if (link?.parent !== request) continue
    right++
    assert.equal(link.evidence, 'time')
    assert.ok(link.confidence >= 0.5 && link.confidence < 1)
  }
  assert.ok(right >= 0.9 * open.length, `${right} of ${open.length}`)
  assert.equal(on.counters.snapshot()['correlate.time.doubtful'], open.length)
})

test('Where context tells every parent nothing is watched and nothing is said', () => {
  const on = bench()
  const made = traffic(on, observedProcess(1), 1_000)
  on.play()
  assert.equal(on.time.services, 0)
  for (const { request, call } of made) {
    const link = on.solver.solve(call)
    assert.equal(link?.parent, request)
    assert.equal(link?.strengths.time, 0)
    assert.equal(link?.confidence, 1)
  }
})

test('A process that serves no requests makes calls of its own: they are not judged', () => {
  const on = bench()
  const call = on.call(observedProcess(7), 0, MILLION, undefined)
  on.play()
  assert.equal(on.time.services, 0)
  assert.equal(on.time.awaits(call), false)
  assert.equal(on.solver.solve(call), undefined)
})

test('A call that trusted context knows no owner of is nobody’s, where context accounts for the others', () => {
  const on = bench()
  const process = observedProcess(1)
  traffic(on, process, 1_000)
  const periodic = Array.from({ length: 50 }, (_, n) => {
    return on.call(process, (1_000 + 20 * n) * MILLION, (1_008 + 20 * n) * MILLION, undefined)
  })
  on.play()
  assert.equal(on.time.services, 0)
  for (const call of periodic) assert.equal(on.solver.solve(call), undefined)
})

test('Where context accounts for nothing, calls without an owner are judged by their times', () => {
  const on = bench()
  const process = observedProcess(1)
  const pairs = Array.from({ length: 60 }, (_, n) => {
    const request = on.request(process, 40 * n * MILLION, (40 * n + 30) * MILLION)
    return { request, call: on.call(process, (40 * n + 2) * MILLION, (40 * n + 12) * MILLION, undefined) }
  })
  on.play()
  const late = pairs.slice(30)
  assert.ok(late.filter(({ request, call }) => on.solver.solve(call)?.parent === request).length >= 28)
})

test('Until its window is decided a call is awaited and its possible request held', () => {
  const on = bench()
  const process = observedProcess(1)
  const request = on.request(process, 0, 30 * MILLION)
  const call = on.call(process, 2 * MILLION, 10 * MILLION, undefined, UNSURE)
  on.time.begin?.(request)
  call.endNs = 10 * MILLION
  call.complete = true
  on.time.complete?.(call)
  request.endNs = 30 * MILLION
  request.complete = true
  on.time.complete?.(request)
  on.time.advance(120 * MILLION)
  assert.equal(on.solver.solve(call), undefined)
  assert.equal(on.time.awaits(call), true)
  assert.equal(on.time.holds(request), true)
  on.time.finish()
  assert.equal(on.time.awaits(call), false)
  assert.equal(on.time.holds(request), false)
})

test('A call whose owner may still be found is not judged before that', () => {
  const on = bench(true)
  traffic(on, observedProcess(1), 10)
  on.play()
  // All of them ended less than five seconds before they were asked about.
  assert.equal(on.time.services, 0)
})

test('Times settle what context is in doubt about, and the two agree in one link', () => {
  const on = bench()
  const process = observedProcess(1)
  const made = traffic(on, process, 10)
  const doubted = made[50]!
  doubted.call.activity = { owner: doubted.request, parent: undefined, boundBy: 'read', trust: 0.3, sinceNs: 0 }
  on.play()
  const link = on.solver.solve(doubted.call)
  assert.equal(link?.parent, doubted.request)
  assert.equal(link?.strengths.context, 0.3)
  assert.ok(link !== undefined && link.confidence > 0.5)
})

test('Where a request has the calls of two and its neighbour none, context is doubted and the link loses confidence', () => {
  const on = bench()
  const process = observedProcess(1)
  const ordinary = Array.from({ length: 60 }, (_, n) => {
    const request = on.request(process, 200 * n * MILLION, (200 * n + 50) * MILLION)
    return { request, call: on.call(process, (200 * n + 2) * MILLION, (200 * n + 12) * MILLION, request) }
  })
  on.play()
  for (const { request, call } of ordinary) {
    on.time.forget?.(call)
    on.time.forget?.(request)
  }
  const from = 60 * 200
  const [left, given] = [on.request(process, from * MILLION, 0), on.request(process, (from + 1) * MILLION, 0)]
  const calls = [2, 3].map(ms => on.call(process, (from + ms) * MILLION, 0, given))
  for (const request of [left, given]) {
    on.time.begin?.(request)
    request.endNs = (from + 50) * MILLION
    request.complete = true
    on.time.complete?.(request)
  }
  for (const call of calls) {
    on.time.begin?.(call)
    call.endNs = (from + 20) * MILLION
    call.complete = true
    on.time.complete?.(call)
  }
  on.time.advance((from + 2_000) * MILLION)
  for (const call of calls) on.solver.solve(call)
  assert.ok((on.counters.snapshot()['correlate.time.contradictions'] ?? 0) >= 1)
  on.time.finish()
  const link = on.solver.solve(calls[1]!)
  assert.ok(link === undefined || link.confidence < 0.9, `${link?.confidence}`)
})
