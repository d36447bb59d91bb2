import type { CallLinks } from './call-links.js'
import { OCCURRENCES, type OperationModel } from './operation-model.js'
import type { WaitOrders } from './order-term.js'
import { type Judgement, type RequestJudge, waitTogether } from './request-judge.js'
import { isCandidate, type ServiceWindow } from './service-window.js'
import { learnWaitOrder, type PairOfWaits, STRICT_ORDER, type WaitOrder } from './wait-order.js'

/** A pairing counts as settled when the other terms prefer it by this much (nats). */
const SETTLED = 2
const FORBIDDEN = 9
/** Pairs of one step that are enough to learn from. */
const MOST_PAIRS = 1_000

/** Pairs of waits by kind of request and step number; the end has the number after the last step's. */
export type PairsByStep = Map<number, PairOfWaits[]>

export interface OrderLearning {
  readonly window: ServiceWindow
  readonly links: CallLinks
  readonly operations: readonly OperationModel[]
  readonly judge: RequestJudge
  readonly present: readonly Judgement[]
  readonly neighbours: readonly (readonly number[])[]
}

/** Number under which the pairs of one step of one kind of request are kept. */
export function pairKey(kind: number, step: number): number {
  return kind * 1_000_003 + step
}

const END_STEP = 1_000_000

export function ordersOf(operations: readonly OperationModel[], pairs: PairsByStep, strict: boolean): WaitOrders {
  const learned = new Map<number, WaitOrder>()
  const nothing = strict ? STRICT_ORDER : learnWaitOrder([], false)
  const orderAt = (kind: number, step: number): WaitOrder => {
    const key = pairKey(kind, step)
    const known = learned.get(key)
    if (known !== undefined) return known
    const list = pairs.get(key)
    const order = list === undefined ? nothing : learnWaitOrder(list, strict)
    learned.set(key, order)
    return order
  }
  return operations.map((model, kind) => [
    ...model.steps.map(step => orderAt(kind, step.step)),
    orderAt(kind, END_STEP),
  ])
}

/** Collects the pairs of waits whose pairing the other terms settle, or containment forbids to exchange. */
export function settledPairs(learning: OrderLearning): PairsByStep {
  const { window, operations, neighbours } = learning
  const pairs: PairsByStep = new Map()
  for (let p = 0; p < window.requestCount; p++) {
    const kind = window.requestKind[p]!
    const { steps } = operations[kind]!
    for (const q of neighbours[p]!) {
      if (q <= p) continue
      for (let index = 0; index <= steps.length; index++) {
        const key = pairKey(kind, index < steps.length ? steps[index]!.step : END_STEP)
        const list = pairs.get(key)
        if (list !== undefined && list.length >= MOST_PAIRS) continue
        const pair = pairAt(learning, p, q, index)
        if (pair === undefined) continue
        if (list === undefined) pairs.set(key, [pair])
        else list.push(pair)
      }
    }
  }
  return pairs
}

function pairAt(learning: OrderLearning, p: number, q: number, index: number): PairOfWaits | undefined {
  const { window, operations, present } = learning
  const a = present[p]!.waits
  const b = present[q]!.waits
  if (!waitTogether(a, b, index)) return undefined
  const model = operations[window.requestKind[p]!]!
  const x = callAt(learning, p, index)
  const y = callAt(learning, q, index)
  if (x < 0 || y < 0 || window.callKind[x] !== window.callKind[y]) return undefined
  const last = index === model.steps.length
  const step = last ? undefined : model.steps[index]!
  const gap = step === undefined ? model.ending : step.waitsFor === 'request' ? step.sinceRequest : step.gap
  const [beganA, wentA] = [a[3 * index]!, a[3 * index + 1]!]
  const [beganB, wentB] = [b[3 * index]!, b[3 * index + 1]!]
  const sinceA = last ? beganA : gapStart(learning, p, index)
  const sinceB = last ? beganB : gapStart(learning, q, index)
  const own = gap.log(wentA - sinceA) + gap.log(wentB - sinceB) - gap.log(wentB - sinceA) - gap.log(wentA - sinceB)
  if (settledBy(learning, p, q, x, y, own) < SETTLED) return undefined
  return {
    own,
    tie: beganA === beganB || wentA === wentB,
    inOrder: beganA < beganB === wentA < wentB,
    scores: [a[3 * index + 2]!, b[3 * index + 2]!],
    exchanged: [gap.normalScore(wentB - sinceA), gap.normalScore(wentA - sinceB)],
  }
}

/** The call that would be exchanged: the one in the step, or for the end the one that ended last; -1: none. */
function callAt({ window, links, operations, present }: OrderLearning, request: number, index: number): number {
  const model = operations[window.requestKind[request]!]!
  const own = present[request]!.waits
  for (const call of links.callsOf[request]!) {
    if (index === model.steps.length) {
      if (window.callEnd[call] === own[3 * index]) return call
    } else if (window.callStart[call] === own[3 * index + 1]) {
      if (model.indexOf[window.callKind[call]! * OCCURRENCES] === index) return call
    }
  }
  return -1
}

/** Where the step's own gap is counted from. */
function gapStart({ window, links, operations }: OrderLearning, request: number, index: number): number {
  const model = operations[window.requestKind[request]!]!
  const { waitsFor, after } = model.steps[index]!
  if (waitsFor !== 'request') {
    for (const call of links.callsOf[request]!) {
      if (model.indexOf[window.callKind[call]! * OCCURRENCES] !== after) continue
      return waitsFor === 'start' ? window.callStart[call]! : window.callEnd[call]!
    }
  }
  return window.requestStart[request]!
}

/** By how much the terms but the step's own gap prefer x at p and y at q to the exchange. */
function settledBy(learning: OrderLearning, p: number, q: number, x: number, y: number, own: number): number {
  const { window, links, judge } = learning
  const log = (request: number, calls: readonly number[]): number => judge.judge(request, calls).log
  if (!isCandidate(window, x, q) || !isCandidate(window, y, p)) return FORBIDDEN
  const a = links.callsOf[p]!
  const b = links.callsOf[q]!
  return log(p, a) + log(q, b) - log(p, replaced(a, x, y)) - log(q, replaced(b, y, x)) - own
}

export function replaced(calls: readonly number[], from: number, to: number): number[] {
  return calls.map(call => (call === from ? to : call)).sort((a, b) => a - b)
}
