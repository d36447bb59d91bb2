import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../../src/demo/free-ports.js'
import type { RunFolder } from '../../src/demo/run-folder.js'
import { type ServerProcess, type ServerSpec, startServer, userNamed } from '../../src/demo/server-process.js'
import { accepts } from '../../src/demo/wait-for.js'
import { startDaemon } from './daemon.js'
import type { PairedOptions } from './paired-runs.js'
import { cpuMillisOf, familyOf } from './process-usage.js'
import { pythonVenv } from './python-venv.js'
import { type SpanSink, startSpanSink } from './span-sink.js'
import { estimate, median } from './statistics.js'
import { type Load, runWrk } from './wrk.js'

const CONNECTIONS = 8
/** The request itself, and its calls: MariaDB 2, Redis 2, memcached 1, HTTP 1. */
/** Of compilers, both V8's and the service's caches: what a process pays once is not counted by the request. */
const WARM_UP_SECONDS = 10
/** Open traces, then a batch that waits to be filled. */
const SETTLE_MILLIS = 4_000
const SPANS_PER_REQUEST = 7
const GOAL_SHARE_OF_SDK = 1 / 20

type Mode = 'plain' | 'ghostspan' | 'otel'

interface Turn {
  readonly load: Load
  /** CPU of the service, and of the daemon beside it, per 1,000 requests, ms. */
  readonly serviceMsPer1000: number
  readonly ourMsPer1000: number
  readonly events: number
  readonly lostEvents: number
  readonly spans: number
  readonly rssMiB: number
}

interface Ports {
  readonly db: number
  readonly redis: number
  readonly memcached: number
  readonly backend: number
  readonly web: number
}

/**
 * A Python service with seven calls a request: plain, watched by Ghostspan, and with OpenTelemetry's automatic
 * instrumentation, in turns. What the SDK adds is the service's own CPU; what we add is the daemon's and the service's.
 */
export async function measurePython(
  folder: RunFolder,
  options: PairedOptions,
  finish: (result: Record<string, unknown>, reached: boolean) => number,
): Promise<number> {
  const venv = pythonVenv(options.progress)
  const [db, redis, memcached, backend, web] = (await freePorts(5, 7_000)) as [number, number, number, number, number]
  const ports: Ports = { db, redis, memcached, backend, web }
  const servers: ServerProcess[] = []
  const sink = await startSpanSink(join(venv, 'bin', 'python'))
  try {
    await startBackends(folder, ports, servers)
    const turns: Record<Mode, Turn[]> = { plain: [], ghostspan: [], otel: [] }
    for (let pair = 1; pair <= options.pairs; pair++) {
      const order: Mode[] = pair % 2 === 1 ? ['plain', 'ghostspan', 'otel'] : ['otel', 'ghostspan', 'plain']
      for (const mode of order) turns[mode].push(await runTurn(mode, { folder, venv, ports, sink, options }))
      options.progress(
        `round ${pair}/${options.pairs}: ${order.map(mode => `${mode} ${turns[mode].at(-1)!.load.requestsPerSecond.toFixed(0)}`).join(', ')} requests/s`,
      )
    }
    const result = summarise(turns, await sink.counts())
    return finish({ target: 'python', archive: options.archive, ...result }, result.shareOfSdk <= GOAL_SHARE_OF_SDK)
  } finally {
    sink.stop()
    for (const server of servers.reverse()) await server.stop()
  }
}

interface TurnSetting {
  readonly folder: RunFolder
  readonly venv: string
  readonly ports: Ports
  readonly sink: SpanSink
  readonly options: PairedOptions
}

