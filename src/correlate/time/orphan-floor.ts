import type { ServiceWindow } from './service-window.js'

/** Time without any request that is worth looking at, as a share of the window. */
const LEAST_IDLE_SHARE = 1e-3

/**
 * Calls per µs and kind that have no request for certain: those that began while their place had no request at all. What
 * comes without a request comes at any time, so as many of them must lie within requests, where nobody can tell them
 * from the others by containment. A cautious estimate (one standard deviation less), 0 where there is none.
 */
export function orphanFloor(window: ServiceWindow): Float64Array {
  const outside = new Float64Array(window.callKinds)
  for (let call = 0; call < window.callCount; call++) {
    if (window.fixed[call] === 1 || window.firstCandidate[call] !== window.firstCandidate[call + 1]) continue
    const kind = window.callKind[call]!
    outside[kind] = outside[kind]! + 1
  }
  const idle = idleTime(window)
  if (idle < LEAST_IDLE_SHARE * window.length) return outside.fill(0)
  return outside.map(count => Math.max(0, count - Math.sqrt(count)) / idle)
}

/** Time during which a place had no request, all places together. */
function idleTime(window: ServiceWindow): number {
  const busyUntil = new Map<number, number>()
  const busy = new Map<number, number>()
  for (let request = 0; request < window.requestCount; request++) {
    const place = window.requestPlace[request]!
    const until = busyUntil.get(place) ?? Number.NEGATIVE_INFINITY
    const start = Math.max(until, window.requestStart[request]!)
    const end = window.requestEnd[request]!
    if (end <= start) continue
    busy.set(place, (busy.get(place) ?? 0) + end - start)
    busyUntil.set(place, end)
  }
  let idle = 0
  for (const time of busy.values()) idle += Math.max(0, window.length - time)
  return idle
}
