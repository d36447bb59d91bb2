import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownerOf, trustIn } from '../../src/samples/activity.js'
import { type Carriers, createCarriers } from '../../src/samples/carriers.js'
import type { Sample } from '../../src/samples/sample.js'
import { madeUpConnection, madeUpExchange, madeUpSample, observedProcess } from '../support/made-up-samples.js'

const process = observedProcess(7)

const request = (carriers: Carriers, tid = 1, overrides: Partial<Sample> = {}): Sample => {
  const sample = madeUpSample({ process, tid, ...overrides })
  sample.activity = carriers.requestRead(sample)
  return sample
}
const message = (carriers: Carriers, tid = 1): Sample =>
  request(carriers, tid, { kind: 'consumer', exchange: madeUpExchange({ shape: 'message', initiator: 'server' }) })

const call = (carriers: Carriers, tid = 1): Sample => {
  const activity = carriers.current(process, tid, 0, 0)
  carriers.callMade(process, tid, 0, activity)
  return madeUpSample({ side: 'client', kind: 'client', process, tid, activity })
}
const settle = (carriers: Carriers, sample: Sample): void => {
  sample.responseStartNs = 1
  carriers.settled(sample, sample.tid, 0)
}

test('A call belongs to the request that its thread read last', () => {
  const carriers = createCarriers()
  const first = request(carriers, 1)
  const second = request(carriers, 2)
  assert.equal(ownerOf(call(carriers, 1).activity), first)
  assert.equal(ownerOf(call(carriers, 2).activity), second)
})

test('Reading an answer brings an event loop back to the request that had made the call', () => {
  const carriers = createCarriers()
  const first = request(carriers)
  const upstream = call(carriers)
  const second = request(carriers)
  assert.equal(ownerOf(call(carriers).activity), second)
  carriers.answerRead(upstream, 1, 0)
  assert.equal(ownerOf(call(carriers).activity), first)
})

test('After its answer a request owns nothing more', () => {
  const carriers = createCarriers()
  const only = request(carriers)
  carriers.answerBegun(only, 1, 0)
  carriers.answerDone(only, 1, 0)
  assert.equal(ownerOf(call(carriers).activity), undefined)
})

test('Where another thread works and answers, the calls it made find their owner when it answers', () => {
  const carriers = createCarriers()
  const only = request(carriers, 1)
  const made = call(carriers, 2)
  assert.equal(ownerOf(made.activity), undefined)
  carriers.answerBegun(only, 2, 0)
  assert.equal(ownerOf(made.activity), only)
  assert.equal(made.activity?.boundBy, 'reply')
  assert.equal(carriers.bindsByReply(process), true)
})

test('A request whose body comes later takes its thread back', () => {
  const carriers = createCarriers()
  const upload = request(carriers)
  call(carriers)
  request(carriers)
  carriers.requestContinued(upload, 1, 0)
  assert.equal(ownerOf(call(carriers).activity), upload)
})

test('Requests read in a batch before anything is done for them are not trusted', () => {
  const carriers = createCarriers()
  request(carriers)
  const second = request(carriers)
  assert.equal(ownerOf(call(carriers).activity), second)
  assert.ok(second.activity!.trust < 0.5)
})

test('A request for which a connection was opened has been acted upon', () => {
  const carriers = createCarriers()
  request(carriers)
  carriers.connecting(process, 1, 0, 0)
  assert.equal(request(carriers).activity?.trust, 1)
})

test('Requests that are acted upon one by one are trusted', () => {
  const carriers = createCarriers()
  for (let i = 0; i < 200; i++) {
    const sample = request(carriers)
    call(carriers)
    assert.equal(sample.activity?.trust, 1)
  }
})

test('A consumed message owns the work after its acknowledgement, until the next message comes', () => {
  const carriers = createCarriers()
  const first = message(carriers)
  assert.equal(ownerOf(call(carriers).activity), first)
  settle(carriers, first)
  assert.equal(ownerOf(call(carriers).activity), first)
  const second = message(carriers)
  assert.equal(ownerOf(call(carriers).activity), second)
})

test('Of messages that came together, the first unacknowledged one is worked on', () => {
  const carriers = createCarriers()
  const queue = [message(carriers), message(carriers), message(carriers)]
  for (const each of queue) {
    assert.equal(ownerOf(call(carriers).activity), each)
    settle(carriers, each)
  }
})

