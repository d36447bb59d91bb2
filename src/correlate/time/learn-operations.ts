import { GapDensity } from './gap-density.js'
import { type Column, column, createGapTable, type GapTable } from './gap-table.js'
import { OCCURRENCES, type OperationModel, type Step } from './operation-model.js'
import type { RequestRow } from './request-row.js'

/** Together, all other kinds of request weigh as much as this many rows of the own kind. */
export const POOL_WEIGHT = 60
/** Other kinds that are looked at, the frequent ones first, and gaps taken from them. */
const POOLED_KINDS = 24
const POOLED_GAPS = 2_000
/** What a reference event must tell more than the plain one (nats per request). */
const BETTER_REFERENCE = 0.02
const BETTER_END = 0.05
/** Steps between which references are looked for: the most frequent ones. */
const REFERENCE_STEPS = 8
const ROWS_FOR_REFERENCES = 5
/** More kinds than this with fewer rows share one model. */
const RARE_KINDS_APART = 32
/** More steps than this, and durations are left out of the correlation. */
export const STEPS_WITH_DURATIONS = 14
const PATTERN_ROWS = 3

/** Learns how the requests of each kind go, from rows of all kinds: `rows[kind]`. Correlations are added later. */
export function learnOperations(rows: readonly (readonly RequestRow[])[], callKinds: number): OperationModel[] {
  const tables = rows.map(createGapTable)
  const largest = tables
    .map((table, kind) => ({ kind, rows: table.rows }))
    .filter(entry => entry.rows > 0)
    .sort((a, b) => b.rows - a.rows || a.kind - b.kind)
    .slice(0, POOLED_KINDS)
    .map(entry => tables[entry.kind]!)
  const rare = tables.filter(({ rows }) => rows > 0 && rows < ROWS_FOR_REFERENCES)
  if (rare.length <= RARE_KINDS_APART) return tables.map(table => learnOperation(table, largest, callKinds))
  // Of each too few to learn from, of all together enough.
  const together = createGapTable(rows.filter(({ length }) => length < ROWS_FOR_REFERENCES).flat())
  const common = learnOperation(together, largest, callKinds)
  return tables.map(table => (rare.includes(table) ? { ...common } : learnOperation(table, largest, callKinds)))
}

interface Learned {
  readonly density: GapDensity
  /** Rows of the own kind it was made of. */
  readonly own: number
}

type Learn = (later: Column, earlier: Column) => Learned

function learnOperation(table: GapTable, largest: readonly GapTable[], callKinds: number): OperationModel {
  const learn: Learn = (later, earlier) => gapDensity(table, largest, later, earlier)
  const steps = learnSteps(table, learn)
  const indexOf = new Int32Array(callKinds * OCCURRENCES).fill(-1)
  steps.forEach((step, index) => {
    indexOf[step.step] = index
  })
  const total = table.rows + 1
  const patterns = new Map<number, number>()
  for (const [pattern, seen] of table.patterns) {
    if (seen >= PATTERN_ROWS) patterns.set(pattern, Math.log(seen / total))
  }
  return {
    rows: table.rows,
    steps,
    indexOf,
    patterns,
    otherPattern: Math.log(0.3 / total),
    ...learnEnd(table, learn),
    childless: learn(childlessEnd(table), column.begin).density,
    correlation: undefined,
  }
}

function gapDensity(own: GapTable, largest: readonly GapTable[], later: Column, earlier: Column): Learned {
  const gaps: number[] = []
  append(own, later, earlier, gaps)
  const ownCount = gaps.length
  for (const table of largest) if (table !== own) append(table, later, earlier, gaps)
  const others = gaps.length - ownCount
  if (others === 0) return { density: new GapDensity(Float64Array.from(gaps)), own: ownCount }
  const stride = Math.max(1, others / POOLED_GAPS)
  const kept = Math.floor(others / stride)
  const values = new Float64Array(ownCount + kept)
  const weights = new Float64Array(values.length).fill(Math.min(1, POOL_WEIGHT / kept))
  weights.fill(1, 0, ownCount)
  for (let i = 0; i < ownCount; i++) values[i] = gaps[i]!
  for (let i = 0; i < kept; i++) values[ownCount + i] = gaps[ownCount + Math.floor(i * stride)]!
  return { density: new GapDensity(values, weights), own: ownCount }
}

