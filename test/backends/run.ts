import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../../src/demo/free-ports.js'
import { type Backend, backend } from './backend-process.js'
import { createChecks } from './checks.js'
import type { ClickHouseAccess } from './clickhouse-api.js'
import { checkCollector } from './collector-checks.js'
import { createExampleTraces } from './example-traces.js'
import { checkJaeger } from './jaeger-checks.js'

/**
 * Sends traces to a real Jaeger and to a real OpenTelemetry collector that writes into ClickHouse's engine, and reads
 * them back through their own interfaces. Needs a Go toolchain the first time (about ten minutes of building), nothing
 * but the cache (`~/.cache/ghostspan`, or GHOSTSPAN_CACHE) after that.
 */
process.exitCode = await main()

async function main(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-backends-'))
  const checks = createChecks(line => console.log(line))
  const examples = createExampleTraces(Math.floor(Date.now() / 1_000) - 60)
  const { jaeger, collector } = await backends(folder)
  const unable = 'neither in the cache nor a Go toolchain to build it'
  const go = spawnSync('go', ['version']).status === 0
  const stop = (): void => {
    jaeger.stopNow()
    collector({ url: '', password: '' }).stopNow()
    process.exit(130)
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    if (go || jaeger.cached()) await checks.part('Jaeger', () => checkJaeger(checks, jaeger, examples))
    else checks.notRun('Jaeger', unable)
    if (go || collector({ url: '', password: '' }).cached()) {
      await checks.part('the collector', () => checkCollector(checks, collector, folder, examples))
    } else checks.notRun('the collector', unable)
    checks.notRun('Tempo, Grafana', 'they need containers; test/backends/configuration.test.ts reads their files')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return checks.finish()
}

async function backends(
  folder: string,
): Promise<{ jaeger: Backend; collector: (clickhouse: ClickHouseAccess) => Backend }> {
  const ports = (await freePorts(8, process.pid)).map(String)
  const [grpc = '', http = '', query = '', queryGrpc = '', health = '', grpcIn = '', httpIn = '', healthIn = ''] = ports
  const state = { GHOSTSPAN_STATE: folder }
  return {
    jaeger: backend('jaeger', {
      ...state,
      OTLP_GRPC_PORT: grpc,
      OTLP_HTTP_PORT: http,
      QUERY_PORT: query,
      QUERY_GRPC_PORT: queryGrpc,
      HEALTH_PORT: health,
    }),
    collector: ({ url, password }) =>
      backend('collector', {
        ...state,
        OTLP_GRPC_PORT: grpcIn,
        OTLP_HTTP_PORT: httpIn,
        HEALTH_PORT: healthIn,
        CLICKHOUSE_URL: url,
        CLICKHOUSE_PASSWORD: password,
      }),
  }
}
