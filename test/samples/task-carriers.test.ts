import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection } from '../../src/capture/connection.js'
import { createProcesses, type ObservedProcess } from '../../src/capture/processes.js'
import { mayLiveOn, ownerOf, trustIn } from '../../src/samples/activity.js'
import { createCarriers, UNKNOWN_CARRIER } from '../../src/samples/carriers.js'
import type { Sample } from '../../src/samples/sample.js'

const TID = 100
const process = createProcesses().get(TID)

/** A request that `carrier` reads; only what carriers look at is there. */
function request(carrier: number, of: ObservedProcess = process): Sample {
  return {
    ...{ process: of, tid: TID, carrier, complete: false, side: 'server', activity: undefined },
    ...{ startNs: 0, requestEndNs: Number.NaN, responseStartNs: Number.NaN },
    connection: {} as Connection,
    exchange: { shape: 'call' },
  } as unknown as Sample
}

const ownerAt = (carriers: ReturnType<typeof createCarriers>, carrier: number, of = process): Sample | undefined =>
  ownerOf(carriers.current(of, TID, carrier, 1))

test('two tasks of one thread work for the requests that each of them has read', () => {
  const carriers = createCarriers()
  const [first, second] = [request(0x10), request(0x20)]
  carriers.requestRead(first)
  carriers.requestRead(second)
  assert.equal(ownerAt(carriers, 0x10), first)
  assert.equal(ownerAt(carriers, 0x20), second)
})

test('a child works for whom its spawner worked for when it was born, not for whom it works for later', () => {
  const carriers = createCarriers()
  const [first, second] = [request(0x10), request(0x10)]
  carriers.requestRead(first)
  carriers.born(process, TID, 0x10, 0x30, 1)
  carriers.requestRead(second)
  assert.equal(ownerAt(carriers, 0x30), first)
})

test('an address that a new task has got owes nothing to the task that had it before', () => {
  const carriers = createCarriers()
  carriers.requestRead(request(0x10))
  carriers.born(process, TID, 0, 0x10, 1)
  assert.equal(ownerAt(carriers, 0x10), undefined)
})

test('the request that a task answers owns what the task and its children did before', () => {
  const carriers = createCarriers()
  carriers.born(process, TID, 0, 0x40, 1)
  const before = carriers.current(process, TID, 0x40, 2)
  carriers.born(process, TID, 0x40, 0x50, 3)
  const child = carriers.current(process, TID, 0x50, 4)
  const answered = request(0)
  carriers.requestRead(answered)
  carriers.answerBegun(answered, TID, 0x40)
  assert.equal(ownerOf(before), answered)
  assert.equal(ownerOf(child), answered)
})

test('where it is not known which task ran nothing is concluded, before or after', () => {
  const carriers = createCarriers()
  const lost = request(UNKNOWN_CARRIER)
  carriers.requestRead(lost)
  assert.equal(ownerAt(carriers, UNKNOWN_CARRIER), undefined)
  assert.equal(ownerAt(carriers, 0), undefined)
  carriers.born(process, TID, UNKNOWN_CARRIER, 0x60, 1)
  assert.equal(ownerAt(carriers, 0x60), undefined)
})

test('after lost records no task is believed before it is born again or reads a request', () => {
  const carriers = createCarriers()
  carriers.requestRead(request(0x10))
  carriers.lossEpoch(1)
  assert.equal(ownerAt(carriers, 0x10), undefined)
  const next = request(0x10)
  carriers.requestRead(next)
  assert.equal(ownerAt(carriers, 0x10), next)
})

test('an event loop that reads outside of its tasks works for none of the requests that it reads', () => {
  const carriers = createCarriers()
  const loop = createProcesses().get(TID)
  loop.info = { carriers: { kinds: ['asyncio', 'uvloop'], state: 'resolved', reason: '' } } as never
  carriers.born(loop, TID, 0, 0x10, 1)
  carriers.requestRead(request(0, loop))
  assert.equal(ownerAt(carriers, 0, loop), undefined)
  carriers.born(loop, TID, 0, 0x20, 2)
  assert.equal(ownerAt(carriers, 0x20, loop), undefined)
})

test('tasks of two processes at one address are two', () => {
  const carriers = createCarriers()
  const other = createProcesses().get(TID + 1)
  const first = request(0x10)
  carriers.requestRead(first)
  assert.equal(ownerAt(carriers, 0x10, other), undefined)
  assert.equal(ownerAt(carriers, 0x10), first)
})

test('a task that goes on long after the answer to the request it was born for works for nobody any more', () => {
  const carriers = createCarriers()
  const first = request(0x10)
  carriers.requestRead(first)
  carriers.born(process, TID, 0x10, 0x70, 1)
  const early = { activity: carriers.current(process, TID, 0x70, 2), startNs: 2 } as Sample
  assert.equal(trustIn(early.activity!), 1)
  Object.assign(first, { complete: true, endNs: 10 })
  const after = { activity: carriers.current(process, TID, 0x70, 20), startNs: 20 } as Sample
  assert.equal(mayLiveOn(after, 30), true)
  assert.equal(mayLiveOn(early, 30), false)
  assert.equal(trustIn(after.activity!), 1)
  carriers.born(process, TID, 0x70, 0x80, 2e9)
  const late = carriers.current(process, TID, 0x80, 3e9)
  assert.equal(ownerOf(late), first)
  assert.ok(trustIn(late) < 0.5)
  assert.ok(trustIn(after.activity!) < 0.5)
  assert.equal(mayLiveOn(after, 3e9), false)
})

test('a task that makes its own successor again and again is forgotten step by step', () => {
  const carriers = createCarriers()
  const first = request(0x10)
  carriers.requestRead(first)
  carriers.born(process, TID, 0x10, 0x1000, 1)
  for (let id = 0x1000; id < 0x1000 + 200; id++) carriers.born(process, TID, id, id + 1, 2)
  let above = 0
  for (let a = carriers.current(process, TID, 0x1000 + 200, 3).parent; a !== undefined; a = a.parent) above++
  assert.ok(above < 64)
})