function append(table: GapTable, later: Column, earlier: Column, gaps: number[]): void {
  const a = later(table)
  const b = earlier(table)
  if (a === undefined || b === undefined) return
  for (let row = 0; row < table.rows; row++) {
    const gap = a[row]! - b[row]!
    if (!Number.isNaN(gap)) gaps.push(gap)
  }
}

interface Reference {
  readonly waitsFor: Step['waitsFor']
  readonly after: number
  readonly gap: GapDensity
  readonly gain: number
}

/** Finds for every step the event that explains its start best; one after the other, so that no circle arises. */
function learnSteps(table: GapTable, learn: Learn): Step[] {
  const count = table.steps.length
  const sinceRequest = table.steps.map(step => learn(column.startOf(step), column.begin).density)
  const plain = (index: number): Reference => {
    return { waitsFor: 'request', after: -1, gap: sinceRequest[index]!, gain: 0 }
  }
  const chosen: Reference[] = table.steps.map((_, index) => plain(index))
  const left = new Set(mostSeen(table))
  const placed: number[] = []
  const tried = new Map<number, GapDensity | undefined>()
  const gapBetween = (index: number, other: number, waitsFor: 'start' | 'end'): GapDensity | undefined => {
    const key = (index * count + other) * 2 + (waitsFor === 'start' ? 0 : 1)
    if (tried.has(key)) return tried.get(key)
    const step = table.steps[other]!
    const found = learn(
      column.startOf(table.steps[index]!),
      (waitsFor === 'start' ? column.startOf : column.endOf)(step),
    )
    const enough = found.own >= Math.max(5, Math.min(20, 0.7 * table.seen[index]!))
    tried.set(key, enough ? found.density : undefined)
    return tried.get(key)
  }
  const bestReference = (index: number): Reference => {
    let best = plain(index)
    for (const other of placed) {
      for (const waitsFor of ['start', 'end'] as const) {
        const gap = gapBetween(index, other, waitsFor)
        if (gap === undefined) continue
        const gain = gap.meanLog - sinceRequest[index]!.meanLog
        if (gain > best.gain + BETTER_REFERENCE) best = { waitsFor, after: other, gap, gain }
      }
    }
    return best
  }
  while (left.size > 0) {
    let next = -1
    let most = Number.NEGATIVE_INFINITY
    for (const index of left) {
      const best = bestReference(index)
      const alone = sinceRequest[index]!.meanLog
      const tells = placed.length === 0 ? alone : best.gain > 0 ? best.gain : -1e-9 + alone * 1e-6
      if (next >= 0 && tells <= most) continue
      most = tells
      next = index
      chosen[index] = best
    }
    placed.push(next)
    left.delete(next)
  }
  return table.steps.map((step, index) => {
    const { waitsFor, after, gap } = chosen[index]!
    const duration = count <= STEPS_WITH_DURATIONS ? learn(column.endOf(step), column.startOf(step)).density : undefined
    return { step, seen: table.seen[index]!, sinceRequest: sinceRequest[index]!, waitsFor, after, gap, duration }
  })
}

function mostSeen(table: GapTable): number[] {
  if (table.rows < ROWS_FOR_REFERENCES) return []
  const all = table.steps.map((_, index) => index)
  if (all.length <= REFERENCE_STEPS) return all
  return all.sort((a, b) => table.seen[b]! - table.seen[a]! || a - b).slice(0, REFERENCE_STEPS)
}

function learnEnd(table: GapTable, learn: Learn): Pick<OperationModel, 'ending' | 'endsAfter'> {
  let ending = learn(column.end, column.lastEnd).density
  let endsAfter = -1
  let most = ending.meanLog
  for (const index of mostSeen(table)) {
    if (table.seen[index]! <= 0.5 * table.rows) continue
    const { density } = learn(column.end, column.endOf(table.steps[index]!))
    if (density.meanLog <= most + BETTER_END) continue
    most = density.meanLog
    endsAfter = index
    ending = density
  }
  return { ending, endsAfter }
}

/** Ends of the requests without calls, or of all where there are hardly any. */
function childlessEnd(own: GapTable): Column {
  let childless = 0
  for (const end of own.lastEnd) if (Number.isNaN(end)) childless++
  if (childless < 5) return column.end
  return table => table.end.map((end, row) => (Number.isNaN(table.lastEnd[row]!) ? end : Number.NaN))
}
