import { type ServiceWindow, withCandidates } from './service-window.js'

/** Below this many calls per request a kind of request is taken not to make that kind of call. */
const LOWEST_RATE = 0.005
const ROUNDS = 40

/** Calls of each kind that a request of each kind makes on average: `rate(request kind, call kind)`. */
export interface CallRates {
  of(requestKind: number, callKind: number): number
}

/** What is known from before: requests of each kind, and their calls of each kind (request kind × call kinds + call kind). */
export interface EarlierCounts {
  readonly requests: Float64Array
  readonly calls: Float64Array
}

/** Expectation maximisation over containment: a short request that contains a call has more of a claim to it. */
export function learnCallRates(window: ServiceWindow, earlier?: EarlierCounts): CallRates {
  const { requestKinds, callKinds, requestKind, callKind, requestStart, requestEnd } = window
  const requests = earlier === undefined ? new Float64Array(requestKinds) : earlier.requests.slice()
  for (const kind of requestKind) requests[kind] = requests[kind]! + 1
  let rates = new Float64Array(requestKinds * callKinds).fill(1)
  const claim = new Float64Array(window.candidates.length)
  for (let round = 0; round < ROUNDS; round++) {
    const sums = earlier === undefined ? new Float64Array(rates.length) : earlier.calls.slice()
    for (let call = 0; call < window.callCount; call++) {
      const from = window.firstCandidate[call]!
      const to = window.firstCandidate[call + 1]!
      let total = 0
      for (let at = from; at < to; at++) {
        const request = window.candidates[at]!
        const rate = rates[requestKind[request]! * callKinds + callKind[call]!]!
        claim[at] = rate / (requestEnd[request]! - requestStart[request]! + 1)
        total += claim[at]!
      }
      if (total <= 0) continue
      for (let at = from; at < to; at++) {
        const index = requestKind[window.candidates[at]!]! * callKinds + callKind[call]!
        sums[index] = sums[index]! + claim[at]! / total
      }
    }
    rates = sums.map((sum, index) => sum / Math.max(1e-9, requests[Math.floor(index / callKinds)]!))
  }
  const kept = rates.map(rate => (rate < LOWEST_RATE ? 0 : rate))
  return { of: (request, call) => kept[request * callKinds + call]! }
}

/** The window without candidates that never make such a call. */
export function prune(window: ServiceWindow, rates: CallRates): ServiceWindow {
  return withCandidates(window, (call, request) => rates.of(window.requestKind[request]!, window.callKind[call]!) > 0)
}
