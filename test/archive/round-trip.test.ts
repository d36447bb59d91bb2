import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { ClickHouseError } from '@clickhouse/client'
import { insertBatch } from '../../src/archive/insert.js'
import { migrate } from '../../src/archive/migrate.js'
import { getTrace } from '../../src/archive/queries/get-trace.js'
import { listTraces } from '../../src/archive/queries/list-traces.js'
import { archiveSummary } from '../../src/archive/queries/summary.js'
import { RowBinaryWriter } from '../../src/archive/row-binary.js'
import { createArchiveSink } from '../../src/archive/sink.js'
import { createSpanRowEncoder, ROW_COLUMNS } from '../../src/archive/span-row.js'
import { createCounters } from '../../src/telemetry/counters.js'
import type { FinishedSpan, FinishedTrace } from '../../src/traces/span.js'
import { openTestArchive, type TestArchive, unlessEmbedded } from './embedded-archive.js'
import { syntheticTraces } from './synthetic-traces.js'

/** Yesterday noon: whole traces on one day, and no retention that could take them. */
const START = BigInt(Math.floor(Date.now() / 86_400_000) * 86_400 - 43_200) * 1_000_000_000n

const sorted = (trace: FinishedTrace): FinishedTrace => ({
  ...trace,
  spans: [...trace.spans].sort((a, b) => (a.spanId < b.spanId ? -1 : 1)),
})

/** Strengths are kept in eight bits, confidences in single precision. */
function assertSameTrace(actual: FinishedTrace, expected: FinishedTrace): void {
  const rounded = (trace: FinishedTrace): unknown =>
    sorted({
      ...trace,
      spans: trace.spans.map(span => ({
        ...span,
        link: span.link && {
          ...span.link,
          strengths: Object.fromEntries(
            Object.entries(span.link.strengths).map(([kind, value]) => [kind, Math.round(value * 255)]),
          ),
        },
      })) as unknown as FinishedSpan[],
    })
  assert.deepEqual(rounded(actual), rounded(expected))
}

const withFirst = (trace: FinishedTrace, change: Partial<FinishedSpan>): FinishedTrace => ({
  ...trace,
  spans: trace.spans.map((span, i) => (i === 0 ? { ...span, ...change } : span)),
})

