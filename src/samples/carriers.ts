import type { ObservedProcess } from '../capture/processes.js'
import { type Activity, LONGEST_CHAIN, noteLateWork, ownerOf, type Unknown } from './activity.js'
import { type AnsweringHabits, createAnsweringHabits } from './answering-habits.js'
import { bindDetached, detachedActivity, isPhase, passedThrough, runsLoop } from './event-loop.js'
import type { Sample } from './sample.js'
import { createTaskAnswers, type TaskAnswers } from './task-answers.js'
import { createThreadBirths, type ThreadBirths } from './thread-births.js'
import { DOUBTED } from './trust.js'

/** A process is a batch reader when more than this share of its requests was read over an untouched one. */
const BATCH_SHARE = 0.02
const BATCH_SAMPLE = 50
/** So many answers read by their caller for each one read by another thread make the latter odd. */
const OWN_ANSWERS = 20

/** In place of a carrier's id: the process has carriers, and which one ran is not known. Nothing is concluded then. */
export const UNKNOWN_CARRIER = Number.MAX_SAFE_INTEGER

/** Until so many answers have been seen, any of them may be the first that tells whom earlier calls were made for. */
const FIRST_ANSWERS = 20

interface Carrier {
  activity: Activity | undefined
  /** Something was done (a call, an answer) since `activity` was entered by reading a request. */
  acted: boolean
  /** Messages read but not settled, oldest first: the first one is being worked on. */
  readonly unsettled: Sample[]
  readonly habits: ProcessHabits
  /** Where it has answered last. */
  answered: Sample['connection'] | undefined
  lossEpoch: number
  /** An event loop's thread, whose reads are told one by one. */
  loop: boolean
  /** … nothing tells for whom it runs: each call is made in an activity of its own. */
  scattered: boolean
  /** … and what the present read has brought so far. */
  brought: Activity | undefined
}

interface ProcessHabits {
  /** Connections opened and calls written. */
  calls: number
  requests: number
  /** Requests read while the one before lay untouched: "last read" does not hold here. */
  batched: number
  /** Message work seen before, and after, its own settlement, with no other message waiting. */
  workBeforeSettling: number
  workAfterSettling: number
  /** Activities that found their owner only when the answer was written. */
  boundByReply: number
  /** Of threads that answer what others have read. */
  readonly answering: AnsweringHabits
  /** Of tasks that answer what others have read. */
  readonly taskAnswers: TaskAnswers
  /** Requests that were answered by whomever. */
  answers: number
  /** Of threads that it starts while it works for a request. */
  readonly births: ThreadBirths
  /** Answers read by the thread that had made the call, and by another one. */
  answersToCaller: number
  answersToOther: number
}

/**
 * Who works for whom: every carrier (thread, or task on it) points to an activity, and the rules of design.md (Context)
 * move it along as requests, answers and messages are read and written. Knows nothing of connections and protocols.
 */
export interface Carriers {
  /**
   * Records were lost since the last call with another number: what a carrier was last seen to do says nothing any
   * more about what it does now, so that calls without an owner come of it, and no wrong ones.
   */
  lossEpoch(epoch: number): void
  /** A request or message was read: its activity. */
  requestRead(sample: Sample): Activity
  /** Something was read from a client that could not be understood: whom the carrier works for now is not known. */
  unknownRead(process: ObservedProcess, tid: number, carrier: number): void
  /**
   * An event loop has read from a connection: whatever its callback does belongs to what was being read there, and to
   * nobody known where that is undefined; what the read brings is told afterwards.
   */
  loopRead(process: ObservedProcess, tid: number, activity: Activity | undefined): void
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
  /** A carrier has started a thread: it works for whom the carrier works for now, until that is over. */
  threadBorn(process: ObservedProcess, tid: number, carrier: number, thread: number, timeNs: number): void
  /**
   * A carrier made another one, which starts in its activity as of now; whatever had the same id before is gone.
   * `spawner` 0: the thread itself.
   */
  born(process: ObservedProcess, tid: number, spawner: number, child: number, timeNs: number): void
  ended(tid: number): void
  /** True if work in this process may find its owner only when the answer is written. */
  bindsByReply(process: ObservedProcess): boolean
  /** True if it is still to be seen how far the owner of this call, or calls that have this owner, are to be believed. */
  learns(sample: Sample): boolean
  /** True until this process has been seen to call, or to open a connection to, anybody. */
  callsNobody(process: ObservedProcess): boolean
  readonly size: number
}