test('A consumer that acknowledges before it works is recognised while no other message waits', () => {
  const carriers = createCarriers()
  for (let i = 0; i < 3; i++) {
    const alone = message(carriers)
    settle(carriers, alone)
    assert.equal(ownerOf(call(carriers).activity), alone)
  }
  const queue = [message(carriers), message(carriers)]
  for (const each of queue) {
    settle(carriers, each)
    assert.equal(ownerOf(call(carriers).activity), each)
  }
})

test('After records were lost, nobody is known to work for whom until the next request is read', () => {
  const carriers = createCarriers()
  request(carriers)
  carriers.lossEpoch(1)
  assert.equal(ownerOf(call(carriers).activity), undefined)
  const next = request(carriers)
  assert.equal(ownerOf(call(carriers).activity), next)
})

test('Two carriers on one thread are two', () => {
  const carriers = createCarriers()
  const first = request(carriers, 1, { carrier: 100 })
  const second = request(carriers, 1, { carrier: 200 })
  assert.equal(ownerOf(carriers.current(process, 1, 100, 0)), first)
  assert.equal(ownerOf(carriers.current(process, 1, 200, 0)), second)
})

test('Memory is bounded however many threads come and go', () => {
  const carriers = createCarriers(100)
  for (let tid = 1; tid <= 1_000; tid++) request(carriers, tid)
  assert.equal(carriers.size, 100)
  carriers.ended(1_000)
  assert.equal(carriers.size, 99)
})

test('A thread works for the request for which it was started, and for nobody once that is over', () => {
  const carriers = createCarriers()
  const only = request(carriers, 1)
  carriers.threadBorn(process, 1, 0, 50, 0)
  assert.equal(ownerOf(call(carriers, 50).activity), only)
  only.complete = true
  assert.equal(ownerOf(call(carriers, 50).activity), undefined)
})

test('Threads that live on after the request for which they were started are not believed, nor are others like them', () => {
  const carriers = createCarriers()
  const started = Array.from({ length: 10 }, (_, n) => {
    const each = request(carriers, 1)
    carriers.threadBorn(process, 1, 0, 50 + n, 0)
    const made = call(carriers, 50 + n)
    each.complete = true
    return made
  })
  assert.ok(trustIn(started[0]!.activity!) > 0.9)
  call(carriers, 50)
  assert.ok(trustIn(started[1]!.activity!) < 0.5)
})

test('A thread that is started while nobody is known to be worked for belongs to nobody', () => {
  const carriers = createCarriers()
  carriers.threadBorn(process, 1, 0, 50, 0)
  request(carriers, 1)
  assert.equal(ownerOf(call(carriers, 50).activity), undefined)
})

test('A task that answers on one connection after the other is a loop that writes for all of them, and not believed', () => {
  const carriers = createCarriers()
  const loop = 900
  const made = Array.from({ length: 10 }, (_, n) => {
    const each = request(carriers, 1, { carrier: 100 + n, connection: madeUpConnection() })
    const activity = carriers.current(process, 1, loop, 0)
    carriers.callMade(process, 1, loop, activity)
    carriers.answerBegun(each, 1, loop)
    carriers.answerDone(each, 1, loop)
    return activity
  })
  assert.ok(made.every(activity => trustIn(activity) < 0.5))
})

test('Before the first answers nobody knows whether they tell whom calls were made for', () => {
  const carriers = createCarriers()
  assert.equal(carriers.bindsByReply(process), false)
  for (let n = 0; n < 30; n++) {
    const each = request(carriers, 1)
    assert.equal(carriers.bindsByReply(process), n < 20)
    carriers.answerBegun(each, 1, 0)
    carriers.answerDone(each, 1, 0)
  }
})

test('Who reads the answers of remote calls from a queue, for all that wait, is no reader of batches', () => {
  const carriers = createCarriers()
  for (let n = 0; n < 80; n++) {
    const waiting = request(carriers, n + 10, { requestEndNs: 1 })
    const remote = call(carriers, n + 10)
    message(carriers, 1)
    carriers.answerRead(remote, 1, 0)
    assert.equal(waiting.activity!.trust, 1)
  }
})