describe('the archive keeps what it is given', { skip: unlessEmbedded() }, () => {
  let store: TestArchive
  const counters = createCounters()
  const write = async (traces: readonly FinishedTrace[]): Promise<void> => {
    const sink = createArchiveSink({
      archive: store.archive,
      prepare: () => migrate(store.archive),
      spoolDirectory: `${store.directory}/spool`,
      counters,
    })
    for (const trace of traces) sink.accept(trace)
    await sink.flush()
    await sink.close()
  }
  const read = async (id: string): Promise<FinishedTrace> => {
    const found = await getTrace(store.archive, id)
    assert.equal(found.kind, 'trace')
    return (found as Extract<typeof found, { kind: 'trace' }>).trace
  }
  let seed = 100
  const one = (): FinishedTrace => syntheticTraces({ count: 1, seed: seed++, startNs: START }).next().value!

  before(async () => {
    store = await openTestArchive()
  })
  after(async () => {
    await store?.close()
  })

  it('says of an empty directory that nothing is there', async () => {
    assert.deepEqual(await listTraces(store.archive), [])
    assert.deepEqual(await getTrace(store.archive, 'abcd'), { kind: 'none' })
    const summary = await archiveSummary(store.archive)
    assert.equal(summary.engine, 'embedded')
    assert.equal(summary.spans, 0)
    assert.equal(summary.oldestNs, undefined)
  })

  it('migrates once, however often and however many at once', async () => {
    const [first, second] = await Promise.all([migrate(store.archive), migrate(store.archive)])
    assert.ok(first.mapSettings && second.mapSettings)
    assert.deepEqual((await migrate(store.archive)).applied, [])
    assert.deepEqual(await store.rows('SELECT DISTINCT number FROM ghostspan.migrations ORDER BY number'), [
      { number: 1 },
      { number: 2 },
      { number: 3 },
    ])
    const [table] = await store.rows<{ e: string }>(
      "SELECT engine_full AS e FROM system.tables WHERE database = 'ghostspan' AND name = 'otel_traces'",
    )
    assert.match(table!.e, /map_buckets_min_avg_size = 0/)
    assert.match(table!.e, /TTL archived \+ toIntervalSecond\(604800\)/)
  })

  it('makes the table without the map settings on a server that does not know them', async () => {
    const older = { ...store.archive, database: 'older' }
    const result = await migrate(older, { mapSettings: 'a_setting_of_the_future = 1' })
    assert.deepEqual(result, { applied: [1, 2, 3], mapSettings: false, retentionChanged: false })
    assert.deepEqual(await store.rows('SELECT * FROM older.otel_traces'), [])
    await store.archive.run(client => client.command({ query: 'DROP DATABASE older' }))
  })

  it('refuses tables that a later version has changed', async () => {
    const newer = { ...store.archive, database: 'newer' }
    await migrate(newer)
    await store.archive.run(client =>
      client.command({ query: "INSERT INTO newer.migrations (number, name) VALUES (99, 'later')" }),
    )
    await assert.rejects(migrate(newer), /later version of ghostspan/)
    await store.archive.run(client => client.command({ query: 'DROP DATABASE newer' }))
  })

  it('gives traces back equal in every field', async () => {
    const traces = [...syntheticTraces({ count: 12, seed: 7, startNs: START })]
    await write(traces)
    for (const trace of traces) assertSameTrace(await read(trace.traceId), trace)
  })

  it('gives back unicode, line feeds, quotes, control characters, empty and huge values', async () => {
    const attributes = {
      plain: 'value',
      empty: '',
      'line feeds': "first\n\nDROP TABLE ghostspan.otel_traces\n\n'; DROP DATABASE ghostspan; --",
      quotes: `'"\`\\ {} $$`,
      controls: '\u0000\u0001\t\r\u001b[31m',
      unicode: 'Grüße, 世界, 🏳️‍🌈, \u2028',
      schlüssel: 'yes',
      huge: `${'x'.repeat(1 << 20)}é`,
      number: 12.5,
      negative: -3,
      zero: 0,
      large: 2 ** 53,
      infinite: Number.POSITIVE_INFINITY,
      true: true,
      false: false,
      'text of a number': '12.5',
    }
    const trace = withFirst(one(), {
      attributes,
      name: "GET /'; DROP TABLE x; --\n\n",
      status: { code: 'ok', message: '\n\n"' },
    })
    await write([trace])
    assertSameTrace(await read(trace.traceId), trace)
    assert.ok((await store.count('SELECT count() FROM ghostspan.otel_traces')) > 90)
  })

  it('gives back a span without attributes and one with two hundred', async () => {
    const none = withFirst(one(), { attributes: {} })
    const many = withFirst(one(), {
      attributes: Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`key.${i}`, i % 3 === 0 ? i : `v${i}`])),
    })
    await write([none, many])
    assertSameTrace(await read(none.traceId), none)
    assertSameTrace(await read(many.traceId), many)
  })

  it('keeps the leading zeros of ids and keys', async () => {
    const trace = one()
    const id = `0000${trace.traceId.slice(4)}`
    const [root, child] = trace.spans
    const zeros: FinishedTrace = {
      ...trace,
      traceId: id,
      spans: [
        { ...root!, traceId: id, spanId: '000000000000000a', sample: { ...root!.sample, wireKey: '' } },
        {
          ...child!,
          traceId: id,
          spanId: '00ff00ff00ff00ff',
          parentSpanId: '000000000000000a',
          sample: { ...child!.sample, wireKey: '0000000000000b0b' },
        },
      ],
    }
    await write([zeros])
    assertSameTrace(await read(id), zeros)
  })

  it('keeps links to other traces, alternatives, remote parents, late and incomplete traces', async () => {
    const trace = one()
    const [root, child] = trace.spans
    const rich: FinishedTrace = {
      ...trace,
      late: true,
      incomplete: true,
      spans: [
        {
          ...root!,
          parentSpanId: '0123456789abcdef',
          parentRemote: true,
          links: [
            { traceId: 'ab'.repeat(16), spanId: '00'.repeat(7) + '01', attributes: { confidence: 0.4, why: 'time' } },
            { traceId: '01'.repeat(16), spanId: 'ff'.repeat(8), attributes: {} },
          ],
        },
        {
          ...child!,
          link: {
            evidence: 'time',
            confidence: 0.731,
            strengths: { wire: 0, context: 0.25, content: 0.5, time: 1 },
            alternatives: [
              { spanId: '00000000000000ff', confidence: 0.2 },
              { spanId: 'ffffffffffffffff', confidence: 0.069 },
            ],
          },
        },
      ],
    }
    await write([rich])
    assertSameTrace(await read(trace.traceId), rich)
    const [link] = await store.rows<Record<string, unknown>>(
      `SELECT decided_by, context, content, time, alternatives FROM ghostspan.links WHERE child = '${child!.spanId}'`,
    )
    assert.equal(link!['decided_by'], 'time')
    assert.ok(Math.abs(Number(link!['context']) - 0.25) < 1 / 255)
    assert.deepEqual(link!['alternatives'], ['00000000000000ff', 'ffffffffffffffff'])
  })

  it('takes a repeated batch once, in the table and in the table of ids', async () => {
    const trace = one()
    const writer = new RowBinaryWriter()
    const encoder = createSpanRowEncoder()
    for (const span of trace.spans) encoder.append(writer, trace, span)
    const batch = {
      token: `twice-${trace.traceId}`,
      rows: trace.spans.length,
      bytes: writer.bytes(),
      columns: ROW_COLUMNS,
    }
    const signal = new AbortController().signal
    for (let i = 0; i < 3; i++) await store.archive.run(client => insertBatch(client, 'ghostspan', batch, signal))
    const where = `WHERE TraceId = '${trace.traceId}'`
    assert.equal(await store.count(`SELECT count() FROM ghostspan.otel_traces ${where}`), trace.spans.length)
    assert.equal(await store.count(`SELECT count() FROM ghostspan.otel_traces_trace_id_ts ${where}`), 1)
  })

  it('shows a trace once that has been archived twice', async () => {
    const trace = one()
    await write([trace])
    await write([trace])
    assertSameTrace(await read(trace.traceId), trace)
    const listed = (await listTraces(store.archive, { limit: 1000 })).find(row => row.traceId === trace.traceId)
    assert.equal(listed?.spans, trace.spans.length)
  })

  it('is read by the SQL that is made for the collector’s table', async () => {
    const trace = one()
    await write([trace])
    const [row] = await store.rows<Record<string, unknown>>(
      // As Grafana's plugin words it.
      `WITH '${trace.traceId}' as trace_id, (SELECT min(Start) FROM "ghostspan"."otel_traces_trace_id_ts" WHERE TraceId = trace_id) as trace_start,
        (SELECT max(End) + 1 FROM "ghostspan"."otel_traces_trace_id_ts" WHERE TraceId = trace_id) as trace_end
       SELECT "TraceId" as traceID, "SpanId" as spanID, "ParentSpanId" as parentSpanID, "ServiceName" as serviceName,
        "SpanName" as operationName, multiply(toUnixTimestamp64Nano("Timestamp"), 0.000001) as startTime,
        multiply("Duration", 0.000001) as duration,
        arrayMap(key -> map('key', key, 'value',"SpanAttributes"[key]), mapKeys("SpanAttributes")) as tags,
        arrayMap(key -> map('key', key, 'value',"ResourceAttributes"[key]), mapKeys("ResourceAttributes")) as serviceTags,
        if("StatusCode" IN ('Error', 'STATUS_CODE_ERROR'), 2, 0) as statusCode, ScopeVersion
       FROM "ghostspan"."otel_traces" WHERE traceID = trace_id AND "Timestamp" >= trace_start AND "Timestamp" <= trace_end
        AND "ParentSpanId" = '' LIMIT 1000`,
    )
    assert.equal(row!['spanID'], trace.spans[0]!.spanId)
    assert.equal(row!['serviceName'], 'nginx')
    assert.equal(row!['ScopeVersion'], '0.1.0')
    assert.ok((row!['serviceTags'] as unknown[]).length >= 7)
    const [all] = await store.rows<Record<string, unknown>>('SELECT * FROM ghostspan.otel_traces LIMIT 1')
    assert.ok('TraceId' in all! && 'ResourceAttributes' in all)
    const key = trace.spans[0]!.sample.wireKey
    assert.equal(await store.count(`SELECT count() FROM ghostspan.samples WHERE wire_key_hex = '${key}'`), 1)
  })

  it('finds a trace by the beginning of its id, and names several', async () => {
    const base = one()
    const twins = ['beefbeef1', 'beefbeef2'].map(head => {
      const traceId = head.padEnd(32, '0')
      return { ...base, traceId, spans: base.spans.map(span => ({ ...span, traceId })) }
    })
    await write(twins)
    assert.deepEqual(await getTrace(store.archive, 'BEEF'), { kind: 'ambiguous', traceIds: twins.map(t => t.traceId) })
    assertSameTrace(await read('beefbeef1'), twins[0]!)
    assertSameTrace(await read('beefbeef1…'), twins[0]!)
    assert.deepEqual(await getTrace(store.archive, 'bee'), { kind: 'invalid' })
    assert.deepEqual(await getTrace(store.archive, "beef' OR 1=1"), { kind: 'invalid' })
    assert.deepEqual(await getTrace(store.archive, 'beefbeef3'), { kind: 'none' })
    const { trace } = (await getTrace(store.archive, 'beefbeef1')) as { trace: FinishedTrace }
    const place = new Map(trace.spans.map((span, i) => [span.spanId, i]))
    for (const [i, span] of trace.spans.entries()) assert.ok((place.get(span.parentSpanId ?? '') ?? -1) < i)
  })

  it('counts what it holds', async () => {
    const summary = await archiveSummary(store.archive)
    assert.match(summary.version, /^\d+\.\d+/)
    assert.ok(summary.links < summary.spans && summary.links > summary.spans / 2)
    assert.ok(summary.bytesOnDisk > 10_000)
    assert.ok(summary.oldestNs! >= START)
  })

  it('tells what it cannot take from an archive that is away', async () => {
    const signal = new AbortController().signal
    const batch = { token: 'bad', rows: 1, bytes: Buffer.from([1, 2, 3]), columns: ROW_COLUMNS }
    await assert.rejects(
      store.archive.run(client => insertBatch(client, 'ghostspan', batch, signal)),
      (error: unknown) => error instanceof ClickHouseError && error.code === '33',
    )
  })
})

