import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeRunFile } from '../../src/cli/run-file.js'
import { requires, root } from '../support/requirements.js'
import { ghostspan, start, temporaryFolder } from './ghostspan-process.js'

test('config default prints settings that config validate accepts', async t => {
  const file = join(temporaryFolder(t), 'ghostspan.yaml')
  const { stdout } = await ghostspan(t, ['config', 'default'])
  writeFileSync(file, stdout)
  const validated = await ghostspan(t, ['config', 'validate', file, '--json'])
  assert.equal(validated.code, 0, validated.stderr)
  const { valid, settings } = JSON.parse(validated.stdout)
  assert.equal(valid, true)
  assert.equal(settings.health.port, 9464)
})

test('config validate names every wrong setting with its place and ends with 2', async t => {
  const file = join(temporaryFolder(t), 'ghostspan.yaml')
  writeFileSync(file, 'file_format: "1.1"\ndistribution:\n  ghostspan:\n    archiv: {}\n')
  const text = await ghostspan(t, ['config', 'validate', file])
  assert.equal(text.code, 2)
  assert.match(
    text.stderr,
    /ghostspan\.yaml:4:5: distribution\.ghostspan\.archiv: is not a setting \(did you mean archive\?\)/,
  )
  const json = await ghostspan(t, ['config', 'validate', file, '--json'])
  assert.equal(json.code, 2)
  assert.equal(JSON.parse(json.stdout).issues[0].path, 'distribution.ghostspan.archiv')
})

test('config validate never shows secrets', async t => {
  const { stdout } = await ghostspan(t, ['config', 'validate', '--json'], {
    environment: {
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=s3cret',
      GHOSTSPAN_ARCHIVE_CLICKHOUSE_URL: 'http://me:s3cret@ch:8123',
      GHOSTSPAN_ARCHIVE_CLICKHOUSE_PASSWORD: 's3cret',
    },
  })
  assert.match(stdout, /"authorization":"\[hidden\]"/)
  assert.doesNotMatch(stdout, /s3cret/)
})

test('config schema is a JSON Schema', async t => {
  const { stdout } = await ghostspan(t, ['config', 'schema'])
  assert.match(JSON.parse(stdout).$schema, /json-schema\.org/)
})

test('wrong settings stop every command with 2', async t => {
  const { code, stderr } = await ghostspan(t, ['traces'], { environment: { GHOSTSPAN_OPERATIONS_LOG_LEVEL: 'loud' } })
  assert.equal(code, 2)
  assert.match(stderr, /GHOSTSPAN_OPERATIONS_LOG_LEVEL: .*must be one of: debug, info, warn, error; not 'loud'/)
})

test('a reader that has seen enough is no error', async t => {
  const running = start(t, ['config', 'schema'])
  running.child.stdout!.destroy()
  const { code, stderr } = await running.ended
  assert.deepEqual([code, stderr], [0, ''])
})

test('without an archive, traces and show say so', async t => {
  const folder = temporaryFolder(t)
  for (const args of [['traces'], ['show', '4f1c09'], ['explain', '9c41d0']]) {
    const { code, stderr } = await ghostspan(t, [...args, '--data-directory', folder])
    assert.equal(code, 1)
    assert.match(stderr, /nothing is archived in .* yet; `ghostspan run` fills it/)
  }
})

test('an archive that does not answer is named', async t => {
  const { code, stderr } = await ghostspan(t, ['traces', '--clickhouse', 'http://127.0.0.1:9'])
  assert.equal(code, 1)
  assert.match(stderr, /the archive at http:\/\/127\.0\.0\.1:9.* does not answer: /)
})

test('status says that no daemon runs and ends with 1', async t => {
  const args = ['status', '--data-directory', temporaryFolder(t), '--listen', '127.0.0.1:9']
  const text = await ghostspan(t, args)
  assert.equal(text.code, 1)
  assert.match(text.stderr, /no daemon runs on .*start one with: sudo ghostspan run/)
  const json = await ghostspan(t, [...args, '--json'])
  assert.equal(json.code, 1)
  assert.deepEqual(JSON.parse(json.stdout), { running: false, pid: null })
})

