import { type Exchange, exchanges, type SearchLimits, setCalls } from './call-links.js'
import type { FittedWindow } from './fitted-window.js'
import type { Judgement } from './request-judge.js'

/** A pair whose best alternative is this much worse (nats) is left alone until one of the two changes. */
const HOPELESS = 14

/** Requests that could exchange calls with the one a call has now: for each call, a bounded list. */
export type Rivals = (call: number) => readonly number[]

/** Every way to share the calls of one pair of requests, judged. */
export interface JudgedPair {
  readonly p: number
  readonly q: number
  readonly ways: readonly Exchange[]
  /** Log likelihood of each way, all that it touches; the first is the present one. */
  readonly logs: Float64Array
  readonly judgements: readonly (readonly [Judgement, Judgement])[]
}

/** All pairs of requests that could exchange a call, each once, as [smaller, larger] numbers of requests. */
export function* pairsOf(fitted: FittedWindow, rivals: Rivals): Generator<readonly [number, number]> {
  const { window, links } = fitted
  const seen = new Set<number>()
  const pairs: [number, number][] = []
  for (let call = 0; call < window.callCount; call++) {
    const parent = links.parentOf[call]!
    if (parent < 0 || window.fixed[call] === 1) continue
    for (const rival of rivals(call)) {
      if (rival === parent) continue
      const [p, q] = parent < rival ? [parent, rival] : [rival, parent]
      const key = p * window.requestCount + q
      if (seen.has(key)) continue
      seen.add(key)
      pairs.push([p, q])
    }
  }
  yield* pairs
}

export function judgePair(fitted: FittedWindow, p: number, q: number, limits: SearchLimits): JudgedPair | undefined {
  const { window, links, judge, order, present } = fitted
  const ways = exchanges(window, links, p, q, limits)
  if (ways.length < 2) return undefined
  const logs = new Float64Array(ways.length)
  const judgements: (readonly [Judgement, Judgement])[] = []
  limits.work -= ways.length * (fitted.workOf(p) + fitted.workOf(q))
  for (let way = 0; way < ways.length; way++) {
    const [a, b] = ways[way]!
    const ofP = way === 0 ? present[p]! : judge.judge(p, a)
    const ofQ = way === 0 ? present[q]! : judge.judge(q, b)
    judgements.push([ofP, ofQ])
    logs[way] = ofP.log + ofQ.log + order.ofPair(p, q, ofP.waits, ofQ.waits)
  }
  return { p, q, ways, logs, judgements }
}

/**
 * One pass over all pairs: takes the best way of sharing their calls, or with a temperature draws one by its
 * likelihood. Returns the number of pairs that changed.
 */
export function exchangeCalls(
  fitted: FittedWindow,
  rivals: Rivals,
  temperature: number,
  random: () => number,
  limits: SearchLimits,
): number {
  const { window, versions, settled } = fitted
  let changed = 0
  for (const [p, q] of pairsOf(fitted, rivals)) {
    const key = p * window.requestCount + q
    const version = versions[p]! + versions[q]!
    if (settled.get(key) === version) continue
    if (limits.work <= 0) break
    const judged = judgePair(fitted, p, q, limits)
    if (judged === undefined) continue
    if (bestAlternative(judged.logs) < judged.logs[0]! - HOPELESS) settled.set(key, version)
    const way = temperature > 0 ? draw(judged.logs, temperature, random) : best(judged.logs)
    if (way === 0) continue
    apply(fitted, judged, way)
    changed++
  }
  return changed
}

function apply(fitted: FittedWindow, { p, q, ways, judgements }: JudgedPair, way: number): void {
  const [a, b] = ways[way]!
  setCalls(fitted.links, p, a)
  setCalls(fitted.links, q, b)
  fitted.present[p] = judgements[way]![0]
  fitted.present[q] = judgements[way]![1]
  fitted.versions[p]!++
  fitted.versions[q]!++
}

function bestAlternative(logs: Float64Array): number {
  let most = Number.NEGATIVE_INFINITY
  for (let way = 1; way < logs.length; way++) if (logs[way]! > most) most = logs[way]!
  return most
}

/** The likeliest; the earliest of equal ones. */
export function best(logs: ArrayLike<number>): number {
  let at = 0
  for (let way = 1; way < logs.length; way++) if (logs[way]! > logs[at]! + 1e-9) at = way
  return at
}

export function draw(logs: ArrayLike<number>, temperature: number, random: () => number): number {
  const most = logs[best(logs)]!
  let total = 0
  for (let way = 0; way < logs.length; way++) total += Math.exp((logs[way]! - most) / temperature)
  let left = random() * total
  for (let way = 0; way < logs.length - 1; way++) {
    left -= Math.exp((logs[way]! - most) / temperature)
    if (left <= 0) return way
  }
  return logs.length - 1
}