describe('listing traces', { skip: unlessEmbedded() }, () => {
  let store: TestArchive
  const traces = [...syntheticTraces({ count: 300, seed: 3, startNs: START, gapNs: 60e9 })]
  const startOf = (trace: FinishedTrace): bigint => {
    const [seconds, nanos] = trace.spans[0]!.start
    return BigInt(seconds) * 1_000_000_000n + BigInt(nanos)
  }
  const endOf = (span: FinishedSpan): bigint => BigInt(span.end[0]) * 1_000_000_000n + BigInt(span.end[1])
  const durationOf = (trace: FinishedTrace): number => {
    const ends = trace.spans.map(span => Number(endOf(span) - startOf(trace)))
    return Math.max(...ends)
  }
  const newestFirst = [...traces].sort((a, b) => (startOf(a) > startOf(b) ? -1 : 1))
  const ids = async (filter: Parameters<typeof listTraces>[1]): Promise<string[]> =>
    (await listTraces(store.archive, filter)).map(row => row.traceId)

  before(async () => {
    store = await openTestArchive()
    const sink = createArchiveSink({
      archive: store.archive,
      prepare: () => migrate(store.archive),
      spoolDirectory: `${store.directory}/spool`,
      counters: createCounters(),
    })
    for (const trace of traces) sink.accept(trace)
    await sink.flush()
    await sink.close()
  })
  after(async () => {
    await store?.close()
  })

  it('gives the newest first, whole, however many hours back', async () => {
    const rows = await listTraces(store.archive, { limit: 250 })
    assert.deepEqual(
      rows.map(row => row.traceId),
      newestFirst.slice(0, 250).map(trace => trace.traceId),
    )
    for (const row of rows) {
      const trace = traces.find(candidate => candidate.traceId === row.traceId)!
      assert.deepEqual(row, {
        traceId: trace.traceId,
        startNs: startOf(trace),
        name: 'POST /orders/{id}',
        service: 'nginx',
        durationNs: durationOf(trace),
        spans: 8,
        services: ['nginx', 'web', 'worker'],
        error: trace.spans.some(span => span.status.code === 'error'),
      })
    }
  })
  it('filters by errors, duration and time', async () => {
    const failed = newestFirst.filter(trace => trace.spans.some(span => span.status.code === 'error'))
    assert.deepEqual(
      await ids({ errorsOnly: true, limit: 1000 }),
      failed.map(trace => trace.traceId),
    )
    const slow = newestFirst.filter(trace => durationOf(trace) >= 20e6 && durationOf(trace) <= 22e6)
    assert.ok(slow.length > 0)
    assert.deepEqual(
      await ids({ minDurationNs: 20e6, maxDurationNs: 22e6, limit: 1000 }),
      slow.map(trace => trace.traceId),
    )
    const [from, to] = [startOf(newestFirst[40]!), startOf(newestFirst[10]!)]
    assert.deepEqual(
      await ids({ sinceNs: from, untilNs: to, limit: 1000 }),
      newestFirst.slice(10, 41).map(trace => trace.traceId),
    )
  })
  it('filters by a service and an operation that some span has', async () => {
    assert.equal((await ids({ service: 'worker', operation: 'process orders', limit: 1000 })).length, 300)
    assert.deepEqual(await ids({ service: 'nginx', operation: 'process orders' }), [])
    assert.deepEqual(await ids({ service: "x' OR 1=1 --\n\n" }), [])
  })
})

describe('a host without the engine', () => {
  it('is told what to install or to set', async () => {
    const { loadSessionClass } = await import('../../src/archive/server/engine.js')
    await assert.rejects(loadSessionClass('chdb-that-nobody-installed'), /npm install chdb.*or set the URL/s)
  })
})