async function runTurn(mode: Mode, { folder, venv, ports, sink, options }: TurnSetting): Promise<Turn> {
  const daemon =
    mode === 'ghostspan' ? await startDaemon({ executables: ['/**/python3*'], archive: options.archive }) : undefined
  const service = await startServer(folder, serviceSpec(mode, venv, ports, sink.port))
  try {
    const url = `http://127.0.0.1:${ports.web}/`
    await runWrk({ url, seconds: WARM_UP_SECONDS, connections: CONNECTIONS })
    const pids = familyOf(service.identity.pid)
    const serviceCpu = cpuMillisOf(pids)
    const ourCpu = daemon?.cpuMillis() ?? 0
    const before = await daemon?.status()
    const load = await runWrk({ url, seconds: options.seconds, connections: CONNECTIONS })
    const rssMiB = daemon?.rssMiB() ?? 0
    // Spans that wait to be sent cost the service, and us, as well.
    await sleep(SETTLE_MILLIS)
    const after = await daemon?.status()
    const per1000 = (millis: number): number => (millis * 1000) / load.requests
    return {
      load,
      serviceMsPer1000: per1000(cpuMillisOf(pids) - serviceCpu),
      ourMsPer1000: per1000((daemon?.cpuMillis() ?? 0) - ourCpu),
      events: (after?.events ?? 0) - (before?.events ?? 0),
      lostEvents: (after?.lostEvents ?? 0) - (before?.lostEvents ?? 0),
      spans: (after?.spans ?? 0) - (before?.spans ?? 0),
      rssMiB,
    }
  } finally {
    await service.stop()
    await daemon?.stop()
  }
}

function summarise(turns: Record<Mode, Turn[]>, otel: { spans: number; withParent: number }) {
  const { plain, ghostspan } = turns
  const middle = (runs: readonly Turn[], of: (run: Turn) => number): number => median(runs.map(of))
  const against = (runs: readonly Turn[], of: (run: Turn) => number) =>
    estimate(runs.map((run, i) => of(run) - of(plain[i]!)))
  const loss = (runs: readonly Turn[]) =>
    estimate(runs.map((run, i) => 1 - run.load.requestsPerSecond / plain[i]!.load.requestsPerSecond))
  const requests = ghostspan.reduce((sum, run) => sum + run.load.requests, 0)
  const spans = ghostspan.reduce((sum, run) => sum + run.spans, 0)
  const bpfCpuMsPer1000 = against(ghostspan, run => run.serviceMsPer1000).mean
  const ourCpuMsPer1000 = middle(ghostspan, run => run.ourMsPer1000)
  const otelCpuMsPer1000 = against(turns.otel, run => run.serviceMsPer1000).mean
  return {
    requests,
    offRps: middle(plain, run => run.load.requestsPerSecond),
    onRps: middle(ghostspan, run => run.load.requestsPerSecond),
    lossShare: loss(ghostspan).mean,
    lossCi95: loss(ghostspan).ci95,
    ourCpuMsPer1000,
    bpfCpuMsPer1000,
    p50OffMs: middle(plain, run => run.load.p50Millis),
    p50OnMs: middle(ghostspan, run => run.load.p50Millis),
    p99OffMs: middle(plain, run => run.load.p99Millis),
    p99OnMs: middle(ghostspan, run => run.load.p99Millis),
    events: ghostspan.reduce((sum, run) => sum + run.events, 0),
    lostEvents: ghostspan.reduce((sum, run) => sum + run.lostEvents, 0),
    spanShare: spans / (requests * SPANS_PER_REQUEST),
    rssMiB: Math.max(...ghostspan.map(run => run.rssMiB)),
    otelRps: middle(turns.otel, run => run.load.requestsPerSecond),
    otelCpuMsPer1000,
    otelLossShare: loss(turns.otel).mean,
    otelSpans: otel.spans,
    otelLinkedSpans: otel.withParent,
    /** The daemon's CPU as a share of what the SDK adds to the service. */
    shareOfSdk: ourCpuMsPer1000 / otelCpuMsPer1000,
  }
}

