import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLossNotices } from '../../src/export/loss-notices.js'
import { createTraceQueue } from '../../src/export/trace-queue.js'
import type { FinishedSpan } from '../../src/traces/span.js'
import { numberedTrace } from './finished-traces.js'

test('batches hold whole traces in order; only a trace longer than a batch is cut', () => {
  const queue = createTraceQueue<FinishedSpan>(100)
  for (const [number, children] of [
    [1, 2],
    [2, 2],
    [3, 24],
    [4, 0],
  ] as const) {
    queue.add(numberedTrace(number, children))
  }
  const batches: string[] = []
  while (queue.spans > 0) {
    const taken = queue.take(10)
    batches.push(taken.map(span => Number.parseInt(span.traceId, 16)).join(''))
  }
  assert.deepEqual(batches, ['111222', '3333333333', '3333333333', '333334'])
})

test('the oldest traces make room, also one that was taken in part; one longer than the queue has no room at all', () => {
  const queue = createTraceQueue(10)
  assert.deepEqual(queue.add(numberedTrace(1, 10)), { traces: 1, spans: 11 })
  queue.add(numberedTrace(2, 5))
  queue.take(4)
  queue.add(numberedTrace(3, 5))
  assert.equal(queue.spans, 8)
  assert.deepEqual(queue.add(numberedTrace(4, 3)), { traces: 1, spans: 2 })
  assert.deepEqual(queue.clear(), { traces: 2, spans: 10 })
  assert.equal(queue.spans, 0)
  assert.deepEqual(queue.take(10), [])
})

test('what goes in comes out, whatever the order of adding and taking', () => {
  const queue = createTraceQueue(1_000_000)
  let taken = 0
  for (let i = 1; i <= 5_000; i++) {
    queue.add(numberedTrace(i, i % 7))
    if (i % 3 === 0) taken += queue.take(5).length
  }
  while (queue.spans > 0) taken += queue.take(100).length
  let added = 0
  for (let i = 1; i <= 5_000; i++) added += 1 + (i % 7)
  assert.equal(taken, added)
})

test('losses: the first is told at once, the rest of the interval in one sentence by cause, the remainder at the end', () => {
  const told: string[] = []
  let now = 0
  const notices = createLossNotices({
    where: 'OTLP export',
    warn: message => told.push(message),
    intervalMillis: 60_000,
    clock: () => now,
  })
  notices.lost('full', 3)
  notices.lost('full', 4)
  notices.lost('refused', 1)
  notices.lost('full', 0)
  assert.deepEqual(told, ['OTLP export: spans lost: 3 (full)'])
  now = 60_000
  notices.close()
  assert.equal(told[1], 'OTLP export: spans lost: 4 (full), 1 (refused)')
  notices.close()
  for (let i = 0; i < 100; i++) notices.lost(`cause ${i}`, 1)
  notices.close()
  assert.equal(told.length, 3)
  assert.match(told[2]!, /84 \(other causes\)$/)
})
