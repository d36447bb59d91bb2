import type { ObservedProcess } from '../capture/processes.js'
import type { Activity } from './activity.js'
import type { Sample } from './sample.js'

/** Context evidence is believed this much where a process reads requests in batches before it acts on any of them. */
const TRUST_IN_BATCH_READER = 0.3
/** A process is a batch reader when more than this share of its requests was read over an untouched one. */
const BATCH_SHARE = 0.02
const BATCH_SAMPLE = 50

interface Carrier {
  activity: Activity | undefined
  /** Something was done (a call, an answer) since `activity` was entered by reading a request. */
  acted: boolean
  /** Messages read but not settled, oldest first: the first one is being worked on. */
  readonly unsettled: Sample[]
  readonly habits: ProcessHabits
}

interface ProcessHabits {
  requests: number
  /** Requests read while the one before lay untouched: "last read" does not hold here. */
  batched: number
  /** Message work seen before, and after, its own settlement, with no other message waiting. */
  workBeforeSettling: number
  workAfterSettling: number
  /** Activities that found their owner only when the answer was written. */
  boundByReply: number
}

/**
 * Who works for whom: every carrier (thread, or task on it) points to an activity, and the rules of design.md (Context)
 * move it along as requests, answers and messages are read and written. Knows nothing of connections and protocols.
 */
export interface Carriers {
  /** A request or message was read: its activity. */
  requestRead(sample: Sample): Activity
  /** More of a request was read (its body came later): the carrier is back at it. */
  requestContinued(sample: Sample, tid: number, carrier: number): void
  /** The activity in which a carrier calls or connects now. */
  current(process: ObservedProcess, tid: number, carrier: number, timeNs: number): Activity
  /** A connection is being opened for what the carrier does now: it has acted, though nothing is written yet. */
  connecting(process: ObservedProcess, tid: number, carrier: number, timeNs: number): Activity
  /** A call was written: its carrier has acted. */
  callMade(process: ObservedProcess, tid: number, carrier: number, activity: Activity): void
  /** The answer to a call was read: the carrier continues the call's activity. */
  answerRead(call: Sample, tid: number, carrier: number): void
  /** The answer to a request is being written: binds the carrier's activity if nobody owns it. */
  answerBegun(request: Sample, tid: number, carrier: number): void
  /** … has been written: what the carrier does next belongs to nobody. */
  answerDone(request: Sample, tid: number, carrier: number): void
  /** A consumed message was settled (ack, reject). */
  settled(message: Sample, tid: number, carrier: number): void
  ended(tid: number): void
  /** True if work in this process may find its owner only when the answer is written. */
  bindsByReply(process: ObservedProcess): boolean
  readonly size: number
}

export function createCarriers(limit = 100_000): Carriers {
  const byId = new Map<string | number, Carrier>()
  const habitsByProcess = new WeakMap<ObservedProcess, ProcessHabits>()

  const habitsOf = (process: ObservedProcess): ProcessHabits => {
    let habits = habitsByProcess.get(process)
    if (habits === undefined) {
      habits = { requests: 0, batched: 0, workBeforeSettling: 0, workAfterSettling: 0, boundByReply: 0 }
      habitsByProcess.set(process, habits)
    }
    return habits
  }
  const carrierOf = (process: ObservedProcess, tid: number, id: number): Carrier => {
    const key = id === 0 ? tid : `${process.pid}:${id}`
    let carrier = byId.get(key)
    if (carrier === undefined) {
      if (byId.size >= limit) byId.delete(byId.keys().next().value as string | number)
      carrier = { activity: undefined, acted: false, unsettled: [], habits: habitsOf(process) }
      byId.set(key, carrier)
    }
    return carrier
  }

  return {
    requestRead: sample => {
      const carrier = carrierOf(sample.process, sample.tid, sample.carrier)
      const { habits } = carrier
      const activity = open(sample, trustIn(carrier, habits, sample))
      habits.requests++
      if (sample.exchange.shape === 'message') {
        carrier.unsettled.push(sample)
        // One that waits behind an unsettled message has not been begun.
        if (carrier.unsettled.length > 1 && carrier.activity?.owner === carrier.unsettled[0]) return activity
      } else {
        carrier.unsettled.length = 0
      }
      carrier.activity = activity
      carrier.acted = false
      return activity
    },
    requestContinued: (sample, tid, id) => {
      if (sample.activity !== undefined) carrierOf(sample.process, tid, id).activity = sample.activity
    },
    current: (process, tid, id, timeNs) => activityOf(carrierOf(process, tid, id), timeNs),
    connecting: (process, tid, id, timeNs) => {
      const carrier = carrierOf(process, tid, id)
      carrier.acted = true
      return activityOf(carrier, timeNs)
    },
    callMade: (process, tid, id, activity) => {
      const carrier = carrierOf(process, tid, id)
      carrier.acted = true
      const message = activity.owner
      if (message === undefined || message.exchange.shape !== 'message' || carrier.unsettled.length > 1) return
      const { habits } = carrier
      if (Number.isNaN(message.responseStartNs)) habits.workBeforeSettling++
      else habits.workAfterSettling++
    },
    answerRead: (call, tid, id) => {
      if (call.activity !== undefined) carrierOf(call.process, tid, id).activity = call.activity
    },
    answerBegun: (request, tid, id) => {
      const carrier = carrierOf(request.process, tid, id)
      carrier.acted = true
      const activity = carrier.activity
      if (activity === undefined || activity.owner !== undefined) return
      activity.owner = request
      activity.boundBy = 'reply'
      carrier.habits.boundByReply++
    },
    answerDone: (request, tid, id) => {
      const carrier = carrierOf(request.process, tid, id)
      // An event loop may have moved on to another request before the last part of this answer left.
      const owner = carrier.activity?.owner
      if (owner === undefined || owner === request) carrier.activity = undefined
    },
    settled: (message, tid, id) => {
      const carrier = carrierOf(message.process, tid, id)
      const at = carrier.unsettled.indexOf(message)
      if (at < 0) return
      carrier.unsettled.splice(at, 1)
      const { habits } = carrier
      const settlesFirst = habits.workAfterSettling > 2 * habits.workBeforeSettling
      if (settlesFirst) carrier.activity = message.activity
      else if (carrier.unsettled.length > 0) carrier.activity = carrier.unsettled[0]!.activity
    },
    ended: tid => {
      byId.delete(tid)
    },
    bindsByReply: process => (habitsByProcess.get(process)?.boundByReply ?? 0) > 0,
    get size() {
      return byId.size
    },
  }
}

function activityOf(carrier: Carrier, timeNs: number): Activity {
  carrier.activity ??= { owner: undefined, parent: undefined, boundBy: undefined, trust: 1, sinceNs: timeNs }
  return carrier.activity
}

function open(sample: Sample, trust: number): Activity {
  return { owner: sample, parent: undefined, boundBy: 'read', trust, sinceNs: sample.startNs }
}

/** How far "works for what it read last" can be believed of the request that is being read. */
function trustIn(carrier: Carrier, habits: ProcessHabits, sample: Sample): number {
  const before = carrier.activity?.owner
  const untouched =
    before !== undefined &&
    !carrier.acted &&
    !before.complete &&
    before.exchange.shape === 'call' &&
    before.connection !== sample.connection &&
    !Number.isNaN(before.requestEndNs)
  if (untouched) habits.batched++
  const batchReader = habits.requests > BATCH_SAMPLE && habits.batched > BATCH_SHARE * habits.requests
  return untouched || batchReader ? TRUST_IN_BATCH_READER : 1
}
