import type { TimedCall, TimedRequest } from './timed-sample.js'

/** A call may end this part of its parent's usual duration after the parent: answers that are not waited for. */
const END_TOLERANCE = 0.1
/**
 * Requests looked at for one call and kind of request; what lies beyond is counted, and lowers the confidence. Fewer in a
 * window of very many calls, or of very many kinds, so that there are never many more than this in all.
 */
const MOST_CANDIDATES = 64
const FEWEST_CANDIDATES = 4
const CANDIDATES_OF_A_WINDOW = 400_000

/**
 * One service for some time: its requests and calls in order of their start as arrays of numbers, and for each call the
 * requests that could have made it (all their indexes in `candidates`, from `firstCandidate[call]` on, ascending).
 */
export interface ServiceWindow {
  readonly requestCount: number
  readonly requestStart: Float64Array
  readonly requestEnd: Float64Array
  readonly requestKind: Int32Array
  readonly requestPlace: Int32Array
  readonly requestKinds: number
  readonly callCount: number
  readonly callStart: Float64Array
  readonly callEnd: Float64Array
  readonly callKind: Int32Array
  readonly callKinds: number
  /** Calls whose parent is known from other evidence: not moved. */
  readonly fixed: Uint8Array
  readonly firstCandidate: Int32Array
  readonly candidates: Int32Array
  /** Candidates that were left out for a call, because there were too many. */
  readonly leftOut: Int32Array
  /** Length of the window in µs. */
  readonly length: number
}

export interface ServiceWindowInput {
  /** In order of their start. */
  readonly requests: readonly TimedRequest[]
  /** In order of their start. */
  readonly calls: readonly TimedCall[]
  readonly requestKinds: number
  readonly callKinds: number
  /** Durations of earlier requests of a kind, µs. */
  readonly earlierDurations?: (kind: number) => readonly number[]
}

export function createServiceWindow(input: ServiceWindowInput): ServiceWindow {
  const { requests, calls } = input
  const tolerance = tolerances(input)
  const { first, list, leftOut } = candidatesOf(requests, calls, tolerance)
  const begin = Math.min(requests[0]?.start ?? 0, calls[0]?.start ?? 0)
  let end = begin
  for (const request of requests) end = Math.max(end, request.end)
  for (const call of calls) end = Math.max(end, call.start)
  return {
    requestCount: requests.length,
    requestStart: Float64Array.from(requests, request => request.start),
    requestEnd: Float64Array.from(requests, request => request.end),
    requestKind: Int32Array.from(requests, request => request.kind),
    requestPlace: Int32Array.from(requests, request => request.place),
    requestKinds: input.requestKinds,
    callCount: calls.length,
    callStart: Float64Array.from(calls, call => call.start),
    callEnd: Float64Array.from(calls, call => call.end),
    callKind: Int32Array.from(calls, call => call.kind),
    callKinds: input.callKinds,
    fixed: Uint8Array.from(calls, call => (call.known === undefined ? 0 : 1)),
    firstCandidate: first,
    candidates: list,
    leftOut,
    length: Math.max(1, end - begin),
  }
}

/** True if `request` is one of the call's candidates. */
export function isCandidate(window: ServiceWindow, call: number, request: number): boolean {
  const { firstCandidate, candidates } = window
  let low = firstCandidate[call]!
  let high = firstCandidate[call + 1]! - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const at = candidates[middle]!
    if (at === request) return true
    if (at < request) low = middle + 1
    else high = middle - 1
  }
  return false
}

/** The same window with only those candidates that `keep` agrees to. */
export function withCandidates(window: ServiceWindow, keep: (call: number, request: number) => boolean): ServiceWindow {
  const first = new Int32Array(window.callCount + 1)
  const list: number[] = []
  for (let call = 0; call < window.callCount; call++) {
    for (let at = window.firstCandidate[call]!; at < window.firstCandidate[call + 1]!; at++) {
      const request = window.candidates[at]!
      if (window.fixed[call] === 1 || keep(call, request)) list.push(request)
    }
    first[call + 1] = list.length
  }
  return { ...window, firstCandidate: first, candidates: Int32Array.from(list) }
}

