import { type SearchLimits, setCalls, withCall, without } from './call-links.js'
import { best, draw, type Rivals } from './exchange-search.js'
import type { FittedWindow } from './fitted-window.js'
import { replaced } from './learn-orders.js'
import { NO_PARENT } from './timed-sample.js'

/** One way to change what concerns a call without a parent, or one that may become so. */
export interface OrphanWay {
  readonly request: number
  /** The request's calls after it. */
  readonly calls: readonly number[]
  /** The call that has no parent after it; -1: none. */
  readonly orphaned: number
  /** The call that has no parent any more; -1: none. */
  readonly adopted: number
}

export interface JudgedOrphan {
  /** `ways[0]` is undefined: everything stays. */
  readonly ways: readonly (OrphanWay | undefined)[]
  /** Log likelihood against the present one. */
  readonly logs: readonly number[]
}

/**
 * All that can be done about one call's having no parent: let it go from its request; or, where it has none, give it to
 * a request, in place of a call of its kind or besides.
 */
export function judgeOrphan(fitted: FittedWindow, rivals: Rivals, call: number): JudgedOrphan {
  const { window, links, orphanLog } = fitted
  const ways: (OrphanWay | undefined)[] = [undefined]
  const logs: number[] = [0]
  const alone = orphanLog[window.callKind[call]!]!
  const parent = links.parentOf[call]!
  const consider = (way: OrphanWay, orphanChange: number): void => {
    ways.push(way)
    logs.push(requestChange(fitted, way.request, way.calls) + orphanChange)
  }
  if (parent >= 0) {
    const calls = without(links.callsOf[parent]!, call)
    consider({ request: parent, calls, orphaned: call, adopted: -1 }, alone)
    return { ways, logs }
  }
  for (const request of rivals(call)) {
    const present = links.callsOf[request]!
    consider({ request, calls: withCall(present, call), orphaned: -1, adopted: call }, -alone)
    for (const other of present) {
      if (window.callKind[other] !== window.callKind[call] || window.fixed[other] === 1) continue
      consider({ request, calls: replaced(present, other, call), orphaned: other, adopted: call }, 0)
    }
  }
  return { ways, logs }
}

/** One pass over all calls; returns the number of changes. */
export function letGoOrAdopt(
  fitted: FittedWindow,
  rivals: Rivals,
  temperature: number,
  random: () => number,
  limits: SearchLimits,
): number {
  const { window, links } = fitted
  let changed = 0
  for (let call = 0; call < window.callCount; call++) {
    if (window.fixed[call] === 1) continue
    if (limits.work <= 0) break
    const { ways, logs } = judgeOrphan(fitted, rivals, call)
    for (const way of ways) limits.work -= way === undefined ? 0 : fitted.workOf(way.request)
    if (logs.length < 2) continue
    const way = ways[temperature > 0 ? draw(logs, temperature, random) : best(logs)]
    if (way === undefined) continue
    if (way.orphaned >= 0) links.parentOf[way.orphaned] = NO_PARENT
    setCalls(links, way.request, way.calls)
    fitted.present[way.request] = fitted.judge.judge(way.request, way.calls)
    fitted.versions[way.request]!++
    changed++
  }
  return changed
}

/** What it does to the likelihood to give a request these calls. */
function requestChange(fitted: FittedWindow, request: number, calls: readonly number[]): number {
  const { judge, order } = fitted
  const now = fitted.present[request]!
  const then = judge.judge(request, calls)
  return then.log - now.log + order.ofOne(request, then.waits) - order.ofOne(request, now.waits)
}