export function createCarriers(limit = 100_000): Carriers {
  const byId = new Map<string | number, Carrier>()
  let lossEpoch = 0
  const habitsByProcess = new WeakMap<ObservedProcess, ProcessHabits>()

  const habitsOf = (process: ObservedProcess): ProcessHabits => {
    let habits = habitsByProcess.get(process)
    if (habits === undefined) {
      habits = {
        calls: 0,
        requests: 0,
        batched: 0,
        workBeforeSettling: 0,
        workAfterSettling: 0,
        boundByReply: 0,
        answering: createAnsweringHabits(),
        taskAnswers: createTaskAnswers(),
        answers: 0,
        births: createThreadBirths(),
        answersToCaller: 0,
        answersToOther: 0,
      }
      habitsByProcess.set(process, habits)
    }
    return habits
  }
  const nobody = (process: ObservedProcess, activity: Activity | undefined): Carrier => ({
    activity,
    acted: false,
    unsettled: [],
    habits: habitsOf(process),
    answered: undefined,
    lossEpoch,
    loop: false,
    scattered: false,
    brought: undefined,
  })
  /** Threads that run an event loop which reads for its tasks outside of any of them (uvloop). */
  const loopThreads = new Set<number>()
  const carrierOf = (process: ObservedProcess, tid: number, id: number): Carrier => {
    if (id === UNKNOWN_CARRIER) return nobody(process, unknownActivity('unseen'))
    if (id === 0 && loopThreads.has(tid)) return nobody(process, unknownActivity('loop'))
    if (isPhase(process, id)) return { ...nobody(process, undefined), scattered: true }
    const key = id === 0 ? tid : `${process.pid}:${id}`
    let carrier = byId.get(key)
    if (carrier !== undefined && carrier.lossEpoch !== lossEpoch) forgetWork(carrier, lossEpoch)
    if (carrier === undefined) {
      if (byId.size >= limit) byId.delete(byId.keys().next().value as string | number)
      // After a loss, what a carrier did before it was first seen may have been lost with it.
      carrier = nobody(process, lossEpoch === 0 ? undefined : unknownActivity('lost'))
      byId.set(key, carrier)
    }
    return carrier
  }

  return {
    lossEpoch: epoch => {
      lossEpoch = epoch
    },
    requestRead: sample => {
      const carrier = carrierOf(sample.process, sample.tid, sample.carrier)
      const { habits } = carrier
      const activity = open(sample, trustIn(carrier, habits, sample))
      habits.requests++
      if (sample.exchange.shape === 'message') {
        carrier.unsettled.push(sample)
        // One that waits behind an unsettled message has not been begun.
        if (!carrier.loop && carrier.unsettled.length > 1 && carrier.activity?.owner === carrier.unsettled[0])
          return activity
      } else {
        carrier.unsettled.length = 0
      }
      enter(carrier, activity)
      carrier.acted = false
      return activity
    },
    unknownRead: (process, tid, id) => {
      const carrier = carrierOf(process, tid, id)
      carrier.activity = unknownActivity('unread')
    },
    loopRead: (process, tid, activity) => {
      const carrier = carrierOf(process, tid, 0)
      carrier.loop = true
      carrier.scattered = false
      carrier.brought = undefined
      carrier.activity = activity ?? unknownActivity('unread')
    },
    requestContinued: (sample, tid, id) => {
      if (sample.activity !== undefined) carrierOf(sample.process, tid, id).activity = sample.activity
    },
    current: (process, tid, id, timeNs) => {
      const carrier = carrierOf(process, tid, id)
      endIfOutlived(carrier)
      const activity = activityOf(carrier, timeNs)
      noteLateWork(activity, timeNs)
      return activity
    },
    connecting: (process, tid, id, timeNs) => {
      const carrier = carrierOf(process, tid, id)
      carrier.acted = true
      endIfOutlived(carrier)
      carrier.habits.calls++
      return activityOf(carrier, timeNs)
    },
    callMade: (process, tid, id, activity) => {
      const carrier = carrierOf(process, tid, id)
      carrier.acted = true
      activity.calls = (activity.calls ?? 0) + 1
      carrier.habits.calls++
      const message = activity.owner
      if (message === undefined || message.exchange.shape !== 'message' || carrier.unsettled.length > 1) return
      const { habits } = carrier
      if (Number.isNaN(message.responseStartNs)) habits.workBeforeSettling++
      else habits.workAfterSettling++
    },
    answerRead: (call, tid, id) => {
      if (call.activity === undefined) return
      const carrier = carrierOf(call.process, tid, id)
      // Whoever asked has been answered already: a late answer, or after a loss one that is taken for another's.
      const over = ownerOf(call.activity)?.complete === true && carrier.activity !== call.activity
      // An answer that comes late says nothing about who reads whose.
      const odd = !over && isOddReader(carrier.habits, call.tid === tid)
      enter(carrier, over || odd ? unknownActivity(over ? 'over' : 'odd') : call.activity)
    },
    answerBegun: (request, tid, id) => {
      const carrier = carrierOf(request.process, tid, id)
      const { habits, activity } = carrier
      carrier.acted = true
      habits.answers++
      if (runsLoop(request.process)) {
        if (bindDetached(activity, request)) habits.boundByReply++
        return
      }
      if (id !== 0) {
        habits.taskAnswers.answered(carrier.answered === undefined || carrier.answered === request.connection)
        carrier.answered = request.connection
      }
      if (activity?.owner !== undefined) return
      // Who read it himself owned his work from then on: what has no owner after that was lost sight of.
      if (request.tid === tid && request.carrier === id) return
      // A task is born and ends; a thread of a pool shows no border between its jobs.
      if (id === 0) habits.answering.answered(request, activity?.calls ?? 0, activity?.sinceNs ?? 0)
      if (activity === undefined) return
      activity.answering = id === 0 ? habits.answering : habits.taskAnswers
      activity.owner = request
      activity.boundBy = 'reply'
      habits.boundByReply++
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
      if (runsLoop(message.process)) return
      const { habits } = carrier
      const settlesFirst = habits.workAfterSettling > 2 * habits.workBeforeSettling
      if (settlesFirst) carrier.activity = message.activity
      else if (carrier.unsettled.length > 0) carrier.activity = carrier.unsettled[0]!.activity
    },
    threadBorn: (process, tid, id, thread, timeNs) => {
      byId.delete(thread)
      const parent = carrierOf(process, tid, id).activity
      // A loop's threads are its pool's.
      if (parent === undefined || runsLoop(process)) return
      const child = carrierOf(process, thread, 0)
      const { births } = child.habits
      if (ownerOf(parent) !== undefined) births.born()
      parent.hasThreads = true
      child.activity = { owner: undefined, parent, boundBy: undefined, trust: 1, born: births, sinceNs: timeNs }
    },
    born: (process, tid, spawner, child, timeNs) => {
      if (readsOutsideTasks(process)) loopThreads.add(tid)
      const key = `${process.pid}:${child}`
      byId.delete(key)
      if (byId.size >= limit) byId.delete(byId.keys().next().value as string | number)
      const spawners = activityOf(carrierOf(process, tid, spawner), timeNs)
      spawners.hasCarriers = true
      byId.set(key, nobody(process, bornIn(runsLoop(process) ? passedThrough(spawners) : spawners, timeNs)))
    },
    ended: tid => {
      loopThreads.delete(tid)
      byId.delete(tid)
    },
    bindsByReply: process => {
      const habits = habitsByProcess.get(process)
      return (
        habits !== undefined && (habits.boundByReply > 0 || (habits.requests > 0 && habits.answers < FIRST_ANSWERS))
      )
    },
    learns: sample => {
      const habits = habitsByProcess.get(sample.process)
      if (habits === undefined) return false
      if (habits.boundByReply > 0 && !habits.answering.settled && !habits.taskAnswers.settled) return true
      const { activity } = sample
      return (activity?.born !== undefined || activity?.hasThreads === true) && !habits.births.settled
    },
    callsNobody: process => (habitsByProcess.get(process)?.calls ?? 0) === 0,
    get size() {
      return byId.size
    },
  }
}

