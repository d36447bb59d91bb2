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
const MOST_WAYS_PER_KIND = 60

/** What a search may cost, and what was left out because there was too much of it. */
export interface SearchLimits {
  /** Calls and neighbours that may still be looked at; at 0 the search ends where it is. */
  work: number
  /** Ways to share calls that were not looked at. */
  waysCut: number
}

/**
 * All ways to share the calls of two requests between them, kind by kind: as it is, everything exchanged, one exchanged
 * for one, one moved. The first is the present one.
 */
export function exchanges(
  window: ServiceWindow,
  links: CallLinks,
  p: number,
  q: number,
  limits: SearchLimits,
): Exchange[] {
  const kinds = new Map<number, [number[], number[]]>()
  const sort = (calls: readonly number[], side: 0 | 1): void => {
    for (const call of calls) {
      const kind = window.callKind[call]!
      let both = kinds.get(kind)
      if (both === undefined) kinds.set(kind, (both = [[], []]))
      both[side].push(call)
    }
  }
  sort(links.callsOf[p]!, 0)
  sort(links.callsOf[q]!, 1)
  let all: Exchange[] = [[[], []]]
  for (const [a, b] of kinds.values()) {
    const ways = waysOfKind(window, a, b, p, q, limits)
    if (ways.length === 1 && all.length === 1) {
      all = [[all[0]![0].concat(a), all[0]![1].concat(b)]]
      continue
    }
    const next: Exchange[] = []
    for (const base of all) {
      if (next.length >= MOST_WAYS) limits.waysCut++
      else for (const [first, second] of ways) next.push([base[0].concat(first), base[1].concat(second)])
    }
    all = next
  }
  for (const [first, second] of all) {
    ;(first as number[]).sort(ascending)
    ;(second as number[]).sort(ascending)
  }
  return all
}

function waysOfKind(
  window: ServiceWindow,
  a: number[],
  b: number[],
  p: number,
  q: number,
  limits: SearchLimits,
): Exchange[] {
  const ways: Exchange[] = [[a, b]]
  const free = (call: number, to: number): boolean => window.fixed[call] === 0 && isCandidate(window, call, to)
  const toQ = a.filter(call => free(call, q))
  const toP = b.filter(call => free(call, p))
  if (toQ.length === a.length && toP.length === b.length) ways.push([b, a])
  const total = a.length + b.length
  if (total < 2) return ways
  // One for one, where that is not the same as everything for everything.
  if (a.length * b.length > 1) {
    for (const x of toQ) {
      for (const y of toP) {
        if (ways.length >= MOST_WAYS_PER_KIND) {
          limits.waysCut++
          break
        }
        ways.push([without(a, x).concat(y), without(b, y).concat(x)])
      }
      if (ways.length >= MOST_WAYS_PER_KIND) break
    }
  }
  for (const x of toQ.slice(0, MOST_WAYS_PER_KIND)) ways.push([without(a, x), b.concat(x)])
  for (const y of toP.slice(0, MOST_WAYS_PER_KIND)) ways.push([a.concat(y), without(b, y)])
  return ways
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
