import type { ObservedProcess } from '../capture/processes.js'
import type { Activity } from './activity.js'
import type { Sample } from './sample.js'
import { DOUBTED } from './trust.js'

/**
 * Messages that were consumed while no carrier was born for them. Where others have one each, these wait in a queue
 * inside the process, and whichever carrier is done takes the next one without a sign: from then on what carriers born
 * earlier do may be done for any of them (oslo.messaging's executor does so when all its workers are busy; a new worker
 * is born only when that queue is empty again).
 */
export interface MessageBacklog {
  /** A message has been consumed whole that is somebody's work. */
  consumed(message: Sample): void
  /** From 0 to 1: how far a call that was made for `owner` as its carrier's birth tells was made for it. */
  trust(call: Sample, owner: Sample): number
}

const MOST_REMEMBERED = 10_000
const LONGEST_CHAIN = 64

interface Consumer {
  last: Sample | undefined
  /** When messages were consumed for which nobody was born, ascending. */
  readonly waiting: number[]
}

export function createMessageBacklog(): MessageBacklog {
  const consumers = new WeakMap<ObservedProcess, Consumer>()
  return {
    consumed: message => {
      let consumer = consumers.get(message.process)
      if (consumer === undefined) consumers.set(message.process, (consumer = { last: undefined, waiting: [] }))
      const { last, waiting } = consumer
      if (last !== undefined && !wasHandedOn(last)) {
        waiting.push(last.requestEndNs)
        if (waiting.length > MOST_REMEMBERED) waiting.splice(0, MOST_REMEMBERED / 2)
      }
      consumer.last = message
    },
    trust: (call, owner) => {
      const bornNs = birthBelow(call.activity, owner)
      const consumer = bornNs === undefined ? undefined : consumers.get(call.process)
      if (bornNs === undefined || consumer === undefined) return 1
      const { last, waiting } = consumer
      const lastWaits = last !== undefined && !wasHandedOn(last) && last.requestEndNs > bornNs
      const first = firstAfter(waiting, bornNs) ?? (lastWaits ? last.requestEndNs : Number.POSITIVE_INFINITY)
      return first < call.startNs ? DOUBTED : 1
    },
  }
}

const wasHandedOn = ({ activity }: Sample): boolean => activity?.hasCarriers === true || activity?.hasThreads === true

/** When the carrier was born that works for `owner`; undefined where `owner`'s own carrier made the call. */
function birthBelow(activity: Activity | undefined, owner: Sample): number | undefined {
  let below: number | undefined
  let steps = 0
  for (let a = activity; a !== undefined && steps < LONGEST_CHAIN; a = a.parent, steps++) {
    if (a.owner === owner) return below
    below = a.sinceNs
  }
  return undefined
}

/** The first of ascending numbers that is larger. */
function firstAfter(ascending: readonly number[], value: number): number | undefined {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (ascending[middle]! > value) high = middle
    else low = middle + 1
  }
  return ascending[low]
}
