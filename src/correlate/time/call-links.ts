import { isCandidate, type ServiceWindow } from './service-window.js'
import { NO_PARENT } from './timed-sample.js'

/** Who is taken to have made which call, at one moment of the search. */
export interface CallLinks {
  /** Request of each call, or NO_PARENT. */
  readonly parentOf: Int32Array
  /** Calls of each request, ascending, which is the order of their start. */
  readonly callsOf: (readonly number[])[]
}

export function createCallLinks(window: ServiceWindow): CallLinks {
  return {
    parentOf: new Int32Array(window.callCount).fill(NO_PARENT),
    callsOf: Array.from({ length: window.requestCount }, () => []),
  }
}

/** Makes `callsOf` agree with `parentOf`. */
export function listCalls(links: CallLinks): void {
  const lists: number[][] = links.callsOf.map(() => [])
  for (let call = 0; call < links.parentOf.length; call++) {
    const parent = links.parentOf[call]!
    if (parent >= 0) lists[parent]!.push(call)
  }
  for (let request = 0; request < lists.length; request++) links.callsOf[request] = lists[request]!
}

/** Gives a request exactly these calls. */
export function setCalls(links: CallLinks, request: number, calls: readonly number[]): void {
  links.callsOf[request] = calls
  for (const call of calls) links.parentOf[call] = request
}

/** Two requests' calls, shared between them in another way. */
export type Exchange = readonly [first: readonly number[], second: readonly number[]]

const MOST_WAYS = 300
const MOST_SWAPS_OF_A_KIND = 60
const MOST_MOVES = 60

/** What a search may cost, and what was left out because there was too much of it. */
export interface SearchLimits {
  /** Calls and neighbours that may still be looked at; at 0 the search ends where it is. */
  work: number
  /** Ways to share calls that were not looked at. */
  waysCut: number
}

/**
 * Ways to share the calls of two requests between them, the present one first: kind by kind as it is, everything
 * exchanged, one exchanged for one, and all that together; and besides one call moved, everything else staying.
 */
export function exchanges(
  window: ServiceWindow,
  links: CallLinks,
  p: number,
  q: number,
  limits: SearchLimits,
): Exchange[] {
  const callsOfP = links.callsOf[p]!
  const callsOfQ = links.callsOf[q]!
  const toQ = callsOfP.filter(call => window.fixed[call] === 0 && isCandidate(window, call, q))
  const toP = callsOfQ.filter(call => window.fixed[call] === 0 && isCandidate(window, call, p))
  const all: Exchange[] = [[callsOfP, callsOfQ]]
  if (toQ.length === 0 && toP.length === 0) return all
  for (const kind of kindsOf(window, toQ, toP)) {
    const swaps = swapsOfKind(window, [callsOfP, callsOfQ], [toQ, toP], kind, limits)
    const before = all.length
    for (const [x, y] of swaps) {
      for (let base = 0; base < before; base++) {
        if (all.length >= MOST_WAYS) {
          limits.waysCut++
          break
        }
        const [first, second] = all[base]!
        all.push([exchanged(first, x, y), exchanged(second, y, x)])
      }
    }
  }
  // A call that is alone of its kind has been exchanged for none already.
  const alone = (call: number): boolean => {
    const same = (other: number): boolean => other !== call && window.callKind[other] === window.callKind[call]
    return !callsOfP.some(same) && !callsOfQ.some(same)
  }
  const moving = (calls: readonly number[]): number[] => calls.slice(0, MOST_MOVES).filter(call => !alone(call))
  for (const call of moving(toQ)) all.push([without(callsOfP, call), withCall(callsOfQ, call)])
  for (const call of moving(toP)) all.push([withCall(callsOfP, call), without(callsOfQ, call)])
  return all
}

/** Calls of one kind that change sides together: from the first, from the second. */
type Swap = readonly [fromFirst: readonly number[], fromSecond: readonly number[]]

function kindsOf({ callKind }: ServiceWindow, toQ: readonly number[], toP: readonly number[]): number[] {
  const kinds: number[] = []
  for (const calls of [toQ, toP]) {
    for (const call of calls) if (!kinds.includes(callKind[call]!)) kinds.push(callKind[call]!)
  }
  return kinds
}

function swapsOfKind(
  { callKind }: ServiceWindow,
  present: readonly [readonly number[], readonly number[]],
  free: readonly [readonly number[], readonly number[]],
  kind: number,
  limits: SearchLimits,
): Swap[] {
  const ofKind = (call: number): boolean => callKind[call] === kind
  const a = present[0].filter(ofKind)
  const b = present[1].filter(ofKind)
  const x = free[0].filter(ofKind)
  const y = free[1].filter(ofKind)
  const swaps: Swap[] = []
  if (x.length === a.length && y.length === b.length) swaps.push([a, b])
  // One for one, where that is not the same as everything for everything.
  if (a.length * b.length <= 1) return swaps
  for (const one of x) {
    for (const other of y) {
      if (swaps.length < MOST_SWAPS_OF_A_KIND) swaps.push([[one], [other]])
      else limits.waysCut++
    }
  }
  return swaps
}

function exchanged(calls: readonly number[], out: readonly number[], into: readonly number[]): number[] {
  const kept: number[] = []
  for (const call of calls) if (!out.includes(call)) kept.push(call)
  for (const call of into) kept.push(call)
  return kept.sort(ascending)
}

export function without(calls: readonly number[], call: number): number[] {
  return calls.filter(other => other !== call)
}

export function withCall(calls: readonly number[], call: number): number[] {
  const more = calls.concat(call)
  return more.sort(ascending)
}

function ascending(a: number, b: number): number {
  return a - b
}