test('status asks the daemon where its data folder says', async t => {
  const folder = temporaryFolder(t)
  const words = {
    version: '1.2.3',
    pid: 4711,
    startedAt: 'then',
    ready: false,
    reasons: ['export fails'],
    cost: { cpuSeconds: 1, residentBytes: 5e7, uptimeSeconds: 100 },
    pipeline: { events: 9, lostEvents: 2, traces: 1, spans: 3, openTraces: 0, openConnections: 4 },
    otlp: [{ endpoint: 'http://c:4317', healthy: false, queuedSpans: 7 }],
    archive: null,
    counters: { 'capture.lost.ring_full': 2, 'samples.connections.http': 5 },
  }
  const server = createServer((_, response) => response.end(JSON.stringify(words))).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  writeRunFile(folder, `http://127.0.0.1:${port}`)
  const json = await ghostspan(t, ['status', '--data-directory', folder, '--json'])
  assert.deepEqual([json.code, JSON.parse(json.stdout)], [0, { running: true, ...words }])
  const text = await ghostspan(t, ['status', '--data-directory', folder])
  assert.match(text.stdout, /pid 4711, version 1\.2\.3/)
  assert.match(text.stdout, /no: export fails/)
  assert.match(text.stdout, /1\.0 % of one CPU/)
  assert.match(text.stdout, /lost +capture\.lost\.ring_full 2/)
})

test('doctor names every requirement with its state, and a fix for what is missing', async t => {
  const folder = temporaryFolder(t)
  const args = ['doctor', '--json', '--data-directory', folder, '--otlp', 'http://127.0.0.1:9']
  const { code, stdout } = await ghostspan(t, args)
  const { ok, checks } = JSON.parse(stdout) as {
    ok: boolean
    checks: { name: string; status: string; detail: string; fix: string | null }[]
  }
  const byName = new Map(checks.map(check => [check.name, check]))
  assert.equal(byName.size, checks.length, 'names are unique')
  for (const name of [
    'node',
    'platform',
    'kernel-btf',
    'tracepoints',
    'privileges',
    'kernel-lockdown',
    'addon',
    'bpf-object',
    'tracefs',
    'bpffs',
    'archive-engine',
    'data-directory',
    'disk-space',
    'daemon',
    'otlp',
    'health-port',
  ]) {
    assert.ok(byName.has(name), name)
  }
  for (const { name, status, detail, fix } of checks) {
    assert.match(status, /^(ok|warn|fail)$/)
    assert.notEqual(detail, '', name)
    assert.equal(fix === null, status === 'ok', `${name}: ${fix}`)
  }
  assert.equal(byName.get('otlp')!.status, 'fail', 'a receiver that was asked for')
  assert.deepEqual([ok, code], [false, 1])
})

test('without root, live capture is refused with what to do, and doctor names it', async t => {
  if (!requires(t, root)) return
  const options = { user: 65534, environment: { HOME: '/nonexistent', TSX_DISABLE_CACHE: '1' } }
  for (const args of [['run'], ['record', '/tmp/x.gspan']]) {
    const { code, stderr } = await ghostspan(t, args, options)
    assert.equal(code, 1, stderr)
    assert.match(stderr, /live capture needs root \(missing: .*CAP_BPF.*\); start it with: sudo ghostspan/)
    assert.match(stderr, /ghostspan doctor/)
    assert.match(stderr, /ghostspan replay FILE/)
  }
  const { code, stdout } = await ghostspan(t, ['doctor', '--json', '--no-otlp'], options)
  assert.equal(code, 1)
  const checks = JSON.parse(stdout).checks as { name: string; status: string }[]
  assert.deepEqual(
    ['privileges', 'data-directory'].map(name => checks.find(check => check.name === name)?.status),
    ['fail', 'fail'],
  )
})
