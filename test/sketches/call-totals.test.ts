import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { LATENCY_BUCKETS, latencyBucket, latencyQuantile } from '../../src/capture/call-sketch-layout.js'
import type { CallCounts, CallSketch } from '../../src/capture/call-sketches.js'
import { callReport } from '../../src/cli/call-report.js'
import { differences } from '../../src/cli/live-calls.js'
import { type CallTotals, createCallTotals } from '../../src/sketches/call-totals.js'
import { startKernelMinutes } from '../../src/sketches/kernel-minutes.js'
import type { SketchRow } from '../../src/sketches/sketch-row.js'
import { createCounters } from '../../src/telemetry/counters.js'

const NOTHING: CallCounts = {
  ...{ sentCalls: 0, sentBytes: 0, receivedCalls: 0, receivedBytes: 0, failedCalls: 0, uncopiedCalls: 0 },
  ...{ connections: 0, answers: 0, latencySumNs: 0 },
}

const NONE = new Uint32Array(LATENCY_BUCKETS)

/** `answers` of them in bucket 100. */
function told(pid: number, changes: Partial<Omit<CallSketch, 'counts'>>, counts: Partial<CallCounts>): CallSketch {
  const latency = counts.answers === undefined ? NONE : new Uint32Array(LATENCY_BUCKETS)
  if (counts.answers !== undefined) latency[100] = counts.answers
  return {
    ...{ pid, role: 'client', transport: 'tcp', address: '10.0.0.7', port: 3306, ended: false, latency },
    ...changes,
    counts: { ...NOTHING, ...counts },
  }
}

interface Kernel {
  sketches: CallSketch[]
  readonly totals: CallTotals
  readonly counters: ReturnType<typeof createCounters>
}

function kernel(names: Readonly<Record<number, string>> = {}): Kernel {
  const counters = createCounters()
  const state = { sketches: [] as CallSketch[] }
  const totals = createCallTotals({
    read: () => state.sketches,
    serviceOf: pid => names[pid],
    isOwnAddress: address => address === '127.0.0.1',
    counters,
  })
  return Object.assign(state, { totals, counters })
}

const item = (row: SketchRow, name: string): number => row.items.find(each => each.item === name)?.count ?? 0

describe('what the kernel counted', () => {
  it('becomes a row a service, peer and direction, over all its processes, of what came since the last minute', () => {
    const state = kernel({ 1: 'web', 2: 'web' })
    const first = { sentCalls: 4, sentBytes: 400, receivedCalls: 4, receivedBytes: 900, uncopiedCalls: 6, answers: 4 }
    state.sketches = [told(1, {}, { ...first, connections: 1 }), told(2, {}, { ...first, failedCalls: 1 })]
    const [row, ...more] = state.totals.take(600)
    assert.deepEqual(more, [])
    assert.deepEqual([row!.kind, row!.service, row!.name, row!.class], ['kernel', 'web', '10.0.0.7:3306', 'out'])
    assert.deepEqual([row!.time, row!.calls, row!.errors], [600, 8, 1])
    assert.deepEqual([row!.requestBytes, row!.responseBytes], [800, 1_800])
    assert.deepEqual(row!.bins, { indexes: [100], counts: [8] })
    assert.deepEqual([item(row!, 'socket_calls'), item(row!, 'uncopied_calls'), item(row!, 'connections')], [16, 12, 1])
    assert.deepEqual(state.totals.take(660), [])
    state.sketches = [told(1, {}, { ...first, sentCalls: 9, answers: 6 }), told(2, {}, { ...first, failedCalls: 1 })]
    const [next] = state.totals.take(720)
    assert.deepEqual([next!.calls, item(next!, 'socket_calls'), next!.bins.counts], [2, 5, [2]])
    assert.deepEqual(state.totals.coverage(), { calls: 21, copied: 9, uncopied: 12, unplaced: 0 })
  })

  it('counts a pid that is used again from nothing', () => {
    const state = kernel({ 1: 'cron' })
    state.sketches = [told(1, { ended: true }, { sentCalls: 10, answers: 10 })]
    assert.equal(state.totals.take(0)[0]!.calls, 10)
    state.sketches = [told(1, {}, { sentCalls: 3, answers: 3 })]
    assert.equal(state.totals.take(60)[0]!.calls, 3)
  })

  it('names a peer on this host by its service, unless several services answer on that port', () => {
    const state = kernel({ 1: 'web', 2: 'mariadb', 3: 'redis', 4: 'other-redis' })
    const server = { role: 'server', address: '127.0.0.1' } as const
    const one = { receivedCalls: 1 }
    state.sketches = [
      told(1, { address: '127.0.0.1', port: 3306 }, one),
      told(1, { address: '127.0.0.1', port: 6379 }, one),
      told(1, { address: '::2', port: 3306 }, one),
      told(2, { ...server, port: 3306 }, one),
      told(3, { ...server, port: 6379 }, one),
      told(4, { ...server, port: 6379 }, one),
    ]
    const peers = state.totals.take(0).map(({ service, name, class: direction }) => `${service} ${direction} ${name}`)
    assert.deepEqual(peers, [
      ...['web out mariadb', 'web out 127.0.0.1:6379', 'web out [::2]:3306'],
      ...['mariadb in 127.0.0.1', 'redis in 127.0.0.1', 'other-redis in 127.0.0.1'],
    ])
  })

  it('of whatever found no place in the kernel is told apart, and not lost', () => {
    const state = kernel({ 1: 'web' })
    state.sketches = [told(1, {}, { sentCalls: 5 }), told(0, { role: 'unknown' }, { sentCalls: 7, uncopiedCalls: 2 })]
    const rows = state.totals.take(0)
    assert.deepEqual([rows[1]!.service, rows[1]!.name, item(rows[1]!, 'socket_calls')], ['(other)', '(other)', 7])
    assert.deepEqual(state.totals.coverage(), { calls: 12, copied: 10, uncopied: 2, unplaced: 7 })
  })

  it('stays bounded when a million peers call one service, leaves room for others, and counts every call', () => {
    const state = kernel({ 1: 'web', 2: 'late' })
    let sent = 0
    const services = new Set<string>()
    let most = 0
    for (let round = 0; round < 1_000; round++) {
      state.sketches = Array.from({ length: 1_000 }, (_, i) =>
        told(1, { role: 'server', ended: true, address: `10.${round}.${i}`, port: 80 }, { receivedCalls: 1 }),
      )
      if (round === 999) state.sketches.push(told(2, { role: 'server', address: '10.1.1.1' }, { receivedCalls: 1 }))
      if (round % 50 === 49) {
        const rows = state.totals.take(round * 60)
        for (const row of rows) sent += item(row, 'socket_calls')
        for (const row of rows) services.add(row.service)
        most = Math.max(most, rows.length)
      } else state.totals.coverage()
    }
    assert.equal(sent, 1_000_001)
    assert.ok(most <= 2_000, `${most} rows`)
    assert.ok(services.has('late'))
    assert.ok(state.counters.snapshot()['sketches.other.calls']! > 900_000)
  })
})

