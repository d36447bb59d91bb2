import { isDeepStrictEqual, parseArgs } from 'node:util'
import { migrate } from '../src/archive/migrate.js'
import { createFetchedDictionary } from '../src/archive/queries/shape-dictionary.js'
import { readShapeTraces } from '../src/archive/queries/shape-traces.js'
import { createRowsSender } from '../src/archive/rows-sender.js'
import { createArchiveSink } from '../src/archive/sink.js'
import { thinOldTraces } from '../src/archive/thin-old-traces.js'
import { createShapeCountingSink, createShapeSink } from '../src/shapes/shape-sink.js'
import { createShapeStatistics } from '../src/shapes/shape-statistics.js'
import { createSketchSink } from '../src/sketches/sketch-sink.js'
import { createCounters } from '../src/telemetry/counters.js'
import type { FinishedTrace } from '../src/traces/span.js'
import { openTestArchive, type TestArchive } from '../test/archive/embedded-archive.js'
import { comparable } from '../test/shapes/trace-values.js'
import { collectTraces, type Skipped } from './storage/collect-traces.js'
import { otlpBytes } from './storage/otlp-size.js'
import { sketchDay } from './storage/sketch-day.js'

/**
 * Bytes on disk of the same traces, compressed and merged, in each way in which the archive keeps them, beside the bytes
 * that they have as OTLP; and of a day of sketches of 200 busy operations.
 */
const GOALS = {
  recentBytesPerSpan: 60,
  shapeBytesPerSpan: 22,
  thinBytesPerSpan: 4,
  sketchBytesPerDay: { minutes: 20e6, hours: 1e6, day: 200e3 },
}

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    requests: { type: 'string', default: '8000' },
    help: { type: 'boolean', default: false },
  },
})
const progress = (text: string): void => console.error(`bench:storage: ${text}`)

if (flags.help) {
  console.log(
    'bench:storage [--json] [--check] [--requests N] [FILE…]   traces of the demo, run live; or of these recordings',
  )
} else {
  try {
    process.exitCode = await main()
  } catch (problem) {
    console.error(`bench:storage: cannot be measured: ${problem instanceof Error ? problem.message : problem}`)
    process.exitCode = 1
  }
}

async function main(): Promise<number> {
  const skipped: Skipped[] = []
  const traces = await collectTraces(positionals, Number(flags.requests), skipped, progress)
  const spans = traces.reduce((sum, trace) => sum + trace.spans.length, 0)
  if (spans === 0) throw new Error('there are no spans')
  progress(`${traces.length} traces, ${spans} spans`)
  const recent = await withArchive(store => recentBytes(store, traces))
  progress(`recent: ${(recent.bytes / spans).toFixed(2)} bytes a span`)
  const shapes = await withArchive(store => shapeBytes(store, traces))
  progress(`shapes: ${(shapes.bytes / spans).toFixed(2)}, thinned: ${(shapes.thin / spans).toFixed(2)}`)
  const sketchBytesPerDay = await withArchive(sketchDay)
  progress(`sketches: ${JSON.stringify(sketchBytesPerDay)}`)
  skipped.push({ what: 'the OpenStack lab’s traces', why: 'they come with its own evaluation' })
  const result = {
    ...{ spans, traces: traces.length, otlpBytesPerSpan: (await otlpBytes(traces)) / spans },
    ...{ recentBytesPerSpan: recent.bytes / spans, recentTables: recent.tables },
    ...{ shapeBytesPerSpan: shapes.bytes / spans, shapeTables: shapes.tables, shapes: shapes.shapes },
    ...{ thinBytesPerSpan: shapes.thin / spans, sketchBytesPerDay, lossless: shapes.lossless, skipped },
  }
  if (flags.json) console.log(JSON.stringify(result))
  const missed = missedGoals(result)
  for (const each of missed) progress(`goal missed: ${each}`)
  return flags.check && missed.length > 0 ? 1 : 0
}

function missedGoals(result: {
  recentBytesPerSpan: number
  shapeBytesPerSpan: number
  thinBytesPerSpan: number
  sketchBytesPerDay: Record<'minutes' | 'hours' | 'day', number>
  lossless: boolean
}): string[] {
  const missed: string[] = result.lossless ? [] : ['lossless']
  for (const name of ['recentBytesPerSpan', 'shapeBytesPerSpan', 'thinBytesPerSpan'] as const) {
    if (result[name] > GOALS[name]) missed.push(`${name} ${result[name].toFixed(2)} > ${GOALS[name]}`)
  }
  for (const name of ['minutes', 'hours', 'day'] as const) {
    const bytes = result.sketchBytesPerDay[name]
    if (bytes > GOALS.sketchBytesPerDay[name]) missed.push(`sketches by ${name} ${bytes}`)
  }
  return missed
}

