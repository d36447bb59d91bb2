import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { loadOsprofilerTrace, pointsOfText } from '../../src/compare/load-osprofiler.js'
import { readReplies } from '../../src/compare/osprofiler-redis.js'
import { parseTimestamp, traceOfPoints } from '../../src/compare/osprofiler-trace.js'
import { startRedis } from '../support/cache-servers.js'
import { startMariadb } from '../support/mariadb-server.js'
import { program, requires } from '../support/requirements.js'
import { fixture } from './recorded-request.js'

const pointText = gunzipSync(readFileSync(fixture('image-list.points.jsonl.gz'))).toString()
const points = pointsOfText(pointText)

test('the tree of `osprofiler trace show --json` and the points of a store are read', async () => {
  const tree = await loadOsprofilerTrace(fixture('token-issue.osprofiler.json'), undefined)
  assert.deepEqual(
    tree.spans.map(({ name, service }) => `${name} ${service}`),
    ['wsgi public', 'wsgi public', 'db public', 'db public', 'db public'],
  )
  const stored = traceOfPoints(points)!
  assert.equal(stored.spans.length, 56)
  assert.ok(stored.spans.every(span => span.finished && span.endUs >= span.startUs && span.detail !== ''))
  const shuffled = traceOfPoints([...points].reverse())
  assert.deepEqual(new Set(shuffled!.spans), new Set(stored.spans))
})

test('times have microseconds, and no time zone but UTC', () => {
  assert.equal(parseTimestamp('1970-01-01T00:00:01.000002'), 1_000_002)
  assert.equal(parseTimestamp('1970-01-01T00:00:01'), 1_000_000)
  assert.equal(parseTimestamp('1970-01-01 00:00:00.5'), 500_000)
  assert.ok(Number.isNaN(parseTimestamp('yesterday')))
})

test('a span without its stop is there and is not finished; arguments of functions are not kept', () => {
  const start = {
    name: 'rpc-start',
    base_id: 'b',
    trace_id: 't',
    parent_id: 'b',
    timestamp: '2026-01-01T00:00:00',
    info: { function: { name: 'nova.x.Y.z', args: "{'password': 'secret'}" } },
    project: 'nova',
    service: 'nova-compute',
  }
  const trace = traceOfPoints([start, { name: 'rpc-start' }, 7, null])!
  assert.deepEqual([trace.spans.length, trace.spans[0]!.finished, trace.spans[0]!.detail], [1, false, 'nova.x.Y.z'])
  assert.doesNotMatch(JSON.stringify(trace), /secret/)
  assert.equal(traceOfPoints([]), undefined)
})

test('files that hold none, and ids without a store, are told', async () => {
  await assert.rejects(loadOsprofilerTrace('/nowhere', undefined), /cannot be read/)
  await assert.rejects(loadOsprofilerTrace(fixture('token-issue.gspan.gz'), undefined), /holds no point/)
  const id = '3a6cf6fd-84d7-4e50-b0f3-d5b35d41e2a9'
  await assert.rejects(loadOsprofilerTrace(id, undefined), /--osprofiler/)
  await assert.rejects(loadOsprofilerTrace(id, 'mongodb://h/'), /driver 'mongodb'/)
  await assert.rejects(loadOsprofilerTrace(id, 'redis://127.0.0.1:1'), /does not answer/)
})

test("Redis' answers are read whole, however they are cut", () => {
  const data = Buffer.from('+OK\r\n*2\r\n$3\r\nabc\r\n$-1\r\n')
  for (let end = 0; end < data.length; end++)
    assert.equal(readReplies(data.subarray(0, end), 2), undefined, String(end))
  assert.deepEqual(readReplies(data, 2), ['OK', ['abc', null]])
})

test("a trace is read from a real Redis as OSProfiler's driver keeps it", async t => {
  if (!requires(t, program('redis-server'))) return
  const redis = await startRedis()
  try {
    const lines = pointText.trim().split('\n')
    const { baseId } = traceOfPoints(points)!
    const words = ['RPUSH', `osprofiler_opt:${baseId}`, ...lines]
    await send(
      redis.port,
      `*${words.length}\r\n${words.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`,
    )
    const trace = await loadOsprofilerTrace(baseId, `redis://127.0.0.1:${redis.port}`)
    assert.deepEqual(trace, traceOfPoints(points))
    await assert.rejects(
      loadOsprofilerTrace(baseId.replace(/^./, '0').replace(/.$/, '0'), `redis://127.0.0.1:${redis.port}/0`),
      /there is no trace/,
    )
  } finally {
    await redis.stop()
  }
})

test("a trace is read from a real MariaDB as OSProfiler's SQLAlchemy driver keeps it", async t => {
  if (!requires(t, program('mariadbd'), program('mysql'))) return
  const { execFileSync } = await import('node:child_process')
  const server = await startMariadb()
  try {
    const columns = ['timestamp', 'base_id', 'parent_id', 'trace_id', 'project', 'host', 'service', 'name', 'data']
    const rows = (points as Record<string, unknown>[]).filter(Boolean).map(point => {
      const values = { ...point, host: 'vm', data: JSON.stringify({ info: point['info'] }) } as Record<string, unknown>
      return `(${columns.map(column => `'${String(values[column]).replace(/[\\']/g, '\\$&')}'`).join(',')})`
    })
    const definition = columns.map(column => `${column} ${column === 'data' ? 'JSON' : 'VARCHAR(255)'}`).join(', ')
    const sql = `CREATE DATABASE osprofiler; USE osprofiler; CREATE TABLE data (id INT AUTO_INCREMENT PRIMARY KEY, ${definition});
      INSERT INTO data (${columns.join(', ')}) VALUES ${rows.join(',\n')};`
    execFileSync('mysql', ['--no-defaults', `--socket=${server.socket}`, '--user=root'], { input: sql })
    const { baseId } = traceOfPoints(points)!
    const trace = await loadOsprofilerTrace(baseId, `mysql+pymysql://root:@127.0.0.1:${server.port}/osprofiler`)
    assert.deepEqual(new Set(trace.spans), new Set(traceOfPoints(points)!.spans))
  } finally {
    await server.stop()
  }
})

function send(port: number, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, '127.0.0.1', () => socket.write(text))
    socket.once('data', () => {
      socket.destroy()
      resolve()
    })
    socket.once('error', reject)
  })
}
