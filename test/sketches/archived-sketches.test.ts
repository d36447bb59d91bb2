import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { migrate } from '../../src/archive/migrate.js'
import { readSketches } from '../../src/archive/queries/read-sketches.js'
import { rollUpSketches, setSketchRetention } from '../../src/archive/roll-up.js'
import { createRowsSender } from '../../src/archive/rows-sender.js'
import { distinctOf } from '../../src/sketches/distinct-sketch.js'
import { quantileOf } from '../../src/sketches/quantile-sketch.js'
import { createSketchSink, type SketchSink } from '../../src/sketches/sketch-sink.js'
import { createCounters } from '../../src/telemetry/counters.js'
import type { FinishedTrace } from '../../src/traces/span.js'
import { openTestArchive, type TestArchive, unlessEmbedded } from '../archive/embedded-archive.js'
import { syntheticTraces } from '../archive/synthetic-traces.js'

const DAY = 86_400
/** Midnight three days ago: whole days behind us. */
const BEGIN = Math.floor(Date.now() / 1000 / DAY) * DAY - 3 * DAY

describe('archived sketches', { skip: unlessEmbedded() }, () => {
  let store: TestArchive
  const counters = createCounters()
  const traces: FinishedTrace[] = []
  const sinkOf = (): SketchSink =>
    createSketchSink({
      sender: createRowsSender({
        archive: store.archive,
        prepare: () => migrate(store.archive),
        spoolDirectory: `${store.directory}/spool-sketches`,
        counters,
        room: 'sketches',
        warn: assert.fail,
      }),
      counters,
      now: () => Date.now() / 1000,
    })
  // Five days: a range that is answered by days.
  const whole = { since: BEGIN - 3 * DAY, until: BEGIN + 2 * DAY }
  const read = (kind: 'operation' | 'edge' | 'distinct' | 'frequent', range = whole) =>
    readSketches(store.archive, { kinds: [kind], ...range })

  before(async () => {
    store = await openTestArchive()
    // Two days, some 400 traces: 432 s between two on average.
    for (const trace of syntheticTraces({ count: 390, startNs: BigInt(BEGIN) * 1_000_000_000n, gapNs: 430e9 })) {
      traces.push(trace)
    }
    const sink = sinkOf()
    for (const trace of traces) sink.accept(trace)
    await sink.close()
  })
  after(async () => {
    await store?.close()
  })

  const truth = (service: string, name: string, kind: string): number[] =>
    traces
      .flatMap(trace => trace.spans)
      .filter(span => span.resource.service === service && span.name === name && span.kind === kind)
      .map(span => span.durationNs)
      .sort((a, b) => a - b)

  const checkQuantiles = async (): Promise<number> => {
    const { sketches, rowsRead } = await read('operation')
    const durations = truth('web', 'SELECT shop.items', 'client')
    const merged = sketches.filter(sketch => sketch.service === 'web' && sketch.name === 'SELECT shop.items')
    assert.equal(
      merged.reduce((sum, sketch) => sum + sketch.calls, 0),
      durations.length,
    )
    const ok = merged.find(sketch => sketch.class === 'client ok')!
    const sound = traces
      .flatMap(trace => trace.spans)
      .filter(span => span.name === 'SELECT shop.items' && span.status.code !== 'error')
      .map(span => span.durationNs)
      .sort((a, b) => a - b)
    for (const share of [0, 0.5, 0.9, 0.99, 1]) {
      const exact = sound[Math.floor(share * (sound.length - 1))]!
      assert.ok(Math.abs(quantileOf(ok.bins, share) - exact) <= exact * 0.0100001)
    }
    assert.equal(
      ok.durationNs,
      sound.reduce((sum, value) => sum + value, 0),
    )
    return rowsRead
  }

  it('read by minutes give counts and quantiles of the spans themselves', async () => {
    await checkQuantiles()
    assert.ok((counters.snapshot()['sketches.rows.inserted'] ?? 0) > 1_000)
  })

  it('rolled up to hours and days say the same from far fewer rows, however often it is done', async () => {
    const before = await read('operation')
    const first = await rollUpSketches(store.archive)
    assert.ok(first.hours > 40 && first.days >= 2, JSON.stringify(first))
    await rollUpSketches(store.archive)
    const after = await read('operation')
    assert.deepEqual(after.sketches, before.sketches)
    assert.ok(after.rowsRead * 20 < before.rowsRead, `${after.rowsRead} of ${before.rowsRead}`)
    await checkQuantiles()
    // The same in a range that is answered by hours.
    const hours = await read('edge', { since: BEGIN, until: BEGIN + DAY })
    const expected = traces.filter(trace => trace.spans[0]!.end[0] < BEGIN + DAY).length
    const entry = hours.sketches.filter(sketch => sketch.service === '' && sketch.name === 'nginx')
    assert.equal(entry[0]!.calls, expected)
  })

  it('count the edges of the service map once each', async () => {
    const { sketches } = await read('edge')
    const calls = Object.fromEntries(sketches.map(({ service, name, calls }) => [`${service}>${name}`, calls]))
    assert.equal(calls['>nginx'], 390)
    assert.equal(calls['nginx>web'], 390)
    assert.equal(calls['web>mariadb 127.0.0.1:3306'], 780)
    assert.equal(calls['web>worker'], 390)
  })

  it('name what is asked for most often', async () => {
    const { sketches } = await read('frequent')
    const statements = sketches.find(sketch => sketch.service === 'web' && sketch.name === 'statements')!
    assert.deepEqual(
      statements.items.map(item => item.count),
      [390, 390],
    )
    const { sketches: distinct } = await read('distinct')
    for (const sketch of distinct) assert.ok(distinctOf(sketch.registers) >= 0)
  })

  it('make an hour again when minutes come late', async () => {
    const [late] = [...syntheticTraces({ count: 1, seed: 77, startNs: BigInt(BEGIN + 100) * 1_000_000_000n })]
    const sink = sinkOf()
    sink.accept(late!)
    await sink.close()
    await rollUpSketches(store.archive)
    const { sketches } = await read('edge')
    assert.equal(sketches.find(({ service, name }) => service === 'nginx' && name === 'web')!.calls, 391)
  })

  it('leave sketches of another format alone, and say so', async () => {
    await store.archive.run(client =>
      client.command({
        query: `INSERT INTO ghostspan.sketches_minutes (time, kind, service, name, class, format, calls, bins, counts)
          VALUES (toDateTime(${BEGIN + 120}), 'operation', 'web', 'SELECT shop.items', 'client ok', 99, 5, [1], [5])`,
      }),
    )
    await rollUpSketches(store.archive)
    const { otherFormats } = await read('operation')
    assert.deepEqual(otherFormats, [{ format: 99, rows: 1 }])
    await checkQuantiles().catch((error: Error) => {
      // One trace more than `traces` has since the late one.
      assert.match(error.message, /391/)
    })
  })

  it('are kept as long as is asked, each resolution for itself', async () => {
    await setSketchRetention(store.archive, { minutes: 1 * DAY, hours: 9 * DAY, days: 40 * DAY })
    const tables = await store.rows<{ name: string; engine_full: string }>(
      "SELECT name, engine_full FROM system.tables WHERE name LIKE 'sketches_%' ORDER BY name",
    )
    const seconds = tables.map(table => Number(/toIntervalSecond\((\d+)\)/.exec(table.engine_full)![1]) / DAY)
    assert.deepEqual(seconds, [40, 9, 1])
  })
})