function serviceSpec(mode: Mode, venv: string, ports: Ports, sinkPort: number): ServerSpec {
  const gunicorn = join(venv, 'bin', 'gunicorn')
  const args = ['-w', '1', '--threads', '8', '-b', `127.0.0.1:${ports.web}`, '--log-level', 'error', 'app:app']
  const otel = {
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${sinkPort}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    OTEL_SERVICE_NAME: 'peer',
  }
  return {
    name: 'service',
    command: mode === 'otel' ? join(venv, 'bin', 'opentelemetry-instrument') : join(venv, 'bin', 'python'),
    args: [gunicorn, ...args],
    cwd: fileURLToPath(new URL('../../../bench/live/python/', import.meta.url)),
    env: {
      PATH: `${join(venv, 'bin')}:/usr/bin:/bin`,
      DB_PORT: `${ports.db}`,
      REDIS_PORT: `${ports.redis}`,
      MEMCACHED_PORT: `${ports.memcached}`,
      BACKEND_PORT: `${ports.backend}`,
      ...(mode === 'otel' ? otel : {}),
    },
    ready: () => accepts(ports.web),
    readyMillis: 60_000,
    patienceMillis: 10_000,
  }
}

async function startBackends(folder: RunFolder, ports: Ports, servers: ServerProcess[]): Promise<void> {
  const start = async (name: string, port: number, command: string, args: readonly string[]): Promise<void> => {
    servers.push(
      await startServer(folder, {
        name,
        command,
        args,
        cwd: folder.path,
        ready: () => accepts(port),
        readyMillis: 60_000,
        patienceMillis: 10_000,
      }),
    )
  }
  const data = join(folder.path, 'data')
  const www = join(data, 'www')
  mkdirSync(www)
  writeFileSync(join(www, 'k.txt'), 'a'.repeat(1024))
  const nginx = join(folder.path, 'etc', 'nginx.conf')
  writeFileSync(
    nginx,
    `daemon off; user www-data; worker_processes 1; pid ${folder.path}/run/nginx.pid; error_log ${folder.path}/log/nginx-error.log;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000000; server { listen 127.0.0.1:${ports.backend}; root ${www}; } }
`,
  )
  await start('nginx', ports.backend, '/usr/sbin/nginx', ['-c', nginx])
  const loopback = ['--bind', '127.0.0.1']
  await start('redis', ports.redis, '/usr/bin/redis-server', [
    '--port',
    `${ports.redis}`,
    ...loopback,
    '--save',
    '',
    '--dir',
    data,
  ])
  await start('memcached', ports.memcached, '/usr/bin/memcached', [
    '-u',
    'nobody',
    '-l',
    '127.0.0.1',
    '-p',
    `${ports.memcached}`,
    '-U',
    '0',
  ])
  await startDatabase(folder, ports.db, start)
}

async function startDatabase(
  folder: RunFolder,
  port: number,
  start: (name: string, port: number, command: string, args: readonly string[]) => Promise<void>,
): Promise<void> {
  const data = join(folder.path, 'data', 'my')
  const socket = join(folder.path, 'run', 'my.sock')
  const root = userNamed('mysql') === undefined ? [] : ['--user=mysql']
  const where = ['--no-defaults', ...root, `--datadir=${data}`]
  mkdirSync(data)
  execFileSync('chown', ['mysql:', data, join(folder.path, 'run')])
  execFileSync('mariadb-install-db', [...where, '--auth-root-authentication-method=normal'], { stdio: 'ignore' })
  const listen = [`--socket=${socket}`, `--port=${port}`, '--bind-address=127.0.0.1', '--skip-name-resolve']
  await start('mariadb', port, '/usr/sbin/mariadbd', [...where, ...listen, '--innodb-flush-log-at-trx-commit=0'])
  const sql = `create database t; use t; create table i(id int primary key, name varchar(64));
    insert into i select seq, concat('name-',seq) from seq_1_to_1000;
    create user u@'%' identified by 'u'; grant all on t.* to u@'%'`
  execFileSync('mariadb', ['--no-defaults', '-S', socket, '-u', 'root', '-e', sql])
}
