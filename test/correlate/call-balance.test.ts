import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ObservedProcess } from '../../src/capture/processes.js'
import { createCallBalance } from '../../src/correlate/call-balance.js'
import type { Sample } from '../../src/samples/sample.js'
import { madeUpExchange, madeUpSample, observedProcess } from '../support/made-up-samples.js'

const MS = 1e6

function request(process: ObservedProcess, startMs: number, endMs: number): Sample {
  const sample = madeUpSample({ process, startNs: startMs * MS, exchange: madeUpExchange({ name: 'GET /' }) })
  sample.endNs = endMs * MS
  sample.complete = true
  return sample
}

function call(process: ObservedProcess, startMs: number, endMs: number): Sample {
  const sample = madeUpSample({ side: 'client', kind: 'client', process, startNs: startMs * MS })
  sample.endNs = endMs * MS
  sample.complete = true
  return sample
}

/** Requests one after the other, each with its number of calls. */
function learn(numbers: readonly number[]): {
  balance: ReturnType<typeof createCallBalance>
  process: ObservedProcess
} {
  const balance = createCallBalance()
  const process = observedProcess(1)
  // A process is looked at from its first call on.
  const first = request(process, -100, -90)
  balance.told(call(process, -99, -98), first)
  numbers.forEach((calls, n) => {
    const one = request(process, 100 * n, 100 * n + 50)
    balance.begin(one)
    for (let k = 0; k < calls; k++) balance.told(call(process, 100 * n + 1, 100 * n + 9), one)
    balance.complete(one)
    balance.forget(one)
  })
  return { balance, process }
}

/** Two requests at once; context gives both calls to the second. */
function twoAtOnce(
  { balance, process }: ReturnType<typeof learn>,
  nowMs: number,
): ReturnType<ReturnType<typeof createCallBalance>['contradicts']> {
  const without = request(process, 10_000, 10_050)
  const withBoth = request(process, 10_001, 10_051)
  balance.begin(without)
  balance.begin(withBoth)
  balance.told(call(process, 10_010, 10_020), withBoth)
  const last = call(process, 10_011, 10_021)
  balance.told(last, withBoth)
  return balance.contradicts(last, withBoth, nowMs * MS)
}

test('A request with the calls of two beside one with none contradicts context', () => {
  assert.equal(twoAtOnce(learn(new Array(40).fill(1)), 10_500), true)
})

test('A request without calls yet may still get some while its last ones may be told of', () => {
  assert.equal(twoAtOnce(learn(new Array(40).fill(1)), 10_100), 'open')
})

test('Where requests make no calls now and then, one without them says nothing', () => {
  assert.equal(twoAtOnce(learn(Array.from({ length: 40 }, (_, n) => n % 2)), 10_500), false)
})

test('Before the usual number of calls is known nothing is said', () => {
  assert.equal(twoAtOnce(learn([1, 1, 1]), 10_500), false)
})
