import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Activity } from '../../src/samples/activity.js'
import { createMessageBacklog } from '../../src/samples/message-backlog.js'
import type { Sample } from '../../src/samples/sample.js'
import { madeUpExchange, madeUpSample, observedProcess } from '../support/made-up-samples.js'

const process = observedProcess(7)
const activity = (sinceNs: number, parent?: Activity): Activity => ({
  owner: undefined,
  parent,
  boundBy: undefined,
  trust: 1,
  sinceNs,
})
const message = (atNs: number): Sample => {
  const sample = madeUpSample({
    process,
    kind: 'consumer',
    startNs: atNs,
    requestEndNs: atNs,
    exchange: madeUpExchange({ shape: 'message', initiator: 'server' }),
    activity: activity(atNs),
  })
  sample.activity!.owner = sample
  return sample
}
/** A carrier is born for it, 1 ns later. */
const worker = (of: Sample): Activity => {
  of.activity!.hasCarriers = true
  return activity(of.startNs + 1, of.activity)
}
const call = (atNs: number, made: Activity): Sample =>
  madeUpSample({ process, side: 'client', kind: 'client', startNs: atNs, activity: made })

test('While every message has a carrier of its own, each works for its own', () => {
  const backlog = createMessageBacklog()
  const [first, second] = [message(100), message(200)]
  backlog.consumed(first)
  const one = worker(first)
  backlog.consumed(second)
  const two = worker(second)
  assert.equal(backlog.trust(call(300, one), first), 1)
  assert.equal(backlog.trust(call(300, two), second), 1)
})

test('Once a message waits without a carrier, those born before may have taken it', () => {
  const backlog = createMessageBacklog()
  const [first, waiting, next] = [message(100), message(200), message(300)]
  backlog.consumed(first)
  const one = worker(first)
  backlog.consumed(waiting)
  assert.equal(backlog.trust(call(150, one), first), 1)
  assert.ok(backlog.trust(call(250, one), first) < 0.5)
  backlog.consumed(next)
  const two = worker(next)
  assert.ok(backlog.trust(call(350, one), first) < 0.5)
  // Whoever is born later is born because nothing waits any more.
  assert.equal(backlog.trust(call(350, two), next), 1)
})

test('Whoever consumes a message and works on it itself needs nobody to be born', () => {
  const backlog = createMessageBacklog()
  const [first, second] = [message(100), message(200)]
  backlog.consumed(first)
  backlog.consumed(second)
  assert.equal(backlog.trust(call(250, second.activity!), second), 1)
})

test('What a worker starts in its turn is as doubtful as the worker', () => {
  const backlog = createMessageBacklog()
  const [first, waiting] = [message(100), message(200)]
  backlog.consumed(first)
  const one = worker(first)
  backlog.consumed(waiting)
  assert.ok(backlog.trust(call(400, activity(300, one)), first) < 0.5)
})
