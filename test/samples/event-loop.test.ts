import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection } from '../../src/capture/connection.js'
import { createProcesses, type ObservedProcess } from '../../src/capture/processes.js'
import { type Activity, ownerOf } from '../../src/samples/activity.js'
import { createCarriers } from '../../src/samples/carriers.js'
import type { Sample } from '../../src/samples/sample.js'

const TID = 100
const PHASE = 7
const WORK = 0x1000
const FIRST_NS = 1e9

function loopProcess(): ObservedProcess {
  const process = createProcesses().get(TID)
  process.info = { carriers: { kinds: ['node'], state: 'resolved', reason: '' } } as never
  return process
}

function sampleOf(process: ObservedProcess, more: Partial<Sample> = {}): Sample {
  return {
    ...{ process, tid: TID, carrier: 0, complete: false, side: 'server', activity: undefined },
    ...{ startNs: FIRST_NS, requestEndNs: Number.NaN, responseStartNs: Number.NaN },
    connection: {} as Connection,
    exchange: { shape: 'call', protocol: 'http' },
    ...more,
  } as unknown as Sample
}

/** A loop that reads requests and answers, runs timers, and answers. */
function createLoop() {
  const process = loopProcess()
  const carriers = createCarriers()
  let timeNs = FIRST_NS
  const call = (carrier = 0): Sample => {
    const activity = carriers.current(process, TID, carrier, ++timeNs)
    carriers.callMade(process, TID, carrier, activity)
    return sampleOf(process, { side: 'client', activity })
  }
  return {
    ...{ carriers, process, call },
    reads: (activity?: Activity) => carriers.loopRead(process, TID, activity),
    request: (more: Partial<Sample> = {}): Sample => {
      carriers.loopRead(process, TID, undefined)
      const request = sampleOf(process, { startNs: ++timeNs, ...more })
      request.activity = carriers.requestRead(request)
      return request
    },
    answer: (answered: Sample) => {
      carriers.loopRead(process, TID, answered.activity)
      carriers.answerRead(answered, TID, 0)
    },
    respond: (request: Sample, carrier = 0) => {
      carriers.answerBegun(request, TID, carrier)
      carriers.answerDone(request, TID, carrier)
      request.complete = true
    },
  }
}

test('a call that follows from the reading of a request, or of an answer, belongs to that request', () => {
  const loop = createLoop()
  const [first, second] = [loop.request(), loop.request()]
  const call = loop.call()
  assert.equal(ownerOf(call.activity), second)
  loop.answer(sampleOf(loop.process, { side: 'client', activity: first.activity }))
  assert.equal(ownerOf(loop.call().activity), first)
})

test('a call that a timer makes belongs to nobody until the response that its answer leads to is written', () => {
  const loop = createLoop()
  const first = loop.request()
  loop.request()
  const call = loop.call(PHASE)
  assert.equal(ownerOf(call.activity), undefined)
  loop.answer(call)
  const next = loop.call()
  loop.respond(first)
  assert.equal(ownerOf(call.activity), first)
  assert.equal(ownerOf(next.activity), first)
})

test('two calls of one timer phase may be of two requests: a response owns only what led to it', () => {
  const loop = createLoop()
  const [first, second] = [loop.request(), loop.request()]
  const [one, other] = [loop.call(PHASE), loop.call(PHASE)]
  loop.answer(other)
  loop.respond(second)
  assert.equal(ownerOf(one.activity), undefined)
  assert.equal(ownerOf(other.activity), second)
  loop.answer(one)
  loop.respond(first)
  assert.equal(ownerOf(one.activity), first)
})

test('a response does not own what began before its request was read', () => {
  const loop = createLoop()
  const call = loop.call(PHASE)
  const late = loop.request({ startNs: FIRST_NS + 1e9 })
  loop.answer(call)
  loop.respond(late)
  assert.equal(ownerOf(call.activity), undefined)
})

test('the end of file work goes on for whoever ordered it, and a response at its end binds that too', () => {
  const loop = createLoop()
  const first = loop.request()
  loop.carriers.born(loop.process, TID, 0, WORK, FIRST_NS + 10)
  const second = loop.request()
  assert.equal(ownerOf(loop.call(WORK).activity), first)
  const timed = loop.call(PHASE)
  loop.answer(timed)
  loop.carriers.born(loop.process, TID, 0, WORK + 8, FIRST_NS + 20)
  loop.respond(second, WORK + 8)
  assert.equal(ownerOf(timed.activity), second)
})

test('what a read does that is not understood is not done for the request before it', () => {
  const loop = createLoop()
  loop.request()
  loop.reads()
  const call = loop.call()
  assert.equal(ownerOf(call.activity), undefined)
  loop.answer(call)
  const another = loop.request()
  loop.answer(call)
  loop.respond(another)
  assert.equal(ownerOf(call.activity), undefined)
})

test('answers to two requests in one read leave open whose callback goes on with which call', () => {
  const loop = createLoop()
  const [first, second] = [loop.request(), loop.request()]
  const [one, other] = [first, second].map(({ activity }) => sampleOf(loop.process, { side: 'client', activity }))
  loop.reads(one!.activity)
  loop.carriers.answerRead(one!, TID, 0)
  loop.carriers.answerRead(other!, TID, 0)
  assert.equal(ownerOf(loop.call().activity), undefined)
  loop.answer(one!)
  assert.equal(ownerOf(loop.call().activity), first)
})

test('a response over HTTP/2 is written when the turn ends, and binds nothing', () => {
  const loop = createLoop()
  const request = loop.request({ exchange: { shape: 'call', protocol: 'http2' } as never })
  const call = loop.call(PHASE)
  loop.answer(call)
  loop.respond(request)
  assert.equal(ownerOf(call.activity), undefined)
})
