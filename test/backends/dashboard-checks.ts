import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectArchive } from '../../src/archive/connect.js'
import { migrate } from '../../src/archive/migrate.js'
import { createArchiveSink } from '../../src/archive/sink.js'
import { createCounters } from '../../src/telemetry/counters.js'
import type { FinishedTrace } from '../../src/traces/span.js'
import type { Checks } from './checks.js'
import { type ClickHouseAccess, query } from './clickhouse-api.js'
import { expand, readDashboard, statements } from './dashboard.js'
import { repositoryRoot } from './repository-root.js'

const dashboard = join('otel-config', 'grafana', 'dashboards', 'ghostspan.json')

/** Every statement of Grafana's dashboard, as Grafana would send it. */
export async function checkDashboard(
  checks: Checks,
  clickhouse: ClickHouseAccess,
  trace: FinishedTrace,
  database: string,
): Promise<void> {
  const [from] = trace.spans[0]!.start
  const services = trace.spans.map(span => span.resource.service)
  const values = { database, services, trace: trace.traceId, from: from - 60, to: from + 60 }
  for (const [panel, sql] of statements(readDashboard(join(repositoryRoot(), dashboard)))) {
    const rows = async (): Promise<boolean> => (await query(clickhouse, expand(sql, values))).length > 0
    await checks.equal(`dashboard, database ${database}: “${panel}” has an answer`, rows, true)
  }
}

/** The dashboard reads Ghostspan's own archive as well. */
export async function checkOwnSchema(
  checks: Checks,
  clickhouse: ClickHouseAccess,
  trace: FinishedTrace,
): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'ghostspan-own-'))
  const archive = await connectArchive({
    url: clickhouse.url,
    username: 'default',
    password: clickhouse.password,
    database: 'ghostspan',
    role: 'daemon',
  })
  try {
    const sink = createArchiveSink({
      archive,
      prepare: () => migrate(archive),
      counters: createCounters(),
      spoolDirectory: join(data, 'spool'),
    })
    sink.accept(trace)
    await sink.close()
    await checkDashboard(checks, clickhouse, trace, 'ghostspan')
  } finally {
    await archive.close()
    rmSync(data, { recursive: true, force: true })
  }
}
