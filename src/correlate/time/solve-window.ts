import type { SearchLimits } from './call-links.js'
import { type EarlierCounts, learnCallRates, prune } from './call-rates.js'
import { exchangeCalls, type Rivals } from './exchange-search.js'
import { firstLinks } from './first-links.js'
import { type EarlierRows, type FitOptions, type FittedWindow, fitWindow, relink, totalLog } from './fitted-window.js'
import { confidences } from './link-confidence.js'
import { neighboursOf } from './neighbours.js'
import { orphanFloor } from './orphan-floor.js'
import { letGoOrAdopt } from './orphan-search.js'
import { createSeededRandom } from './seeded-random.js'
import type { ServiceWindow } from './service-window.js'
import type { TimeCandidate } from './timed-sample.js'

export interface SolveOptions {
  readonly seed: number
  readonly earlier?: EarlierRows | undefined
  /** Requests whose calls are all in the window; undefined: every one. */
  readonly whole?: (request: number) => boolean
  /** Candidates to report for each call, the chosen one included. */
  readonly candidates?: number
}

/** What was not looked at, because there was too much of it. */
export interface Capped {
  readonly candidates: number
  readonly ways: number
  /** Pairs of requests whose calls might have been exchanged. */
  readonly pairs: number
}

export interface SolvedWindow {
  readonly fitted: FittedWindow
  /** For each call: the chosen parent first, then the next best. */
  readonly candidates: readonly (readonly TimeCandidate[])[]
  readonly capped: Capped
}

/** Rounds of learning: from the best links, then from draws; fewer where earlier windows have taught most of it. */
const ROUNDS = { best: 3, drawn: 8 }
const ROUNDS_WITH_EARLIER = { best: 2, drawn: 3 }
const EARLIER_ROWS_THAT_TEACH = 200
/** Where other evidence told most calls' parents, there is little to learn from the rest. */
const ROUNDS_MOSTLY_KNOWN = { best: 1, drawn: 0 }
const ROUNDS_KNOWN_AND_TAUGHT = { best: 0, drawn: 0 }
const MOSTLY_KNOWN = 0.8
const SWEEPS = 4
const COOLING = [1, 0.6, 0.3, 0.15]
const COOLINGS = 2
const LAST_SWEEPS = 10
/** Share of calls without a parent to begin with; later it is as learned. */
const FIRST_ORPHANS = 0.05
/** Pairs of requests that are looked at in one sweep, about, before rivals are cut. */
const PAIRS_A_SWEEP = 60_000
const FEWEST_RIVALS = 4
/** What one round of the search may cost (see `SearchLimits`): enough for any but a crowd, and linear for that. */
const WORK_A_ROUND = 4_000_000
const WORK_A_CALL = 60

/** Who made each call of a window, judged jointly. The same input gives the same result. */
export function solveWindow(input: ServiceWindow, options: SolveOptions): SolvedWindow {
  const { earlier } = options
  const rates = learnCallRates(input, earlier === undefined ? undefined : countsOf(earlier, input))
  const window = prune(input, rates)
  const { links, shares } = firstLinks(window, rates)
  const { rivals, cut: cutRivals } = rivalsOf(window, shares)
  const random = createSeededRandom(options.seed)
  const limits: SearchLimits = { work: 0, waysCut: 0 }
  const workARound = WORK_A_ROUND + WORK_A_CALL * window.callCount
  const base = {
    window,
    links,
    neighbours: neighboursOf(window),
    earlier,
    whole: options.whole ?? (() => true),
    orphanFloor: orphanFloor(window),
  }
  const fit = (change: Pick<FitOptions, 'strictOrder' | 'leastOrphans'>): FittedWindow => {
    limits.work = workARound
    return fitWindow({ ...base, ...change })
  }

  const rounds = roundsFor(window, earlier)
  for (let round = 0; round < rounds.best; round++) {
    const fitted = fit({ strictOrder: true, leastOrphans: FIRST_ORPHANS })
    sweep(fitted, rivals, SWEEPS, 0, random, limits)
  }
  // Learning from a draw of the links, not from the best ones, which would flatter the model (stochastic EM).
  for (let round = 0; round < rounds.drawn; round++) {
    const fitted = fit({ strictOrder: false, leastOrphans: 0 })
    // Where order is kept there is hardly anything to draw.
    sweep(fitted, rivals, SWEEPS, fitted.strict ? 0 : 1, random, limits)
  }
  let fitted = fit({ strictOrder: false, leastOrphans: 0 })
  coolDown(fitted, rivals, random, limits)
  if (!fitted.strict) {
    // Draws overtake where the best links do not: a server with one thread may show only now.
    const again = fit({ strictOrder: false, leastOrphans: 0 })
    if (again.strict) {
      fitted = again
      sweep(fitted, rivals, LAST_SWEEPS, 0, random, limits)
    }
  }
  limits.work = workARound
  let leftOut = cutRivals
  for (const count of window.leftOut) leftOut += count
  const { candidates, pairsCut } = confidences(fitted, rivals, options.candidates ?? 5, limits)
  return {
    fitted,
    candidates,
    capped: { candidates: leftOut, ways: limits.waysCut, pairs: pairsCut },
  }
}

