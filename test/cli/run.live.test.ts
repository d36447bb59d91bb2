import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer, get } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { nativePaths } from '../../src/capture/native-addon.js'
import { btf, file, requires, root } from '../support/requirements.js'
import { ghostspan, type Running, start, temporaryFolder } from './ghostspan-process.js'

const live = [root, btf, file(nativePaths().addon, 'the addon'), file(nativePaths().bpf, 'the BPF object')] as const
/** Only this test's own process: whatever else happens on the machine must not fill the ring. */
const ONLY_US = ['--include', 'command_line=run[.]live[.]test']
const NO_RECEIVER = ['--no-otlp', '--listen', '127.0.0.1:0']

interface Started {
  readonly pid: number
  readonly health: string
}

const firstLine = (running: Running): Started => JSON.parse(running.stdout().split('\n')[0]!)

async function startDaemon(t: TestContext, args: readonly string[]): Promise<Running & { started: Started }> {
  const running = start(t, ['run', '--json', ...NO_RECEIVER, ...ONLY_US, ...args])
  await running.until(() => running.stdout().includes('\n'))
  return { ...running, started: firstLine(running) }
}

/** Sends HTTP requests from this process to itself, which the daemon can see, until the condition holds. */
async function talkUntil(
  t: TestContext,
  path: string,
  condition: () => boolean | Promise<boolean>,
  headers: Record<string, string> = {},
): Promise<void> {
  const server = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  do {
    await new Promise<void>((resolve, reject) => {
      const request = get({ port, host: '127.0.0.1', path, headers, agent: false }, response =>
        response.resume().on('end', resolve),
      )
      request.on('error', reject)
    })
    await new Promise(resolve => setTimeout(resolve, 200))
  } while (!(await condition()))
}

test('run shows traces, serves metrics, health and status, and stops cleanly', async t => {
  if (!requires(t, ...live)) return
  const folder = temporaryFolder(t)
  const daemon = await startDaemon(t, [
    '--no-archive',
    '--data-directory',
    folder,
    '--print',
    'json',
    '--quiet',
    '100ms',
  ])
  const { health, pid } = daemon.started
  assert.equal(pid, daemon.child.pid)
  await talkUntil(t, '/seen-by-the-daemon', () => daemon.stdout().includes('seen-by-the-daemon'))
  assert.equal((await fetch(`${health}/healthz`)).status, 200)
  assert.equal(await (await fetch(`${health}/readyz`)).text(), 'ready\n')
  const metrics = await (await fetch(`${health}/metrics`)).text()
  assert.match(metrics, /^ghostspan_events_total [1-9]\d*$/m)
  assert.match(metrics, /^otel_sdk_span_started_total [1-9]/m)
  assert.match(metrics, /^process_resident_memory_bytes [1-9]/m)
  const status = await ghostspan(t, ['status', '--json', '--data-directory', folder])
  assert.equal(JSON.parse(status.stdout).pid, pid)
  daemon.child.kill('SIGTERM')
  const { code, stdout, stderr } = await daemon.ended
  assert.equal(code, 0, stderr)
  assert.equal(JSON.parse(stdout.trim().split('\n').at(-1)!).type, 'stopped')
  assert.deepEqual(readdirSync(folder), [], 'nothing is left behind')
})

test('a second daemon on the same data folder is refused, and a killed one does not stand in the way', async t => {
  if (!requires(t, ...live)) return
  const folder = temporaryFolder(t)
  const args = ['--no-archive', '--data-directory', folder]
  const first = await startDaemon(t, args)
  const second = await ghostspan(t, ['run', ...NO_RECEIVER, ...args])
  assert.equal(second.code, 1)
  assert.match(
    second.stderr,
    new RegExp(`the process ${first.started.pid} uses ${folder}; stop it, or choose another data directory`),
  )
  first.child.kill('SIGKILL')
  await first.ended
  assert.notEqual(readdirSync(folder).length, 0, 'a killed daemon leaves its claim')
  const third = await startDaemon(t, args)
  third.child.kill('SIGINT')
  assert.equal((await third.ended).code, 0)
})

