import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { migrate } from '../../src/archive/migrate.js'
import { getTrace } from '../../src/archive/queries/get-trace.js'
import { knownShapes, listShapes } from '../../src/archive/queries/list-shapes.js'
import { listTraces } from '../../src/archive/queries/list-traces.js'
import { createRowsSender } from '../../src/archive/rows-sender.js'
import { createArchiveSink } from '../../src/archive/sink.js'
import { thinOldTraces } from '../../src/archive/thin-old-traces.js'
import { createShapeCountingSink, createShapeSink } from '../../src/shapes/shape-sink.js'
import { createShapeStatistics } from '../../src/shapes/shape-statistics.js'
import { quantileOf } from '../../src/sketches/quantile-sketch.js'
import { createCounters } from '../../src/telemetry/counters.js'
import type { FinishedTrace, TraceSink } from '../../src/traces/span.js'
import { openTestArchive, type TestArchive, unlessEmbedded } from '../archive/embedded-archive.js'
import { syntheticTraces } from '../archive/synthetic-traces.js'
import { comparable } from './trace-values.js'

const START = BigInt(Math.floor(Date.now() / 86_400_000) * 86_400 - 43_200) * 1_000_000_000n

describe('traces that are archived as shapes', { skip: unlessEmbedded() }, () => {
  let store: TestArchive
  const counters = createCounters()
  const traces = [...syntheticTraces({ count: 300, startNs: START, gapNs: 5e9 })]
  const open = (): TraceSink => {
    const prepare = (): Promise<unknown> => migrate(store.archive)
    const common = { archive: store.archive, prepare, counters, warn: assert.fail }
    const sender = createRowsSender({ ...common, spoolDirectory: `${store.directory}/spool-shapes`, room: 'shapes' })
    const counting = createShapeCountingSink({ sender, counters, statistics: createShapeStatistics(counters) })
    const stored = createShapeSink({
      sender,
      whole: createArchiveSink({ ...common, spoolDirectory: `${store.directory}/spool` }),
      counters,
    })
    return {
      accept: trace => {
        counting.accept(trace)
        stored.accept(trace)
      },
      flush: stored.flush,
      close: async () => {
        await counting.close()
        await stored.close()
      },
    }
  }
  const read = async (id: string): Promise<FinishedTrace> => {
    const found = await getTrace(store.archive, id)
    assert.equal(found.kind, 'trace', JSON.stringify(found))
    return (found as Extract<typeof found, { kind: 'trace' }>).trace
  }

  before(async () => {
    store = await openTestArchive()
    const sink = open()
    for (const trace of traces) sink.accept(trace)
    await sink.close()
  })
  after(async () => {
    await store?.close()
  })

  it('come back equal in every field, by their id or its beginning', async () => {
    assert.equal(await store.count('SELECT count() FROM ghostspan.shape_traces'), 300)
    assert.equal(await store.count('SELECT count() FROM ghostspan.otel_traces'), 0)
    for (const trace of traces.slice(0, 25)) {
      assert.deepEqual(comparable(await read(trace.traceId)), comparable(trace))
      assert.equal((await read(trace.traceId.slice(0, 12))).spans.length, 8)
    }
  })

  it('are listed like others', async () => {
    const listed = await listTraces(store.archive, { limit: 5 })
    const newest = [...traces].sort((a, b) => b.spans[0]!.start[0] - a.spans[0]!.start[0]).slice(0, 3)
    assert.ok(newest.every(trace => listed.some(one => one.traceId === trace.traceId)))
    assert.equal(listed[0]!.service, 'nginx')
    assert.equal(listed[0]!.spans, 8)
    const failed = await listTraces(store.archive, { errorsOnly: true, limit: 1000 })
    const expected = traces.filter(trace => trace.spans.some(span => span.status.code === 'error'))
    assert.equal(failed.length, expected.length)
  })

  it('are counted by shape, with latencies and examples', async () => {
    const shapes = await listShapes(store.archive, { since: 0, limit: 1000 })
    assert.equal(
      shapes.reduce((sum, shape) => sum + shape.traces, 0),
      300,
    )
    const roots = traces.map(trace => trace.spans[0]!.durationNs)
    const slowest = shapes.map(shape => shape.slowest!.durationNs)
    // The trace ends with its last span, which may be later than the root.
    assert.ok(Math.max(...slowest) >= Math.max(...roots))
    const [most] = [...shapes].sort((a, b) => b.traces - a.traces)
    assert.equal(most!.outline.length, 8)
    assert.equal(most!.outline[0]!.service, 'nginx')
    const root = most!.nodeBins.get(0)!
    assert.equal(
      root.counts.reduce((sum, count) => sum + count, 0),
      most!.traces,
    )
    assert.ok(quantileOf(root, 0.5) > 5e6)
    const failing = shapes.find(shape => shape.failed > 0)!
    assert.ok((await read(failing.latestFailed!)).spans.some(span => span.status.code === 'error'))
    assert.ok(shapes.some(shape => shape.like !== undefined))
  })

  it('know what was there before a restart', async () => {
    const before = (await knownShapes(store.archive)).length
    const fresh = counters.snapshot()['shapes.new']
    assert.equal(before, fresh)
  })

  it('are kept as rows of spans where they are no trees', async () => {
    const [strange] = [...syntheticTraces({ count: 1, seed: 99, startNs: START })]
    const twice = { ...strange!, spans: [...strange!.spans, strange!.spans[7]!] }
    const sink = open()
    sink.accept(twice)
    await sink.close()
    assert.equal(counters.snapshot()['shapes.traces.kept_as_rows'], 1)
    assert.equal((await read(strange!.traceId)).spans.length, 8)
  })

  it('lose their values when they are thinned, not their structure and times', async () => {
    assert.equal(await thinOldTraces({ archive: store.archive, ageSeconds: 0, counters }), 300)
    assert.equal(await store.count('SELECT count() FROM ghostspan.shape_traces'), 0)
    for (const trace of traces.slice(0, 20)) {
      const thin = await read(trace.traceId)
      const byName = (one: FinishedTrace): [string, string, number][] =>
        one.spans.map((span): [string, string, number] => [span.name, span.resource.service, span.durationNs]).sort()
      const names = (one: FinishedTrace): string[] => byName(one).map(([name, service]) => `${name} ${service}`)
      assert.deepEqual(names(thin), names(trace))
      const parents = (one: FinishedTrace): string[] => {
        const spans = new Map(one.spans.map(span => [span.spanId, span]))
        return one.spans.map(span => `${span.name}<${spans.get(span.parentSpanId ?? '')?.name}`).sort()
      }
      assert.deepEqual(parents(thin), parents(trace))
      const durations = (one: FinishedTrace): number[] => one.spans.map(span => span.durationNs).sort((a, b) => a - b)
      durations(thin).forEach((duration, i) => {
        const exact = durations(trace)[i]!
        assert.ok(Math.abs(duration - exact) <= exact * 0.00501 + 1, `${duration} ${exact}`)
      })
      assert.equal(
        thin.spans.some(span => 'messaging.message.id' in span.attributes),
        false,
      )
    }
  })
})
