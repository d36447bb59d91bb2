import { type CallLinks, listCalls } from './call-links.js'
import { learnCorrelations } from './learn-correlations.js'
import { learnOperations } from './learn-operations.js'
import { ordersOf, type PairsByStep, settledPairs } from './learn-orders.js'
import type { OperationModel } from './operation-model.js'
import { createOrderTerm, type OrderTerm } from './order-term.js'
import { createRequestJudge, type Judgement, type RequestJudge } from './request-judge.js'
import { type RequestRow, rowOf } from './request-row.js'
import type { ServiceWindow } from './service-window.js'
import { NO_PARENT } from './timed-sample.js'
import { isStrict } from './wait-order.js'

/** What earlier windows of the service left behind. */
export interface EarlierRows {
  readonly rows: readonly RequestRow[]
  readonly pairs: PairsByStep
  /** Calls of each kind seen, and how many of them had no parent. */
  readonly calls: Float64Array
  readonly orphans: Float64Array
}

/** A window, its present links, and the models learned from them: what the search works on. */
export interface FittedWindow {
  readonly window: ServiceWindow
  readonly links: CallLinks
  readonly operations: readonly OperationModel[]
  readonly judge: RequestJudge
  readonly order: OrderTerm
  /** Each request with its present calls. */
  readonly present: Judgement[]
  /** By kind of call: log of the number of calls without a parent, per µs. */
  readonly orphanLog: Float64Array
  /** Counts the changes of each request. */
  readonly versions: Int32Array
  /** Pairs not worth another look until one of the two changes: sum of their versions by pair. */
  readonly settled: Map<number, number>
  /** Pairs of waits of this window alone. */
  readonly pairs: PairsByStep
  /** Requests of this service keep their order, as far as the pairs (the earlier ones included) tell. */
  readonly strict: boolean
  /** What it costs to judge a request once: its calls and its neighbours. */
  workOf(request: number): number
}

export interface FitOptions {
  readonly window: ServiceWindow
  readonly links: CallLinks
  readonly neighbours: readonly (readonly number[])[]
  readonly earlier: EarlierRows | undefined
  /** Requests whose calls are all there: only these are learned from. */
  readonly whole: (request: number) => boolean
  /** Order is taken to be kept, whatever the pairs say: for the first rounds. */
  readonly strictOrder: boolean
  /** Share of calls that are taken to have no parent at the least, and their number per µs by kind. */
  readonly leastOrphans: number
  readonly orphanFloor: Float64Array
}

/** Learns the models from the present links (and from earlier windows), and judges the present links by them. */
export function fitWindow(options: FitOptions): FittedWindow {
  const { window, links, neighbours, earlier } = options
  const rows = [...(earlier?.rows ?? [])]
  for (let request = 0; request < window.requestCount; request++) {
    if (options.whole(request)) rows.push(rowOf(window, links, request))
  }
  const operations = learnOperationsOf(rows, window)
  const judge = createRequestJudge(window, operations)
  const present = links.callsOf.map((calls, request) => judge.judge(request, calls))
  const pairs = settledPairs({ window, links, operations, judge, present, neighbours })
  const allPairs = together(pairs, earlier?.pairs)
  const strict = isStrict(allPairs.values())
  const orders = ordersOf(operations, allPairs, strict || options.strictOrder)
  return {
    window,
    links,
    operations,
    judge,
    order: createOrderTerm(window, orders, neighbours, present),
    present,
    orphanLog: orphanLogs(options),
    versions: new Int32Array(window.requestCount),
    settled: new Map(),
    pairs,
    strict,
    workOf: request => 3 + links.callsOf[request]!.length + neighbours[request]!.length,
  }
}

/** How likely everything is: requests with their calls, their order, calls without a parent. */
export function totalLog({ window, links, present, order, orphanLog }: FittedWindow): number {
  let log = 0
  // Each pair of neighbours is seen from both sides.
  present.forEach((judgement, request) => {
    log += judgement.log + order.ofOne(request, judgement.waits) / 2
  })
  for (let call = 0; call < window.callCount; call++) {
    if (links.parentOf[call] === NO_PARENT) log += orphanLog[window.callKind[call]!]!
  }
  return log
}

/** Makes these the present links. */
export function relink({ window, links, present, judge, versions, settled }: FittedWindow, parentOf: Int32Array): void {
  links.parentOf.set(parentOf)
  listCalls(links)
  settled.clear()
  for (let request = 0; request < window.requestCount; request++) {
    present[request] = judge.judge(request, links.callsOf[request]!)
    versions[request]!++
  }
}

/** Models from rows alone. */
export function learnOperationsOf(
  rows: readonly RequestRow[],
  kinds: Pick<ServiceWindow, 'requestKinds' | 'callKinds'>,
): OperationModel[] {
  const byKind: RequestRow[][] = Array.from({ length: kinds.requestKinds }, () => [])
  for (const row of rows) byKind[row.kind]!.push(row)
  const operations = learnOperations(byKind, kinds.callKinds)
  learnCorrelations(operations, rows)
  return operations
}

function together(own: PairsByStep, earlier: PairsByStep | undefined): PairsByStep {
  if (earlier === undefined || earlier.size === 0) return own
  const all: PairsByStep = new Map(own)
  for (const [key, list] of earlier) all.set(key, [...(own.get(key) ?? []), ...list])
  return all
}

function orphanLogs({ window, links, earlier, leastOrphans, orphanFloor }: FitOptions): Float64Array {
  const calls = new Float64Array(window.callKinds)
  const orphans = new Float64Array(window.callKinds)
  for (let call = 0; call < window.callCount; call++) {
    const kind = window.callKind[call]!
    calls[kind] = calls[kind]! + 1
    if (links.parentOf[call] === NO_PARENT) orphans[kind] = orphans[kind]! + 1
  }
  return calls.map((count, kind) => {
    const before = earlier?.calls[kind] ?? 0
    const orphansBefore = earlier?.orphans[kind] ?? 0
    const share = (orphans[kind]! + orphansBefore + 0.5) / (count + before + 0.5)
    return Math.log(Math.max(orphanFloor[kind]!, (Math.max(leastOrphans, share) * Math.max(1, count)) / window.length))
  })
}