async function withArchive<T>(work: (store: TestArchive) => Promise<T>): Promise<T> {
  const store = await openTestArchive()
  try {
    await migrate(store.archive)
    return await work(store)
  } finally {
    await store.close()
  }
}

function warn(message: string): void {
  throw new Error(message)
}

function senderOf(store: TestArchive, room: string) {
  return createRowsSender({
    archive: store.archive,
    prepare: () => migrate(store.archive),
    spoolDirectory: `${store.directory}/spool-${room}`,
    counters: createCounters(),
    room,
    warn,
  })
}

/** As the daemon keeps recent data by default: a row a span, sketches, and the shapes counted. */
async function recentBytes(store: TestArchive, traces: readonly FinishedTrace[]) {
  const counters = createCounters()
  const common = { archive: store.archive, counters, warn }
  const sender = senderOf(store, 'shapes')
  const sinks = [
    createArchiveSink({ ...common, prepare: () => migrate(store.archive), spoolDirectory: `${store.directory}/spool` }),
    createSketchSink({ sender: senderOf(store, 'sketches'), counters, now: () => Date.now() / 1000 }),
    createShapeCountingSink({
      ...{ sender, counters, statistics: createShapeStatistics(counters) },
    }),
  ]
  for (const trace of traces) for (const sink of sinks) sink.accept(trace)
  for (const sink of sinks) await sink.close()
  await sender.close(10_000)
  const tables = await bytesOfTables(store)
  return { bytes: Object.values(tables).reduce((sum, bytes) => sum + bytes, 0), tables }
}

async function shapeBytes(store: TestArchive, traces: readonly FinishedTrace[]) {
  const counters = createCounters()
  const common = { archive: store.archive, counters, warn }
  const sender = senderOf(store, 'shapes')
  const counting = createShapeCountingSink({ sender, counters, statistics: createShapeStatistics(counters) })
  const sink = createShapeSink({
    ...{ sender, counters },
    whole: createArchiveSink({
      ...{ ...common, prepare: () => migrate(store.archive), spoolDirectory: `${store.directory}/spool` },
    }),
  })
  for (const trace of traces) {
    sink.accept(trace)
    counting.accept(trace)
  }
  await counting.close()
  await sink.close()
  const tables = await bytesOfTables(store)
  const bytes = Object.values(tables).reduce((sum, each) => sum + each, 0)
  const lossless = await readBack(store, traces)
  const shapes = await store.count('SELECT uniqExact(shape) FROM ghostspan.trace_shapes')
  await thinOldTraces({ archive: store.archive, ageSeconds: 0, counters })
  const after = await bytesOfTables(store)
  const dictionary = (after['shape_nodes'] ?? 0) + (after['shape_layouts'] ?? 0)
  return { bytes, tables, lossless, shapes, thin: (after['thin_traces'] ?? 0) + dictionary }
}

/** Every trace rebuilt from the archive, compared field by field with what was given. */
async function readBack(store: TestArchive, traces: readonly FinishedTrace[]): Promise<boolean> {
  const expected = new Map(traces.map(trace => [`${trace.traceId} ${trace.late}`, trace]))
  const dictionary = createFetchedDictionary('ghostspan')
  let equal = 0
  for (let page = 0; ; page++) {
    const condition = `1 ORDER BY trace_key, flags LIMIT 1000 OFFSET ${page * 1000}`
    const found = await store.archive.run(client => readShapeTraces(client, 'ghostspan', condition, {}, dictionary))
    for (const trace of found) {
      const given = expected.get(`${trace.traceId} ${trace.late}`)
      if (given !== undefined && isDeepStrictEqual(comparable(trace), comparable(given))) equal++
    }
    if (found.length < 1000) break
  }
  progress(`${equal} of ${traces.length} traces came back equal`)
  return equal === traces.length
}

async function bytesOfTables(store: TestArchive): Promise<Record<string, number>> {
  const tables = await store.rows<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = 'ghostspan' AND engine LIKE '%MergeTree' AND name != 'migrations'",
  )
  for (const { name } of tables) {
    await store.archive.run(client => client.command({ query: `OPTIMIZE TABLE ghostspan.${name} FINAL` }))
  }
  const rows = await store.rows<{ table: string; bytes: string }>(
    `SELECT table, sum(bytes_on_disk) AS bytes FROM system.parts
     WHERE database = 'ghostspan' AND active AND table != 'migrations' GROUP BY table`,
  )
  return Object.fromEntries(rows.map(row => [row.table, Number(row.bytes)]))
}