function tolerances({ requests, requestKinds, earlierDurations }: ServiceWindowInput): Float64Array {
  const durations: number[][] = Array.from({ length: requestKinds }, (_, kind) => [...(earlierDurations?.(kind) ?? [])])
  for (const request of requests) durations[request.kind]!.push(request.end - request.start)
  return Float64Array.from(durations, list => {
    list.sort((a, b) => a - b)
    return END_TOLERANCE * (list[list.length >> 1] ?? 0)
  })
}

/** Requests of one place and kind that have begun and may not have ended, in order of their start. */
interface Active {
  list: number[]
  /** Calls that looked at the list since ended requests were taken out of it. */
  looks: number
}

interface Candidates {
  readonly first: Int32Array
  readonly list: Int32Array
  readonly leftOut: Int32Array
}

function candidatesOf(
  requests: readonly TimedRequest[],
  calls: readonly TimedCall[],
  tolerance: Float64Array,
): Candidates {
  const first = new Int32Array(calls.length + 1)
  const leftOut = new Int32Array(calls.length)
  const found: number[] = []
  const activeByPlace = new Map<number, Map<number, Active>>()
  const share = CANDIDATES_OF_A_WINDOW / Math.max(1, calls.length)
  let next = 0
  for (let i = 0; i < calls.length; i++) {
    const call = calls[i]!
    while (next < requests.length && requests[next]!.start <= call.start) {
      enter(activeByPlace, requests[next]!, next)
      next++
    }
    const before = found.length
    const active = activeByPlace.get(call.place)
    if (call.known !== undefined) {
      if (call.known >= 0) found.push(call.known)
    } else if (active !== undefined) {
      const most = Math.max(FEWEST_CANDIDATES, Math.min(MOST_CANDIDATES, Math.floor(share / active.size)))
      for (const [kind, among] of active) leftOut[i]! += collect(requests, call, among, most, tolerance[kind]!, found)
      // None contains it: those in which it began.
      if (found.length === before) {
        for (const among of active.values()) {
          leftOut[i]! += collect(requests, call, among, most, Number.POSITIVE_INFINITY, found)
        }
      }
      sortTail(found, before)
    }
    first[i + 1] = found.length
  }
  return { first, list: Int32Array.from(found), leftOut }
}

function enter(activeByPlace: Map<number, Map<number, Active>>, request: TimedRequest, index: number): void {
  let kinds = activeByPlace.get(request.place)
  if (kinds === undefined) activeByPlace.set(request.place, (kinds = new Map()))
  const active = kinds.get(request.kind)
  if (active === undefined) kinds.set(request.kind, { list: [index], looks: 0 })
  else active.list.push(index)
}

/**
 * Appends the active requests that contain the call. Where there are too many, half of what is looked at began last, the
 * other half is spread over the rest. Returns how many were passed over.
 */
function collect(
  requests: readonly TimedRequest[],
  call: TimedCall,
  active: Active,
  most: number,
  tolerance: number,
  found: number[],
): number {
  // Not at every call, so that a crowd costs no more per call than a few do.
  if (++active.looks * 16 >= active.list.length) {
    active.list = active.list.filter(index => requests[index]!.end >= call.start)
    active.looks = 0
  }
  const { list } = active
  const recent = Math.max(0, list.length - (list.length > most ? most >> 1 : most))
  const stride = Math.max(1, recent / (most >> 1))
  let looked = 0
  const look = (index: number): void => {
    looked++
    const request = requests[index]!
    if (request.end >= call.start && request.end + tolerance >= call.end) found.push(index)
  }
  for (let at = 0; at < recent; at += stride) look(list[Math.floor(at)]!)
  for (let at = recent; at < list.length; at++) look(list[at]!)
  return list.length - looked
}

function sortTail(values: number[], from: number): void {
  if (values.length - from < 2) return
  const tail = values.splice(from).sort((a, b) => a - b)
  for (const value of tail) values.push(value)
}
