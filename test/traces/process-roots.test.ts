import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadSettings } from '../../src/config/load-settings.js'
import type { FinishedTrace } from '../../src/traces/span.js'
import { CaptureBuilder, ORIGIN, type Side } from '../support/capture-builder.js'
import { outline, runPipeline } from '../support/run-pipeline.js'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: cloud\r\nX-Auth-Token: hidden-1\r\n\r\n`
const cli: Side = { pid: 50 }
const keystone: Side = { pid: 10 }
const nova: Side = { pid: 20 }
const COMMAND = ['/usr/bin/openstack', '--os-password', 'hidden-2', 'server', 'create', '--image=hidden-3', 'hidden-4']
const STARTED_NS = Number(ORIGIN.monotonicBaseNs) + 100_000_000

/** A client that asks two services, one after the other, and ends. */
function cloud(commandLine: readonly string[], exe = '/usr/bin/python3.11'): CaptureBuilder {
  const capture = new CaptureBuilder()
    .process(keystone.pid, ['keystone'], { exe: '/usr/bin/keystone', listens: [5000] })
    .process(nova.pid, ['nova-api'], { exe: '/usr/bin/nova-api', listens: [8774] })
    .process(cli.pid, commandLine, { exe, startNs: STARTED_NS })
  capture.at(400_000)
  for (const [server, port] of [
    [keystone, 5000],
    [nova, 8774],
  ] as const) {
    const pair = capture.connect(cli, server, port)
    capture.request(pair, cli, server, GET(`/v${port}`)).respond(pair, server, cli, OK)
  }
  capture.at(900_000).exit(cli)
  return capture.at(5_000_000).exit({ pid: 99 })
}

const whole = (traces: readonly FinishedTrace[]): string[][] => traces.map(outline)
const apart = ['server', 'client']

test('A command is the root over all that its process asks for, and lasts as long as the process', async () => {
  const capture = cloud(['/usr/bin/python3', ...COMMAND])
  const { processRoots } = (await loadSettings({ environment: {}, user: 0, home: '/root' })).settings.traces
  const { traces } = await runPipeline(capture.source(), { processRoots })
  assert.deepEqual(whole(traces), [
    [
      'openstack internal openstack server create',
      '  openstack client GET /v5000 (context 1)',
      '    keystone server GET /v5000 (wire 1)',
      '  openstack client GET /v8774 (context 1)',
      '    nova-api server GET /v8774 (wire 1)',
    ],
  ])
  const root = traces[0]!.spans[0]!
  assert.equal(root.durationNs, 800_000_000)
  assert.deepEqual(root.attributes, {
    'process.pid': 50,
    'process.command_line': 'openstack --os-password ? server create --image=? ?',
  })
  assert.doesNotMatch(
    JSON.stringify(traces, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
    /hidden/,
  )
  assert.deepEqual(root.sample.local, '')
})

test('The same capture gives the same root twice; another start of the same command has another id', async () => {
  const rules = { programs: ['openstack'], commandLines: [] }
  const idsOf = async (capture: CaptureBuilder): Promise<string[]> =>
    (await runPipeline(capture.source(), { processRoots: rules })).traces.map(({ traceId }) => traceId)
  const first = await idsOf(cloud(['python3', ...COMMAND]))
  assert.deepEqual(first, await idsOf(cloud(['python3', ...COMMAND])))
  assert.match(first[0]!, /^[0-9a-f]{32}$/)
})

test('Programs that no rule names, test runners and load generators are no roots, whatever a rule says', async () => {
  for (const [commandLine, exe, programs] of [
    [['curl', 'http://cloud/'], '/usr/bin/curl', ['openstack']],
    [['python3', '/usr/bin/tempest', 'run'], '/usr/bin/python3.11', ['*']],
    [['python3', '-m', 'pytest', '-q'], '/usr/bin/python3.11', ['*']],
    [['wrk', '-c', '10'], '/usr/bin/wrk', ['wrk']],
    [['uwsgi', '--ini', '/etc/keystone.ini'], '/usr/bin/uwsgi', ['keystone']],
  ] as const) {
    const { traces } = await runPipeline(cloud(commandLine, exe).source(), {
      processRoots: { programs, commandLines: [] },
    })
    const shapes = traces.map(({ spans }) => spans.map(span => span.kind).sort())
    assert.deepEqual(shapes, [[...apart].sort(), [...apart].sort()], commandLine.join(' '))
  }
})

test('A rule may look at the command line', async () => {
  const processRoots = { programs: [], commandLines: ['backup\\.sh'] }
  const { traces } = await runPipeline(cloud(['bash', '/opt/backup.sh', 'all'], '/usr/bin/bash').source(), {
    processRoots,
  })
  assert.equal(traces.length, 1)
  assert.equal(traces[0]!.spans[0]!.name, 'backup')
})

test('A process that is still running when its trace must leave is a root all the same', async () => {
  const capture = new CaptureBuilder()
    .process(nova.pid, ['nova-api'], { exe: '/usr/bin/nova-api', listens: [8774] })
    .process(cli.pid, ['python3', ...COMMAND], { exe: '/usr/bin/python3.11', startNs: STARTED_NS })
  const pair = capture.connect(cli, nova, 8774)
  for (const second of [1, 70, 140]) {
    // Something else happens before: time does not jump.
    capture.at(second * 1e6 - 200_000).exit({ pid: 98 })
    capture.at(second * 1e6)
    capture.request(pair, cli, nova, GET('/servers')).respond(pair, nova, cli, OK)
  }
  capture.at(200e6).exit(cli)
  const { traces } = await runPipeline(capture.source(1), {
    processRoots: { programs: ['openstack'], commandLines: [] },
  })
  assert.equal(new Set(traces.map(({ traceId }) => traceId)).size, 1)
  assert.deepEqual(
    traces.map(({ late, spans }) => [late, spans.length]),
    [
      [false, 3],
      [true, 2],
      [true, 2],
    ],
  )
})