test('a port that is taken is told of, and goes on or ends as set', async t => {
  if (!requires(t, ...live)) return
  const taken = createTcpServer().listen(0, '127.0.0.1')
  t.after(() => taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  const args = ['--no-archive', '--no-otlp', '--data-directory', temporaryFolder(t), '--listen', `127.0.0.1:${port}`]
  const going = start(t, ['run', '--json', ...args])
  await going.until(() => going.stdout().includes('\n'))
  assert.match(
    going.stderr(),
    /another program listens there; choose another address with --listen, or --no-health; going on without/,
  )
  going.child.kill('SIGTERM')
  assert.equal((await going.ended).code, 0)
  const ending = await ghostspan(t, ['run', ...args], { environment: { GHOSTSPAN_OPERATIONS_HEALTH_REQUIRED: 'true' } })
  assert.equal(ending.code, 1)
  assert.match(ending.stderr, /another program listens there/)
})

test('run says where it archives and whether it sends, and what it archived is listed while it runs', async t => {
  if (!requires(t, ...live, file('node_modules/chdb/package.json', 'the npm package chdb'))) return
  const folder = temporaryFolder(t)
  const args = ['--data-directory', folder, '--listen', '127.0.0.1:0', '--quiet', '100ms']
  const daemon = start(t, ['run', '--json', '--log-format', 'text', ...ONLY_US, ...args])
  await daemon.until(() => daemon.stdout().includes('\n'))
  assert.match(daemon.stderr(), /archives into .*embedded ClickHouse; keeps 7 days, 10 GB/)
  assert.match(daemon.stderr(), /sends (nothing yet: nothing listens at|to) http:\/\/localhost:4317/)
  let traces = ''
  await talkUntil(t, '/archived/one', async () => {
    assert.equal(daemon.child.exitCode, null, daemon.stderr())
    traces = (await ghostspan(t, ['traces', '--json', '--data-directory', folder])).stdout
    return traces.includes('"GET /archived/')
  })
  const { traceId } = JSON.parse(traces.split('\n').find(line => line.includes('/archived/'))!)
  const shown = await ghostspan(t, ['show', traceId.slice(0, 10), '--data-directory', folder])
  assert.match(shown.stdout, /GET \/archived\//)
  const json = await ghostspan(t, ['show', traceId, '--json', '--data-directory', folder])
  const { spans } = JSON.parse(json.stdout) as { spans: { spanId: string }[] }
  const explained = await ghostspan(t, ['explain', spans[0]!.spanId, '--data-directory', folder])
  assert.equal(explained.code, 0, explained.stderr)
  assert.match(explained.stdout, /A root: nothing spoke for any parent/)
  daemon.child.kill('SIGTERM')
  assert.equal((await daemon.ended).code, 0)
})

test('a reader that has seen enough stops the daemon cleanly', async t => {
  if (!requires(t, ...live)) return
  const args = ['--no-archive', '--no-health', '--no-otlp', '--data-directory', temporaryFolder(t)]
  const daemon = start(t, ['run', '--print', 'json', '--quiet', '50ms', ...ONLY_US, ...args])
  await daemon.until(() => daemon.stderr().includes('started'))
  daemon.child.stdout!.destroy()
  await talkUntil(t, '/unread', () => daemon.child.exitCode !== null)
  assert.equal((await daemon.ended).code, 0)
})

test('record writes a file for its owner alone, and replay makes the same of it each time', async t => {
  if (!requires(t, ...live)) return
  const path = join(temporaryFolder(t), 'a.gspan')
  const recording = start(t, ['record', path, ...ONLY_US])
  await recording.until(() => recording.stderr().includes('recording into'))
  assert.match(recording.stderr(), /raw bytes of connections, secrets included/)
  await talkUntil(t, '/recorded', () => statSync(path).size > 4_000)
  recording.child.kill('SIGINT')
  assert.equal((await recording.ended).code, 0)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const again = await ghostspan(t, ['record', path])
  assert.deepEqual([again.code, /is there already; choose another name, or --force/.test(again.stderr)], [1, true])
  const [first, second] = [
    await ghostspan(t, ['replay', path, '--json']),
    await ghostspan(t, ['replay', path, '--json']),
  ]
  assert.match(first.stdout, /\/recorded/)
  assert.equal(first.stdout, second.stdout)
  assert.ok(existsSync(path))
})

test('a redacted recording gives the same traces without what was secret', async t => {
  if (!requires(t, ...live)) return
  const path = join(temporaryFolder(t), 'a.gspan')
  const recording = start(t, ['record', path, '--redact', '--json', ...ONLY_US])
  await recording.until(() => recording.stderr().includes('recording into'))
  const secret = { authorization: 's3cret-in-header' }
  await talkUntil(t, '/redacted?token=s3cret-in-query', () => statSync(path).size > 4_000, secret)
  recording.child.kill('SIGINT')
  const ended = await recording.ended
  assert.equal(ended.code, 0, ended.stderr)
  assert.equal(JSON.parse(ended.stdout).redacted, true)
  assert.doesNotMatch(readFileSync(path, 'latin1'), /s3cret/)
  assert.match((await ghostspan(t, ['replay', path])).stdout, /GET \/redacted/)
})
