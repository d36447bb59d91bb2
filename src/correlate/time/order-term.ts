import { type Judgement, type Waits, waitTogether } from './request-judge.js'
import type { ServiceWindow } from './service-window.js'
import { sharedDelay, type WaitOrder } from './wait-order.js'

/** By kind of request, by step's index in the model, the end last. */
export type WaitOrders = readonly (readonly WaitOrder[])[]

/** What neighbours that wait at the same time say of each other's waits. */
export interface OrderTerm {
  /** Of two requests with the waits given, their neighbours' being what they are. */
  ofPair(p: number, q: number, waitsP: Waits, waitsQ: Waits): number
  ofOne(request: number, waits: Waits): number
}

export function createOrderTerm(
  window: ServiceWindow,
  orders: WaitOrders,
  neighbours: readonly (readonly number[])[],
  present: readonly Judgement[],
): OrderTerm {
  const { requestKind, requestPlace } = window
  const between = (kind: number, a: Waits, b: Waits): number => {
    let log = 0
    const order = orders[kind]!
    for (let step = 0; step < order.length; step++) {
      if (!waitTogether(a, b, step)) continue
      const wait = order[step]!
      const beganA = a[3 * step]!
      const beganB = b[3 * step]!
      const wentA = a[3 * step + 1]!
      const wentB = b[3 * step + 1]!
      if (beganA !== beganB && wentA !== wentB) log += beganA < beganB === wentA < wentB ? wait.kept : wait.overtaken
      if (wait.correlation !== 0) log += sharedDelay(wait, a[3 * step + 2]!, b[3 * step + 2]!)
    }
    return log
  }
  const around = (request: number, but: number, waits: Waits): number => {
    let log = 0
    const kind = requestKind[request]!
    for (const other of neighbours[request]!) if (other !== but) log += between(kind, waits, present[other]!.waits)
    return log
  }
  return {
    ofPair: (p, q, waitsP, waitsQ) => {
      let log = around(p, q, waitsP) + around(q, p, waitsQ)
      const kind = requestKind[p]!
      if (kind === requestKind[q]! && requestPlace[p] === requestPlace[q]) log += between(kind, waitsP, waitsQ)
      return log
    },
    ofOne: (request, waits) => around(request, NOBODY, waits),
  }
}

const NOBODY = -1