/** A thread that goes on after the request is over that it was started for works for nobody who is known. */
function endIfOutlived(carrier: Carrier): void {
  const { activity } = carrier
  if (activity?.born === undefined || activity.owner !== undefined || ownerOf(activity)?.complete !== true) return
  activity.born.outlived()
  carrier.activity = undefined
}

/** In a process whose threads read their own answers, one that reads another's has most likely got the wrong one. */
function isOddReader(habits: ProcessHabits, isCaller: boolean): boolean {
  if (isCaller) habits.answersToCaller++
  else habits.answersToOther++
  return !isCaller && habits.answersToCaller > OWN_ANSWERS * habits.answersToOther
}

function readsOutsideTasks(process: ObservedProcess): boolean {
  const kinds: unknown = process.info?.carriers?.kinds
  return Array.isArray(kinds) && kinds.includes('uvloop')
}

function forgetWork(carrier: Carrier, lossEpoch: number): void {
  carrier.lossEpoch = lossEpoch
  carrier.activity = unknownActivity('lost')
  carrier.acted = true
  carrier.unsettled.length = 0
}

/** Work of which it is known that its owner is not: nothing that is done in it is ever linked by context. */
export function unknownActivity(why: Unknown): Activity {
  return { owner: undefined, parent: undefined, boundBy: undefined, trust: 0, unknown: why, sinceNs: 0 }
}

/**
 * The carrier goes on with this. Where one read brings a loop several things, their callbacks run one after the other and
 * nothing tells them apart.
 */
function enter(carrier: Carrier, activity: Activity): void {
  carrier.activity = activity
  if (!carrier.loop) return
  if (carrier.brought !== undefined && carrier.brought !== activity) carrier.scattered = true
  carrier.brought = activity
}

function bornIn(parent: Activity, timeNs: number): Activity {
  const depth = (parent.depth ?? 0) + 1
  // Nobody would look up so far, and a task that makes its successor would never let go of the first.
  const above = depth < LONGEST_CHAIN ? { parent, depth } : { parent: undefined }
  return { owner: undefined, ...above, boundBy: undefined, trust: 1, sinceNs: timeNs }
}

function activityOf(carrier: Carrier, timeNs: number): Activity {
  if (carrier.scattered) return detachedActivity(timeNs)
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
    // Whoever reads answers from a queue for all that wait is at each of their requests in turn, and does nothing for it.
    sample.exchange.shape === 'call' &&
    before.connection !== sample.connection &&
    !Number.isNaN(before.requestEndNs)
  if (untouched) habits.batched++
  const batchReader = habits.requests > BATCH_SAMPLE && habits.batched > BATCH_SHARE * habits.requests
  return untouched || batchReader ? DOUBTED : 1
}
