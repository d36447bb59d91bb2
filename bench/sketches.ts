import { parseArgs } from 'node:util'
import { createDistinctSketch } from '../src/sketches/distinct-sketch.js'
import { createFrequentItems, FREQUENT_CAPACITY } from '../src/sketches/frequent-items.js'
import { createQuantileSketch, QUANTILE_ERROR, type QuantileSketch } from '../src/sketches/quantile-sketch.js'
import { sketchArchive } from './sketches/archive-roll-up.js'
import { DATASETS, seeded } from './sketches/datasets.js'

/**
 * How far sketches are from the truth, which is counted and sorted here, on data kind and unkind, after merges in any
 * order and after three levels of roll-up: in memory, and once in the archive's own SQL.
 */
interface Figure {
  readonly name: string
  readonly dataset: string
  readonly n: number
  readonly maxError: number
  readonly bound: number
  readonly bytes: number
  /** null: the sketch keeps its bound after merges, but is not the same as in bulk. */
  readonly mergeEqualsBulk: boolean | null
}

/** Parts of a day: minutes in hours in a day. */
const MINUTES = 60 * 24
const SHARES = [0, 0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 1]
/** Standard errors of a distinct count: six in a thousand would miss three of them, none should miss four. */
const DISTINCT_BOUND = 4 * (1.04 / Math.sqrt(4_096))

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (flags.help) {
  console.log('bench:sketches [--json] [--check] [--quick]   --quick: a hundredth of the values, and no archive')
} else {
  process.exitCode = await main()
}

async function main(): Promise<number> {
  const figures: Figure[] = []
  const skipped: { what: string; why: string }[] = []
  const shrink = flags.quick ? 100 : 1
  for (const { name, n, values } of DATASETS) {
    const count = Math.round(n / shrink)
    figures.push(...tell(quantileFigures(name, values(count), count)))
  }
  for (const n of [1_000, 100_000, 1_000_000, 10_000_000])
    figures.push(...tell(distinctFigures(Math.round(n / shrink))))
  for (const name of ['zipf', 'one heavy among all different', 'adversarial order']) {
    figures.push(...tell(frequentFigures(name, Math.round(2_000_000 / shrink))))
  }
  if (flags.quick) skipped.push({ what: 'roll-up in the archive', why: '--quick' })
  else {
    try {
      figures.push(...tell(await sketchArchive()))
    } catch (error) {
      skipped.push({ what: 'roll-up in the archive', why: String(error) })
    }
  }
  skipped.push({ what: 'kernel', why: 'the kernel sketch has a measurement of its own: bench:kernel' })
  if (flags.json) console.log(JSON.stringify({ sketches: figures, kernel: null, skipped }))
  const missed = figures.filter(figure => figure.maxError > figure.bound || figure.mergeEqualsBulk === false)
  for (const figure of missed) console.error(`bench:sketches: missed: ${JSON.stringify(figure)}`)
  return flags.check && missed.length > 0 ? 1 : 0
}

function tell(figures: Figure[]): Figure[] {
  for (const { name, dataset, n, maxError, bound } of figures) {
    console.error(`bench:sketches: ${name}, ${dataset}, ${n}: ${maxError.toFixed(5)} of ${bound.toFixed(5)}`)
  }
  return figures
}

function bytesOf(sketch: QuantileSketch): number {
  return sketch.bins().indexes.length * 10
}

function quantileFigures(dataset: string, values: Float64Array, n: number): Figure[] {
  const bulk = createQuantileSketch()
  const minutes = Array.from({ length: MINUTES }, () => createQuantileSketch())
  const random = seeded(11)
  for (const value of values) {
    bulk.add(value)
    minutes[Math.floor(random() * MINUTES)]!.add(value)
  }
  const hours = Array.from({ length: 24 }, (_, hour) => merged(minutes.slice(hour * 60, hour * 60 + 60)))
  const day = merged(hours)
  const shuffled = merged([...minutes].sort(() => random() - 0.5))
  const same = [day, shuffled].every(sketch => JSON.stringify(sketch.bins()) === JSON.stringify(bulk.bins()))
  values.sort()
  const error = Math.max(
    ...[bulk, day, shuffled].flatMap(sketch => SHARES.map(share => errorOf(sketch.quantile(share), values, share))),
  )
  // Rounding of the logarithm itself may put a value on a border into the next bin.
  const bound = QUANTILE_ERROR * (1 + 1e-9)
  return [{ name: 'quantiles', dataset, n, maxError: error, bound, bytes: bytesOf(bulk), mergeEqualsBulk: same }]
}

function merged(sketches: readonly QuantileSketch[]): QuantileSketch {
  const all = createQuantileSketch()
  for (const sketch of sketches) if (!all.merge(sketch)) throw new Error('bench:sketches: a merge was refused')
  return all
}

function errorOf(value: number, sorted: Float64Array, share: number): number {
  const truth = sorted[Math.floor(share * (sorted.length - 1))]!
  return truth < 1 ? value : Math.abs(value - truth) / truth
}

function distinctFigures(n: number): Figure[] {
  const bulk = createDistinctSketch()
  const parts = Array.from({ length: 24 }, () => createDistinctSketch())
  for (let i = 0; i < n; i++) {
    const text = `user-${i}`
    bulk.add(text)
    parts[i % 24]!.add(text)
    if (i % 3 === 0) parts[(i + 7) % 24]!.add(text)
  }
  const together = createDistinctSketch()
  for (const part of parts.reverse()) together.merge(part)
  const same = JSON.stringify(together.registers()) === JSON.stringify(bulk.registers())
  const error = Math.abs(together.estimate() - n) / n
  const bytes = bulk.registers().indexes.length * 3
  const common = { name: 'distinct', dataset: 'all different, a third twice', n }
  return [{ ...common, maxError: error, bound: DISTINCT_BOUND, bytes, mergeEqualsBulk: same }]
}

/** Errors as a share of all items; the bound is 1 / (capacity + 1). */
function frequentFigures(dataset: string, n: number): Figure[] {
  const random = seeded(5)
  const truth = new Map<string, number>()
  const parts = Array.from({ length: 60 }, () => createFrequentItems())
  const bulk = createFrequentItems()
  for (let i = 0; i < n; i++) {
    const item = itemOf(dataset, i, random)
    truth.set(item, (truth.get(item) ?? 0) + 1)
    parts[i % 60]!.add(item)
    bulk.add(item)
  }
  const together = createFrequentItems()
  for (const part of parts.sort(() => random() - 0.5)) together.merge(part)
  let error = 0
  for (const sketch of [bulk, together]) {
    const named = new Map(sketch.items().map(({ item, count }) => [item, count]))
    for (const [item, count] of truth) {
      const told = named.get(item) ?? 0
      // Never more than it is: that would be an error of any size.
      error = Math.max(error, told > count ? 1 : (count - told) / n)
    }
  }
  const bytes = bulk.items().reduce((sum, { item }) => sum + item.length + 9, 0)
  return [
    { name: 'frequent', dataset, n, maxError: error, bound: 1 / (FREQUENT_CAPACITY + 1), bytes, mergeEqualsBulk: null },
  ]
}

function itemOf(dataset: string, i: number, random: () => number): string {
  if (dataset === 'zipf') return `route-${Math.floor(1 / (random() + 1e-6))}`
  if (dataset === 'adversarial order') return i % 2 === 0 ? `rare-${i}` : `route-${(i >> 1) % 80}`
  return i % 20 === 0 ? 'heavy' : `once-${i}`
}