describe('the kernel’s minutes', () => {
  it('carry the minute in which their time began, though the clock jumps', () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      const at = 1_700_000_040_000
      let clock = at + 10_000
      const state = kernel({ 1: 'web' })
      const times: number[] = []
      let calls = 0
      const tick = (millis: number): void => {
        clock += millis
        calls++
        state.sketches = [told(1, {}, { sentCalls: calls })]
        mock.timers.tick(millis)
      }
      const minutes = startKernelMinutes({
        totals: state.totals,
        addRows: rows => times.push(...rows.map(row => row.time - at / 1_000)),
        now: () => clock,
      })
      tick(50_001)
      assert.deepEqual(times, [0])
      // An hour back, ten seconds into the minute.
      clock -= 3_600_000 - 10_000
      tick(60_001)
      assert.deepEqual(times, [0, 60])
      tick(60_001)
      assert.equal(times.length, 3)
      assert.ok(times[2]! < -3_400, 'by the clock as it is now')
      clock += 7_200_000
      tick(60_001)
      assert.equal(times.length, 4)
      tick(1)
      minutes.stop()
      assert.equal(times.length, 5)
      assert.ok(times[4]! > 3_500)
    } finally {
      mock.timers.reset()
    }
  })
})

describe('live figures', () => {
  it('are what grew between two looks, from nothing where the daemon was started anew', () => {
    const state = kernel({ 1: 'web' })
    state.sketches = [told(1, {}, { sentCalls: 10, receivedCalls: 10, answers: 10, latencySumNs: 1e6 })]
    const before = callReport(state.totals, 1_000)
    state.sketches = [told(1, {}, { sentCalls: 15, receivedCalls: 14, answers: 13, latencySumNs: 4e6 })]
    const after = callReport(state.totals, 3_000)
    const [row] = differences(before, JSON.parse(JSON.stringify(after)))
    assert.deepEqual([row!.calls, row!.durationNs, item(row!, 'socket_calls'), row!.bins.counts], [3, 3e6, 9, [3]])
    assert.deepEqual(differences(after, after), [])
    assert.equal(differences(after, before)[0]!.calls, 10)
  })
})

describe('the kernel’s histogram', () => {
  it('gives every quantile within 1/33, whatever the value', () => {
    for (let exponent = 9.1; exponent < 35.9; exponent += 0.013) {
      const value = 2 ** exponent
      const index = Array.from({ length: LATENCY_BUCKETS }, (_, i) => i).find(i => value < latencyBucket(i).to)!
      const answer = latencyQuantile([index], [1], 0.5)
      assert.ok(Math.abs(answer - value) <= value / 32, `${value} ${answer}`)
    }
    assert.ok(Number.isNaN(latencyQuantile([], [], 0.5)))
  })
})