/** From draws to the likeliest links, more than once, because it can end beside them; the best end is kept. */
function coolDown(fitted: FittedWindow, rivals: Rivals, random: () => number, limits: SearchLimits): void {
  let kept = fitted.links.parentOf.slice()
  let most = Number.NEGATIVE_INFINITY
  for (let time = 0; time < COOLINGS; time++) {
    for (const temperature of COOLING) sweep(fitted, rivals, 1, temperature, random, limits)
    sweep(fitted, rivals, LAST_SWEEPS, 0, random, limits)
    const log = totalLog(fitted)
    if (log > most + 1e-6) {
      most = log
      kept = fitted.links.parentOf.slice()
    }
  }
  relink(fitted, kept)
}

function roundsFor(window: ServiceWindow, earlier: EarlierRows | undefined): { best: number; drawn: number } {
  const taught = (earlier?.rows.length ?? 0) >= EARLIER_ROWS_THAT_TEACH
  const known = new Float64Array(window.callKinds)
  const free = new Float64Array(window.callKinds)
  for (let call = 0; call < window.callCount; call++) {
    const kind = window.callKind[call]!
    if (window.fixed[call] === 1) known[kind]!++
    else free[kind]!++
  }
  if (free.every((count, kind) => count === 0 || known[kind]! >= MOSTLY_KNOWN * (known[kind]! + count))) {
    return taught ? ROUNDS_KNOWN_AND_TAUGHT : ROUNDS_MOSTLY_KNOWN
  }
  return taught ? ROUNDS_WITH_EARLIER : ROUNDS
}

function sweep(
  fitted: FittedWindow,
  rivals: Rivals,
  times: number,
  temperature: number,
  random: () => number,
  limits: SearchLimits,
): void {
  for (let time = 0; time < times; time++) {
    const changed =
      exchangeCalls(fitted, rivals, temperature, random, limits) +
      letGoOrAdopt(fitted, rivals, temperature, random, limits)
    if (changed === 0) return
  }
}

/** For each call its candidates, or where the window is crowded the likeliest few of them. */
function rivalsOf(window: ServiceWindow, shares: Float64Array): { rivals: Rivals; cut: number } {
  const { firstCandidate, candidates, callCount } = window
  const most = Math.max(FEWEST_RIVALS, Math.floor(PAIRS_A_SWEEP / Math.max(1, callCount)))
  const lists: number[][] = []
  let cut = 0
  for (let call = 0; call < callCount; call++) {
    const order: number[] = []
    for (let at = firstCandidate[call]!; at < firstCandidate[call + 1]!; at++) order.push(at)
    if (order.length > most) {
      cut += order.length - most
      order.sort((a, b) => shares[b]! - shares[a]! || a - b)
      order.length = most
    }
    lists.push(order.map(at => candidates[at]!))
  }
  return { rivals: call => lists[call]!, cut }
}

function countsOf(earlier: EarlierRows, window: ServiceWindow): EarlierCounts {
  const requests = new Float64Array(window.requestKinds)
  const calls = new Float64Array(window.requestKinds * window.callKinds)
  for (const row of earlier.rows) {
    requests[row.kind] = requests[row.kind]! + 1
    for (const call of row.calls) {
      const at = row.kind * window.callKinds + call.kind
      calls[at] = calls[at]! + 1
    }
  }
  return { requests, calls }
}
