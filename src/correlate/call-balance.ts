import type { ObservedProcess } from '../capture/processes.js'
import type { Sample } from '../samples/sample.js'

/**
 * How many calls context gives to each request. Where it takes the call of one for its neighbour's (after a timer in an
 * event loop, say), one has none and another twice as many as its like.
 */
export interface CallBalance {
  begin(request: Sample): void
  complete(request: Sample): void
  /** Context gives this call to this request; to be told as often as it says so. */
  told(call: Sample, owner: Sample): void
  /**
   * True: the owner has too many calls, and another request that was open when this call began has none though its like
   * always have some. 'open': that one may still get calls.
   */
  contradicts(call: Sample, owner: Sample, nowNs: number): boolean | 'open'
  forget(sample: Sample): void
}

interface Tally {
  readonly request: Sample
  calls: number
  /** No other request of the process was open while it was. */
  alone: boolean
}

/** Numbers of calls of the requests of one operation, those counted apart that had their process for themselves. */
interface Habit {
  readonly all: Float64Array
  readonly alone: Float64Array
}

interface Balance {
  readonly habits: Map<string, Habit>
  readonly tallies: Map<Sample, Tally>
  open: number
  single: Tally | undefined
}

/** Larger numbers of calls are counted as this one. */
const LARGEST = 31
const REQUESTS_TO_KNOW = 20
/** Counts are halved beyond this. */
const REQUESTS_COUNTED = 1_000
/** Of requests that always make calls, this share may seem to make none. */
const EXCEPTIONS = 0.02
/** Of requests that were never alone, so many must make the same number of calls for it to be taken for the usual one. */
const USUAL_SHARE = 0.6
const MOST_OPERATIONS = 200
/** Requests of a process that have not left yet and are looked at. */
const MOST_TALLIES = 256
/** After a request's end its calls may still be told of. */
const TOLD_NS = 300e6

export function createCallBalance(): CallBalance {
  const byProcess = new WeakMap<ObservedProcess, Balance>()
  const counted = new WeakSet<Sample>()

  const balanceOf = (process: ObservedProcess): Balance => {
    let balance = byProcess.get(process)
    if (balance === undefined) {
      balance = { habits: new Map(), tallies: new Map(), open: 0, single: undefined }
      byProcess.set(process, balance)
    }
    return balance
  }
  return {
    begin: request => {
      const balance = byProcess.get(request.process)
      if (balance === undefined) return
      const tally: Tally = { request, calls: 0, alone: balance.open === 0 }
      if (balance.open > 0 && balance.single !== undefined) balance.single.alone = false
      balance.single = tally.alone ? tally : undefined
      balance.open++
      if (balance.tallies.size >= MOST_TALLIES) balance.tallies.delete(balance.tallies.keys().next().value!)
      balance.tallies.set(request, tally)
    },
    complete: request => {
      const balance = byProcess.get(request.process)
      if (balance !== undefined && balance.open > 0) balance.open--
    },
    told: (call, owner) => {
      if (counted.has(call)) return
      counted.add(call)
      const tally = balanceOf(owner.process).tallies.get(owner)
      if (tally !== undefined) tally.calls++
    },
    contradicts: (call, owner, nowNs) => {
      const balance = byProcess.get(owner.process)
      const tally = balance?.tallies.get(owner)
      if (balance === undefined || tally === undefined) return false
      const usual = usualCalls(balance.habits.get(owner.exchange.name))
      if (usual === undefined || tally.calls < 2 * usual) return false
      let open = false
      for (const { request, calls } of balance.tallies.values()) {
        if (calls > 0 || request === owner || request.startNs > call.startNs) continue
        if (request.complete && request.endNs < call.endNs) continue
        if (usualCalls(balance.habits.get(request.exchange.name)) === undefined) continue
        if (request.complete && nowNs - request.endNs >= TOLD_NS) return true
        open = true
      }
      return open ? 'open' : false
    },
    forget: request => {
      if (request.side !== 'server') return
      const balance = byProcess.get(request.process)
      const tally = balance?.tallies.get(request)
      if (balance === undefined || tally === undefined) return
      balance.tallies.delete(request)
      if (request.complete) count(balance.habits, tally)
    },
  }
}

function count(habits: Map<string, Habit>, { request, calls, alone }: Tally): void {
  const { name } = request.exchange
  let habit = habits.get(name)
  if (habit === undefined) {
    if (habits.size >= MOST_OPERATIONS) return
    habits.set(name, (habit = { all: new Float64Array(LARGEST + 1), alone: new Float64Array(LARGEST + 1) }))
  }
  const number = Math.min(LARGEST, calls)
  for (const counts of alone ? [habit.all, habit.alone] : [habit.all]) {
    counts[number]!++
    if (sum(counts) > REQUESTS_COUNTED) for (let at = 0; at <= LARGEST; at++) counts[at]! /= 2
  }
}

/** The largest usual number of calls; undefined where requests may make none, or any number. */
function usualCalls(habit: Habit | undefined): number | undefined {
  if (habit === undefined) return undefined
  const alone = sum(habit.alone)
  if (alone >= REQUESTS_TO_KNOW) {
    if (habit.alone[0]! > EXCEPTIONS * alone) return undefined
    let seen = 0
    for (let calls = 1; calls <= LARGEST; calls++) {
      seen += habit.alone[calls]!
      if (seen >= (1 - EXCEPTIONS) * alone) return calls
    }
    return undefined
  }
  const all = sum(habit.all)
  if (all < REQUESTS_TO_KNOW) return undefined
  for (let calls = 1; calls <= LARGEST; calls++) if (habit.all[calls]! >= USUAL_SHARE * all) return calls
  return undefined
}

function sum(counts: Float64Array): number {
  let total = 0
  for (const one of counts) total += one
  return total
}
