import { insertBatch } from '../../src/archive/insert.js'
import { migrate } from '../../src/archive/migrate.js'
import { readSketches } from '../../src/archive/queries/read-sketches.js'
import { rollUpSketches } from '../../src/archive/roll-up.js'
import { createQuantileSketch, QUANTILE_ERROR, quantileOf } from '../../src/sketches/quantile-sketch.js'
import { encodeSketchRows, SKETCH_COLUMNS, SKETCH_FORMAT, type SketchRow } from '../../src/sketches/sketch-row.js'
import { openTestArchive } from '../../test/archive/embedded-archive.js'
import { normal, seeded } from './datasets.js'

const DAY = 86_400
const VALUES = 1_000_000
const SHARES = [0, 0.01, 0.5, 0.9, 0.99, 0.999, 1]

/** A day of one operation: minutes written, rolled up to hours and the day by the archive, and read as a day. */
export async function sketchArchive() {
  const begin = Math.floor(Date.now() / 1000 / DAY) * DAY - DAY
  const random = seeded(7)
  const minutes = Array.from({ length: 1_440 }, () => createQuantileSketch())
  const bulk = createQuantileSketch()
  const values = Float64Array.from({ length: VALUES }, () => Math.max(1, Math.round(3e6 * Math.exp(normal(random)))))
  values.forEach((value, i) => {
    minutes[i % 1_440]!.add(value)
    bulk.add(value)
  })
  const store = await openTestArchive()
  try {
    await migrate(store.archive)
    const rows = minutes.map(
      (sketch, i): SketchRow => ({
        ...{ time: begin + i * 60, kind: 'operation', service: 'web', name: 'GET /', class: 'server 2xx' },
        ...{ format: SKETCH_FORMAT, calls: sketch.count(), errors: 0, durationNs: 0, longestNs: 0, requestBytes: 0 },
        ...{ responseBytes: 0, bins: sketch.bins(), registers: { indexes: [], ranks: [] }, items: [] },
      }),
    )
    const bytes = encodeSketchRows(rows)
    const batch = { token: 'day', table: 'sketches_minutes', rows: rows.length, bytes, columns: SKETCH_COLUMNS }
    await store.archive.run(client => insertBatch(client, 'ghostspan', batch, new AbortController().signal))
    const { days } = await rollUpSketches(store.archive)
    if (days !== 1) throw new Error(`${days} days were rolled up`)
    const read = await readSketches(store.archive, { kinds: ['operation'], since: begin - 5 * DAY, until: begin + DAY })
    const [day] = read.sketches
    if (day === undefined || read.rowsRead !== 1) throw new Error(`the day is ${read.rowsRead} rows`)
    values.sort()
    const errors = SHARES.map(share => {
      const truth = values[Math.floor(share * (VALUES - 1))]!
      return Math.abs(quantileOf(day.bins, share) - truth) / truth
    })
    return [
      {
        ...{ name: 'quantiles', dataset: 'log-normal, minutes to hours to a day in the archive', n: VALUES },
        ...{ maxError: Math.max(...errors), bound: QUANTILE_ERROR * (1 + 1e-9) },
        ...{ bytes: day.bins.indexes.length * 10 },
        mergeEqualsBulk: JSON.stringify(day.bins) === JSON.stringify(bulk.bins()),
      },
    ]
  } finally {
    await store.close()
  }
}
