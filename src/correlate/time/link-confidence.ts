import type { SearchLimits } from './call-links.js'
import { type JudgedPair, judgePair, pairsOf, type Rivals } from './exchange-search.js'
import type { FittedWindow } from './fitted-window.js'
import { judgeOrphan } from './orphan-search.js'
import { NO_PARENT, type TimeCandidate } from './timed-sample.js'

/** The densities are surer of themselves than they are right: differences are divided by this. */
const TEMPERATURE = 3
const MOST_DIFFERENCE = 30

/** Candidates of each call, the present parent first, with what is believed of each. */
export function confidences(
  fitted: FittedWindow,
  rivals: Rivals,
  most: number,
  limits: SearchLimits,
): { candidates: TimeCandidate[][]; pairsCut: number } {
  const { window, links } = fitted
  const odds: (Map<number, number> | undefined)[] = Array.from({ length: window.callCount }, () => undefined)
  const add = (call: number, parent: number, value: number): void => {
    const those = (odds[call] ??= new Map())
    those.set(parent, (those.get(parent) ?? 0) + value)
  }
  let pairs = 0
  let looked = 0
  for (const [p, q] of pairsOf(fitted, rivals)) {
    pairs++
    if (limits.work <= 0) continue
    looked++
    const judged = judgePair(fitted, p, q, limits)
    if (judged === undefined) continue
    addOdds(fitted, judged, add)
  }
  for (let call = 0; call < window.callCount; call++) {
    if (window.fixed[call] === 1) continue
    const { ways, logs } = judgeOrphan(fitted, rivals, call)
    for (let at = 1; at < ways.length; at++) {
      const { request, orphaned, adopted } = ways[at]!
      const ratio = likelihoodRatio(logs[at]!)
      if (adopted >= 0) add(adopted, request, ratio)
      if (orphaned >= 0) add(orphaned, NO_PARENT, ratio)
    }
  }
  // Where there was no time to look at every alternative, less is certain.
  const share = pairs === 0 ? 1 : looked / pairs
  const candidates = odds.map((those, call) => {
    return candidatesOf(links.parentOf[call]!, those, window.leftOut[call]!, most, share)
  })
  return { candidates, pairsCut: pairs - looked }
}

/** Odds of each move within the pair: the ways that make it against those that leave the call where it is. */
function addOdds(
  { links }: FittedWindow,
  { p, q, ways, logs }: JudgedPair,
  add: (call: number, parent: number, odds: number) => void,
): void {
  const moved = new Map<number, number>()
  let total = 1
  for (let way = 1; way < ways.length; way++) {
    const ratio = likelihoodRatio(logs[way]! - logs[0]!)
    total += ratio
    const [a, b] = ways[way]!
    for (const call of a) if (links.parentOf[call] !== p) moved.set(call, (moved.get(call) ?? 0) + ratio)
    for (const call of b) if (links.parentOf[call] !== q) moved.set(call, (moved.get(call) ?? 0) + ratio)
  }
  for (const [call, sum] of moved) add(call, links.parentOf[call] === p ? q : p, sum / Math.max(1e-9, total - sum))
}

function likelihoodRatio(difference: number): number {
  return Math.exp(Math.max(-MOST_DIFFERENCE, Math.min(MOST_DIFFERENCE, difference / TEMPERATURE)))
}

function candidatesOf(
  present: number,
  odds: Map<number, number> | undefined,
  leftOut: number,
  most: number,
  share: number,
): TimeCandidate[] {
  const others = [...(odds ?? [])].sort((a, b) => b[1] - a[1] || a[0] - b[0])
  let total = 1
  for (const [, value] of others) total += value
  // Whoever was not looked at may be as good as those that were.
  const looked = 1 + others.length
  const seen = (share * looked) / (looked + leftOut)
  const all: TimeCandidate[] = [{ parent: present, confidence: seen / total }]
  for (const [parent, value] of others.slice(0, most - 1)) all.push({ parent, confidence: (seen * value) / total })
  return all
}
