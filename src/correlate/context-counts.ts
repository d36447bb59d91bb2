import type { ObservedProcess } from '../capture/processes.js'
import type { Unknown } from '../samples/activity.js'
import type { Sample } from '../samples/sample.js'

/** What context said of the calls of one process that have left, for `status`: the counts behind what is trusted. */
export interface ProcessContext {
  readonly pid: number
  readonly program: string
  /** What runs inside its threads, as `ProcessInfo.carriers` says; 'threads' where that is all there is. */
  readonly runTimes: readonly string[]
  readonly calls: number
  /** Their owner is known and believed. */
  readonly trusted: number
  /** An owner is known, and believed only so far, by what the process was seen to do. */
  readonly inferred: number
  /** Made for no request that is known: background work, or a job from another carrier. */
  readonly nobodys: number
  /** Nothing was concluded, by reason. */
  readonly refused: Readonly<Partial<Record<Unknown, number>>>
}

export interface ContextCounts {
  /** @param strength of context for its owner; 0 where there is none */
  count(call: Sample, strength: number): void
  list(): ProcessContext[]
}

interface Tally {
  calls: number
  trusted: number
  inferred: number
  nobodys: number
  refused: Partial<Record<Unknown, number>>
}

const TRUSTED = 0.9
const MOST_PROCESSES = 4_096

export function createContextCounts(): ContextCounts {
  const byProcess = new Map<ObservedProcess, Tally>()
  const tallyOf = (process: ObservedProcess): Tally => {
    let tally = byProcess.get(process)
    if (tally === undefined) {
      if (byProcess.size >= MOST_PROCESSES) byProcess.delete(byProcess.keys().next().value!)
      tally = { calls: 0, trusted: 0, inferred: 0, nobodys: 0, refused: {} }
      byProcess.set(process, tally)
    }
    return tally
  }
  return {
    count: (call, strength) => {
      const tally = tallyOf(call.process)
      tally.calls++
      const why = call.activity?.unknown
      if (strength >= TRUSTED) tally.trusted++
      else if (strength > 0) tally.inferred++
      else if (why === undefined) tally.nobodys++
      else tally.refused[why] = (tally.refused[why] ?? 0) + 1
    },
    list: () =>
      [...byProcess]
        .filter(([process]) => process.endedNs === undefined)
        .map(([process, tally]) => ({
          pid: process.pid,
          program: process.info?.comm ?? process.comm,
          runTimes: process.info?.carriers?.kinds ?? ['threads'],
          ...tally,
        })),
  }
}
