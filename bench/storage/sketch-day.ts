import { insertBatch } from '../../src/archive/insert.js'
import { rollUpSketches } from '../../src/archive/roll-up.js'
import { createQuantileSketch } from '../../src/sketches/quantile-sketch.js'
import { encodeSketchRows, SKETCH_COLUMNS, SKETCH_FORMAT, type SketchRow } from '../../src/sketches/sketch-row.js'
import type { TestArchive } from '../../test/archive/embedded-archive.js'
import { normal, seeded } from '../sketches/datasets.js'

const OPERATIONS = 200
/** Calls of an operation in a busy and in a quiet minute: one and a half a second at noon. */
const MOST_CALLS = 90
const LEAST_CALLS = 30
const DAY = 86_400

/** A day of 200 busy operations, log-normal durations of different medians and spreads, rolled up by the archive. */
export async function sketchDay(store: TestArchive): Promise<{ minutes: number; hours: number; day: number }> {
  const begin = Math.floor(Date.now() / 1000 / DAY) * DAY - DAY
  const random = seeded(3)
  for (let hour = 0; hour < 24; hour++) {
    const rows: SketchRow[] = []
    for (let minute = hour * 60; minute < hour * 60 + 60; minute++) {
      const busy = LEAST_CALLS + (MOST_CALLS - LEAST_CALLS) * Math.sin((Math.PI * minute) / 1_440)
      for (let operation = 0; operation < OPERATIONS; operation++) {
        rows.push(minuteOf(begin + minute * 60, operation, Math.round(busy * (0.8 + 0.4 * random())), random))
      }
    }
    const bytes = encodeSketchRows(rows)
    const batch = {
      token: `hour-${hour}`,
      table: 'sketches_minutes',
      rows: rows.length,
      bytes,
      columns: SKETCH_COLUMNS,
    }
    await store.archive.run(client => insertBatch(client, 'ghostspan', batch, new AbortController().signal))
  }
  const rolled = await rollUpSketches(store.archive)
  if (rolled.hours !== 24 || rolled.days !== 1) throw new Error(`rolled up ${JSON.stringify(rolled)}`)
  const bytes = async (table: string): Promise<number> => {
    await store.archive.run(client => client.command({ query: `OPTIMIZE TABLE ghostspan.${table} FINAL` }))
    return store.count(
      `SELECT sum(bytes_on_disk) FROM system.parts WHERE database = 'ghostspan' AND active AND table = '${table}'`,
    )
  }
  return {
    minutes: await bytes('sketches_minutes'),
    hours: await bytes('sketches_hours'),
    day: await bytes('sketches_days'),
  }
}

function minuteOf(time: number, operation: number, calls: number, random: () => number): SketchRow {
  const sketch = createQuantileSketch()
  const median = 2e5 * 1.03 ** operation
  const spread = 0.3 + (operation % 7) * 0.1
  let sum = 0
  let longest = 0
  for (let i = 0; i < calls; i++) {
    const value = Math.round(median * Math.exp(spread * normal(random)))
    sketch.add(value)
    sum += value
    longest = Math.max(longest, value)
  }
  return {
    ...{ time, kind: 'operation', service: `service-${operation % 20}`, name: `GET /thing-${operation}/{id}` },
    ...{ class: 'server 2xx', format: SKETCH_FORMAT, calls, errors: 0, durationNs: sum, longestNs: longest },
    ...{ requestBytes: calls * 400, responseBytes: calls * 900 + Math.floor(random() * 5_000), bins: sketch.bins() },
    ...{ registers: { indexes: [], ranks: [] }, items: [] },
  }
}
