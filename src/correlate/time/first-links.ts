import { type CallLinks, createCallLinks, listCalls } from './call-links.js'
import type { CallRates } from './call-rates.js'
import { GapDensity } from './gap-density.js'
import type { ServiceWindow } from './service-window.js'
import { NO_PARENT } from './timed-sample.js'

const ROUNDS = 6
const BALANCING_STEPS = 3
/** Gaps that one density is made of at most. */
const MOST_GAPS = 20_000
/** Candidates with less of a share do not take part in the first, greedy choice. */
const SMALLEST_SHARE = 0.01

/** Links to begin with, and each candidate's share of belief (as in `window.candidates`). */
export interface FirstLinks {
  readonly links: CallLinks
  readonly shares: Float64Array
}

/** Pairs judged one by one by the gap to the request's start and to its end, then balanced and chosen greedily. */
export function firstLinks(window: ServiceWindow, rates: CallRates): FirstLinks {
  const shares = sharesByRate(window, rates)
  const scores = new Float64Array(shares.length)
  for (let round = 0; round < ROUNDS; round++) {
    score(window, rates, shares, scores)
    shareOut(window, scores, shares)
    for (let step = 0; step < BALANCING_STEPS; step++) balance(window, rates, shares)
  }
  return { links: choose(window, rates, shares, scores), shares }
}

function eachCall(window: ServiceWindow, visit: (call: number, from: number, to: number) => void): void {
  for (let call = 0; call < window.callCount; call++) {
    visit(call, window.firstCandidate[call]!, window.firstCandidate[call + 1]!)
  }
}

function rateAt(window: ServiceWindow, rates: CallRates, call: number, at: number): number {
  return rates.of(window.requestKind[window.candidates[at]!]!, window.callKind[call]!)
}

function sharesByRate(window: ServiceWindow, rates: CallRates): Float64Array {
  const shares = new Float64Array(window.candidates.length)
  eachCall(window, (call, from, to) => {
    for (let at = from; at < to; at++) shares[at] = rateAt(window, rates, call, at)
    normalise(shares, from, to)
  })
  return shares
}

interface Gaps {
  readonly starts: number[]
  readonly ends: number[]
  readonly weights: number[]
}

function score(window: ServiceWindow, rates: CallRates, shares: Float64Array, scores: Float64Array): void {
  const { candidates, requestKind, callKind, callKinds, callStart, callEnd, requestStart, requestEnd } = window
  const gaps = new Map<number, Gaps>()
  eachCall(window, (call, from, to) => {
    for (let at = from; at < to; at++) {
      const request = candidates[at]!
      const key = requestKind[request]! * callKinds + callKind[call]!
      let those = gaps.get(key)
      if (those === undefined) gaps.set(key, (those = { starts: [], ends: [], weights: [] }))
      if (those.starts.length >= MOST_GAPS) continue
      those.starts.push(callStart[call]! - requestStart[request]!)
      those.ends.push(requestEnd[request]! - callEnd[call]!)
      those.weights.push(shares[at]!)
    }
  })
  const densities = new Map<number, readonly [GapDensity, GapDensity]>()
  for (const [key, { starts, ends, weights }] of gaps) {
    const weight = Float64Array.from(weights)
    densities.set(key, [
      new GapDensity(Float64Array.from(starts), weight),
      new GapDensity(Float64Array.from(ends), weight),
    ])
  }
  eachCall(window, (call, from, to) => {
    for (let at = from; at < to; at++) {
      const request = candidates[at]!
      const [sinceStart, untilEnd] = densities.get(requestKind[request]! * callKinds + callKind[call]!)!
      scores[at] =
        Math.log(Math.max(1e-12, rateAt(window, rates, call, at))) +
        sinceStart.log(callStart[call]! - requestStart[request]!) +
        untilEnd.log(requestEnd[request]! - callEnd[call]!)
    }
  })
}

function shareOut(window: ServiceWindow, scores: Float64Array, shares: Float64Array): void {
  eachCall(window, (_call, from, to) => {
    let most = Number.NEGATIVE_INFINITY
    for (let at = from; at < to; at++) most = Math.max(most, scores[at]!)
    for (let at = from; at < to; at++) shares[at] = Math.exp(scores[at]! - most)
    normalise(shares, from, to)
  })
}

/** A request takes about as many calls of a kind as its kind makes. */
function balance(window: ServiceWindow, rates: CallRates, shares: Float64Array): void {
  const taken = new Map<number, number>()
  const keyAt = (call: number, at: number): number => window.candidates[at]! * window.callKinds + window.callKind[call]!
  eachCall(window, (call, from, to) => {
    for (let at = from; at < to; at++) {
      const key = keyAt(call, at)
      taken.set(key, (taken.get(key) ?? 0) + shares[at]!)
    }
  })
  eachCall(window, (call, from, to) => {
    for (let at = from; at < to; at++) {
      const room = Math.max(1, rateAt(window, rates, call, at))
      const sum = taken.get(keyAt(call, at))!
      if (sum > room) shares[at] = (shares[at]! * room) / sum
    }
    normalise(shares, from, to)
  })
}

function normalise(shares: Float64Array, from: number, to: number): void {
  let sum = 0
  for (let at = from; at < to; at++) sum += shares[at]!
  if (sum <= 0) return
  for (let at = from; at < to; at++) shares[at] = shares[at]! / sum
}

function choose(window: ServiceWindow, rates: CallRates, shares: Float64Array, scores: Float64Array): CallLinks {
  const links = createCallLinks(window)
  const callOf = new Int32Array(shares.length)
  const order: number[] = []
  eachCall(window, (call, from, to) => {
    callOf.fill(call, from, to)
    for (let at = from; at < to; at++) if (shares[at]! >= SMALLEST_SHARE) order.push(at)
  })
  order.sort((a, b) => shares[b]! - shares[a]! || scores[b]! - scores[a]! || a - b)
  const taken = new Map<number, number>()
  for (const full of [false, true]) {
    for (const at of order) {
      const call = callOf[at]!
      if (links.parentOf[call] !== NO_PARENT) continue
      const key = window.candidates[at]! * window.callKinds + window.callKind[call]!
      const already = taken.get(key) ?? 0
      if (!full && already >= Math.max(1, Math.round(rateAt(window, rates, call, at)))) continue
      links.parentOf[call] = window.candidates[at]!
      taken.set(key, already + 1)
    }
  }
  listCalls(links)
  return links
}
