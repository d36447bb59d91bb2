import type { TimeSample } from '../../src/correlate/time/link-by-time.js'
import type { TimeCandidate } from '../../src/correlate/time/timed-sample.js'
import type { Truth } from './span-set.js'

export interface Calibration {
  /** `said`: mean confidence of the bin; `was`: share that was right. */
  readonly bins: readonly { readonly said: number; readonly was: number; readonly n: number }[]
  /** Largest difference among bins of at least 100 links. */
  readonly maxError: number
}

export interface Score {
  /** Traces in which every link is right, over the services that have one caller. */
  readonly wholeTracesTw: number
  /** … over all services. */
  readonly wholeTracesAll: number
  readonly links: number
  /** Requests whose calls are all right, by service. */
  readonly perService: Readonly<Record<string, number>>
  /** Traces of which each link has the truth among its five best candidates. */
  readonly top5: number
  readonly unlinked: number
  /** Of the links made (confidence of 0.5 or more), and of all guesses, the share that is right. */
  readonly madeRight: number
  readonly guessesRight: number
  readonly made: number
  /** Links said to be 0.95 sure or more. */
  readonly sure: { readonly share: number; readonly right: number }
  readonly calibration: Calibration
}

export interface Scored {
  readonly samples: readonly TimeSample[]
  readonly truth: Truth
  readonly candidates: readonly (readonly TimeCandidate[] | undefined)[]
  /** Samples that the solver was given; its answers are only judged where truth could be found. */
  readonly given: (sample: number) => boolean
}

const BINS = 10
const BIN_COUNT_THAT_MATTERS = 100
const SURE = 0.95
const FLOOR = 0.5

interface Tally {
  all: number
  right: number
}

export function scoreLinks(scored: Scored): Score {
  const { samples, truth, candidates, given } = scored
  const traces = new Set<number>()
  const wrong = new Set<number>()
  const wrongTw = new Set<number>()
  const outsideTop5 = new Set<number>()
  const requests = new Map<number, boolean>()
  const bins: (Tally & { said: number })[] = Array.from({ length: BINS }, () => ({ all: 0, right: 0, said: 0 }))
  const links: Tally = { all: 0, right: 0 }
  const guesses: Tally = { all: 0, right: 0 }
  const made: Tally = { all: 0, right: 0 }
  const sure: Tally = { all: 0, right: 0 }
  let unlinked = 0
  samples.forEach((sample, index) => {
    if (!given(index)) return
    traces.add(truth.trace[index]!)
    if (sample.side === 'server') return
    const those = candidates[index] ?? []
    const { parent, confidence } = those[0] ?? { parent: -1, confidence: 0 }
    const right = parent === truth.parent[index]
    if (parent >= 0) {
      count(guesses, right)
      if (confidence >= FLOOR) count(made, right)
      if (confidence >= SURE) count(sure, right)
      const bin = bins[Math.min(BINS - 1, Math.floor(confidence * BINS))]!
      count(bin, right)
      bin.said += confidence
    }
    // A call whose request was not seen has no right parent to be found.
    if (truth.parent[index]! < 0 || !given(truth.parent[index]!)) return
    if (parent < 0) unlinked++
    count(links, right)
    const request = truth.parent[index]!
    requests.set(request, (requests.get(request) ?? true) && right)
    if (!those.some(candidate => candidate.parent === request)) outsideTop5.add(truth.trace[index]!)
    if (right) return
    wrong.add(truth.trace[index]!)
    if (!truth.severalCallers.has(sample.service)) wrongTw.add(truth.trace[index]!)
  })
  return {
    wholeTracesTw: share(traces.size - wrongTw.size, traces.size),
    wholeTracesAll: share(traces.size - wrong.size, traces.size),
    links: share(links.right, links.all),
    perService: perService(samples, requests),
    top5: share(traces.size - outsideTop5.size, traces.size),
    unlinked: share(unlinked, links.all),
    madeRight: share(made.right, made.all),
    guessesRight: share(guesses.right, guesses.all),
    made: share(made.all, links.all),
    sure: { share: share(sure.all, links.all), right: share(sure.right, sure.all) },
    calibration: calibration(bins),
  }
}

function count(tally: Tally, right: boolean): void {
  tally.all++
  if (right) tally.right++
}

function calibration(bins: readonly (Tally & { said: number })[]): Calibration {
  const filled = bins
    .filter(bin => bin.all > 0)
    .map(bin => ({ said: share(bin.said, bin.all), was: share(bin.right, bin.all), n: bin.all }))
  const errors = filled.filter(bin => bin.n >= BIN_COUNT_THAT_MATTERS).map(bin => Math.abs(bin.said - bin.was))
  return { bins: filled, maxError: share(Math.max(0, ...errors), 1) }
}

function perService(samples: readonly TimeSample[], requests: ReadonlyMap<number, boolean>): Record<string, number> {
  const tallies = new Map<string, Tally>()
  for (const [request, right] of requests) {
    const { service } = samples[request]!
    let tally = tallies.get(service)
    if (tally === undefined) tallies.set(service, (tally = { all: 0, right: 0 }))
    count(tally, right)
  }
  return Object.fromEntries(
    [...tallies].sort(([a], [b]) => (a < b ? -1 : 1)).map(([service, { all, right }]) => [service, share(right, all)]),
  )
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 1e5) / 1e5
}
