import type { ServiceWindow } from './service-window.js'

/** Requests of the same kind and overlapping in time that are looked at for order, before and after each. */
const MOST_NEIGHBOURS = 12
/** Of a request that outlasts many others. */
const MOST_LATER = 24

/** For each request those of its kind and place that were active when it began, or began while it was. */
export function neighboursOf(window: ServiceWindow): number[][] {
  const neighbours: number[][] = Array.from({ length: window.requestCount }, () => [])
  const active = new Map<string, number[]>()
  for (let request = 0; request < window.requestCount; request++) {
    const key = `${window.requestPlace[request]!}:${window.requestKind[request]!}`
    let list = active.get(key)
    if (list === undefined) active.set(key, (list = []))
    const start = window.requestStart[request]!
    // The last ones that have not ended; what lies further back is let go now and then.
    let found = 0
    for (let at = list.length - 1; at >= 0 && found < MOST_NEIGHBOURS; at--) {
      const other = list[at]!
      if (window.requestEnd[other]! < start) {
        list.splice(at, 1)
        continue
      }
      found++
      if (neighbours[other]!.length >= MOST_LATER) continue
      neighbours[request]!.push(other)
      neighbours[other]!.push(request)
    }
    list.push(request)
  }
  return neighbours
}
