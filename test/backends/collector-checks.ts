import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startEmbeddedServer } from '../../src/archive/embedded-server.js'
import type { FinishedTrace } from '../../src/traces/span.js'
import type { Backend } from './backend-process.js'
import type { Checks } from './checks.js'
import { type ClickHouseAccess, query, spansInOtelTraces } from './clickhouse-api.js'
import { checkDashboard, checkOwnSchema } from './dashboard-checks.js'
import { type ExampleTraces, spansPerTrace } from './example-traces.js'
import { eventually, manyTraces, send } from './sending.js'
import { byId, sentSpans, spansOfOtlpJson, type ToldSpan, treeFaults } from './told-spans.js'

/**
 * What is sent to the collector is in its file exporter's lines and, through its own ClickHouse client, in the tables
 * that it makes for itself in the engine of our archive.
 */
export async function checkCollector(
  checks: Checks,
  collector: (clickhouse: ClickHouseAccess) => Backend,
  folder: string,
  examples: ExampleTraces,
): Promise<void> {
  const password = randomBytes(12).toString('hex')
  const engine = await startEmbeddedServer({
    directory: join(folder, 'clickhouse'),
    socketPath: join(folder, 'sockets', 'clickhouse.sock'),
    tcp: { port: 0, rights: 'write', password },
  })
  const clickhouse = { url: `http://127.0.0.1:${engine.port()}`, password }
  const backend = collector(clickhouse)
  try {
    const started = await backend.start()
    try {
      const trace = examples.next()
      const more = Array.from({ length: manyTraces }, examples.next)
      const counts = await send([trace, ...more], started, 'grpc')
      const sent = (manyTraces + 1) * spansPerTrace
      await checks.equal('collector: every span leaves once', () => counts, { 'export.otlp.spans': sent })
      await checkFile(checks, started['file']!, trace, sent)
      await checkClickHouse(checks, clickhouse, trace, sent)
      await checkDashboard(checks, clickhouse, trace, 'otel')
      await checkOwnSchema(checks, clickhouse, trace)
    } finally {
      await backend.stop()
    }
  } finally {
    await engine.stop()
  }
}

async function checkFile(checks: Checks, path: string, trace: FinishedTrace, sent: number): Promise<void> {
  const read = (): ToldSpan[] =>
    spansOfOtlpJson(
      readFileSync(path, 'utf8')
        .split('\n')
        .filter(line => line.endsWith('}'))
        .map(line => JSON.parse(line)),
    )
  const all = await eventually(read, spans => spans.length >= sent)
  const mine = all.filter(span => span.traceId === trace.traceId)
  await checks.equal('collector, file: all spans, none twice', () => new Set(all.map(s => s.spanId)).size, sent)
  await checks.equal('collector, file: the trace as it was sent', () => byId(mine), byId(sentSpans(trace)))
}

async function checkClickHouse(
  checks: Checks,
  clickhouse: ClickHouseAccess,
  trace: FinishedTrace,
  sent: number,
): Promise<void> {
  const count = async (): Promise<number> => {
    const [row] = await query(clickhouse, 'SELECT toUInt32(uniqExact(SpanId)) AS n FROM otel.otel_traces')
    return Number(row?.['n'])
  }
  const rows = await eventually(count, n => n >= sent)
  await checks.equal('ClickHouse: a row for every span', () => rows, sent)
  const got = await spansInOtelTraces(clickhouse, trace.traceId)
  await checks.equal('ClickHouse: one root, every parent there', () => treeFaults(got), [])
  await checks.equal('ClickHouse: the trace as it was sent', () => byId(got), byId(sentSpans(trace)).map(asText))
}

/** The collector's table holds attributes as text. */
function asText(span: ToldSpan): ToldSpan {
  const text = (attributes: Readonly<Record<string, unknown>>): Record<string, string> =>
    Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, String(value)]))
  return {
    ...span,
    attributes: text(span.attributes),
    links: span.links.map(link => ({ ...link, attributes: text(link.attributes) })),
  }
}
