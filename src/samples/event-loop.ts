import type { ObservedProcess } from '../capture/processes.js'
import { type Activity, LONGEST_CHAIN } from './activity.js'
import type { Sample } from './sample.js'

/**
 * Node.js' event loop. A thread works for what it read last, which is right as long as callbacks follow from reads. In the
 * phases that run callbacks which no read brought (timers, setImmediate, files) it is not known for whom they run: the
 * records then have the phase's number for a carrier, and each call is *detached*: it starts an activity of its own, its
 * answer continues that, and the response that follows at its end gives it its owner. The end of a pool's work that was
 * seen to be ordered is a carrier of its own, born where it was.
 */

/** Events of two processors may seem so much out of order. */
const ORDER_SLACK_NS = 1e6

/** True in a process whose loop is followed by its reads and phases. */
export function runsLoop(process: ObservedProcess): boolean {
  const kinds: unknown = process.info?.carriers?.kinds
  return Array.isArray(kinds) && kinds.includes('node')
}

/** A carrier's id that stands for a phase of the loop which no read brought. */
export function isPhase(process: ObservedProcess, carrier: number): boolean {
  // Whatever has an address is aligned (bpf/lib/carriers/node.h).
  return carrier % 2 === 1 && runsLoop(process)
}

/** HTTP/2 is written when the loop's turn ends, by whoever comes first: for whom is not known then. */
export function isWrittenLater({ exchange, process }: Pick<Sample, 'exchange' | 'process'>): boolean {
  return exchange.protocol === 'http2' && runsLoop(process)
}

/** Work that starts where nothing tells for whom. */
export function detachedActivity(sinceNs: number): Activity {
  return {
    owner: undefined,
    parent: undefined,
    boundBy: undefined,
    trust: 1,
    detached: true,
    unknown: 'detached',
    sinceNs,
  }
}

/** Reading a file is several pieces of work, one ordered at the end of the other: those between have nothing of their own. */
export function passedThrough(activity: Activity): Activity {
  const { parent, calls, detached, owner } = activity
  return parent !== undefined && calls === undefined && detached !== true && owner === undefined ? parent : activity
}

/**
 * A response was written in this activity: what led to it was done for its request, back to where it was detached.
 * False where there is nothing to bind, or it began before the request did, and so is another's.
 */
export function bindDetached(activity: Activity | undefined, request: Sample): boolean {
  let first = activity
  for (let steps = 0; first?.parent !== undefined && steps < LONGEST_CHAIN; steps++) {
    if (first.owner !== undefined) return false
    first = first.parent
  }
  if (first?.detached !== true || first.owner !== undefined) return false
  if (isWrittenLater(request) || first.sinceNs < request.startNs - ORDER_SLACK_NS) return false
  first.owner = request
  first.boundBy = 'reply'
  return true
}
