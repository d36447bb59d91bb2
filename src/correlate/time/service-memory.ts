import type { EarlierRows, FittedWindow } from './fitted-window.js'
import { windowOfRows } from './learn-correlations.js'
import type { PairsByStep } from './learn-orders.js'
import type { OperationModel } from './operation-model.js'
import { createRequestJudge } from './request-judge.js'
import type { RequestRow } from './request-row.js'
import type { PairOfWaits } from './wait-order.js'

/** Rows of one kind of request, rows of all, and pairs of waits of one step that are kept. */
const ROWS_A_KIND = 400
const ROWS = 6_000
const PAIRS_A_STEP = 400
/** Rows older than this are not learned from any more. */
const LONGEST_AGE_US = 600e6
/** Counts of calls and orphans are halved beyond this. */
const CALLS_COUNTED = 4_000
/** Behaviour has changed when this many new rows fit this much worse than rows used to (nats a row, deviations). */
const ROWS_THAT_TELL = 20
const SURPRISE = 4
const SURPRISING_DEVIATIONS = 5

interface AgedRow {
  readonly at: number
  readonly row: RequestRow
}

/** How well rows of one kind fitted the model that was learned before they came. */
interface Fit {
  count: number
  mean: number
  squares: number
}

/** What a service's windows leave behind for the next ones: rows and pairs, the latest of each kind. */
export interface ServiceMemory {
  /** undefined while there is nothing. */
  earlier(nowUs: number): EarlierRows | undefined
  readonly rows: number
  /** Kinds of request that these new rows show to go another way than before. */
  changedKinds(rows: readonly RequestRow[]): number[]
  forget(kinds: readonly number[]): void
  /** @param counts calls that were decided, and those of them without a parent, by kind. */
  learn(rows: readonly RequestRow[], fitted: FittedWindow, counts: Counts, nowUs: number): void
  durations(kind: number): number[]
}

export interface Counts {
  readonly calls: Float64Array
  readonly orphans: Float64Array
}

export function createServiceMemory(): ServiceMemory {
  const byKind = new Map<number, AgedRow[]>()
  const pairs: PairsByStep = new Map()
  const fits = new Map<number, Fit>()
  let counts: Counts = { calls: new Float64Array(0), orphans: new Float64Array(0) }
  let operations: readonly OperationModel[] = []
  let total = 0

  const trim = (kind: number, nowUs: number): void => {
    const list = byKind.get(kind)!
    const fresh = list.filter(({ at }) => nowUs - at <= LONGEST_AGE_US).slice(-ROWS_A_KIND)
    total += fresh.length - list.length
    if (fresh.length === 0) byKind.delete(kind)
    else byKind.set(kind, fresh)
  }
  const shrink = (): void => {
    // A service with very many operations keeps fewer rows of each, but never less than a few.
    const most = Math.max(4, Math.floor(ROWS / Math.max(1, byKind.size)))
    if (total <= ROWS) return
    for (const [kind, list] of byKind) {
      if (list.length <= most) continue
      total -= list.length - most
      byKind.set(kind, list.slice(-most))
    }
  }
  /** Mean fit of new rows to the models there were before, by kind. */
  const fitOf = (rows: readonly RequestRow[]): Map<number, Fit> => {
    const known = rows.filter(({ kind }) => (operations[kind]?.rows ?? 0) >= ROWS_THAT_TELL)
    const result = new Map<number, Fit>()
    const window = windowOfRows(known, operations.length)
    const callKinds = (operations[0]?.indexOf.length ?? 0) / 3
    if (known.length === 0 || window.callKinds > callKinds) return result
    const judge = createRequestJudge(window, operations)
    let call = 0
    known.forEach((row, request) => {
      const { log } = judge.judge(
        request,
        row.calls.map(() => call++),
      )
      const fit = result.get(row.kind) ?? { count: 0, mean: 0, squares: 0 }
      addTo(fit, log)
      result.set(row.kind, fit)
    })
    return result
  }
  return {
    earlier: nowUs => {
      for (const kind of [...byKind.keys()]) trim(kind, nowUs)
      if (total === 0) return undefined
      const rows = [...byKind.values()].flatMap(list => list.map(({ row }) => row))
      return { rows, pairs, calls: counts.calls, orphans: counts.orphans }
    },
    get rows() {
      return total
    },
    changedKinds: rows => {
      const changed: number[] = []
      for (const [kind, now] of fitOf(rows)) {
        const before = fits.get(kind)
        if (before === undefined || now.count < ROWS_THAT_TELL || before.count < ROWS_THAT_TELL) continue
        const deviation = Math.sqrt(before.squares / before.count / now.count)
        if (before.mean - now.mean > SURPRISE + SURPRISING_DEVIATIONS * deviation) changed.push(kind)
      }
      return changed
    },
    forget: kinds => {
      for (const kind of kinds) {
        total -= byKind.get(kind)?.length ?? 0
        byKind.delete(kind)
        fits.delete(kind)
      }
      // Pairs and counts of the other kinds come back with the next windows.
      pairs.clear()
      operations = operations.map((model, kind) => (kinds.includes(kind) ? { ...model, rows: 0 } : model))
    },
    learn: (rows, fitted, seen, nowUs) => {
      for (const [kind, fit] of fitOf(rows)) fits.set(kind, merged(fits.get(kind), fit))
      for (const row of rows) {
        const list = byKind.get(row.kind)
        if (list === undefined) byKind.set(row.kind, [{ at: nowUs, row }])
        else list.push({ at: nowUs, row })
        total++
      }
      for (const kind of [...byKind.keys()]) trim(kind, nowUs)
      shrink()
      keepPairs(pairs, fitted.pairs)
      counts = addCounts(counts, seen)
      operations = fitted.operations
    },
    durations: kind => (byKind.get(kind) ?? []).map(({ row }) => row.duration),
  }
}

function addTo(fit: Fit, value: number): void {
  fit.count++
  const before = value - fit.mean
  fit.mean += before / fit.count
  fit.squares += before * (value - fit.mean)
}

/** Both together, the earlier one never weighing more than a few hundred rows. */
function merged(before: Fit | undefined, now: Fit): Fit {
  if (before === undefined) return now
  const weight = Math.min(1, ROWS_A_KIND / before.count)
  const old = before.count * weight
  const count = old + now.count
  const difference = now.mean - before.mean
  return {
    count,
    mean: before.mean + (difference * now.count) / count,
    squares: before.squares * weight + now.squares + (difference * difference * old * now.count) / count,
  }
}

function keepPairs(pairs: PairsByStep, latest: PairsByStep): void {
  for (const [key, list] of latest) {
    const all: PairOfWaits[] = [...(pairs.get(key) ?? []), ...list]
    pairs.set(key, all.slice(-PAIRS_A_STEP))
  }
}

function addCounts(before: Counts, now: Counts): Counts {
  let total = 0
  for (const count of before.calls) total += count
  const weight = total > CALLS_COUNTED ? 0.5 : 1
  const add = (a: Float64Array, b: Float64Array): Float64Array => {
    const sum = new Float64Array(Math.max(a.length, b.length))
    return sum.map((_, kind) => (a[kind] ?? 0) * weight + (b[kind] ?? 0))
  }
  return { calls: add(before.calls, now.calls), orphans: add(before.orphans, now.orphans) }
}
