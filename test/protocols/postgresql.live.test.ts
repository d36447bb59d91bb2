import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Attribute } from '../../src/protocols/attribute-names.js'
import { postgresql } from '../../src/protocols/postgresql/index.js'
import {
  type PostgresqlServer,
  postgresqlProgram,
  postgresqlServer,
  startPostgresql,
} from '../support/postgresql-server.js'
import { type RecordingProxy, startRecordingProxy } from '../support/recording-proxy.js'
import { program, pythonModule, requires } from '../support/requirements.js'
import { type Call, drive, type Observation, recut } from './harness.js'

const run = promisify(execFile)

const PSYCOPG = `
import io, psycopg2, sys
c = psycopg2.connect(host='127.0.0.1', port=int(sys.argv[1]), user='postgres', dbname='shop')
c.autocommit = True
k = c.cursor()
k.execute('DROP TABLE IF EXISTS items')
k.execute('CREATE TABLE items (id int primary key, name varchar(200), note text)')
k.copy_from(io.StringIO(''.join("%d\\tname %d\\tit's secret %d\\n" % (i, i, i) for i in range(3000))), 'items')
c.autocommit = False
k.execute("UPDATE items SET name = %s WHERE id IN %s", ("o'secret", (1, 2, 3)))
c.commit()
c.autocommit = True
k.execute("SELECT * FROM items WHERE note = %s", ("it's secret 7",)); assert len(k.fetchall()) == 1
k.execute("SELECT * FROM items"); assert len(k.fetchall()) == 3000
k.execute("SELECT * FROM items WHERE id < 0"); assert len(k.fetchall()) == 0
k.execute("SELECT REPEAT('secret', 3000000)"); assert len(k.fetchone()[0]) == 18000000
for wrong in ("SELECT * FROM nothing WHERE a = 'secret'", "SELEC 'secret'"):
    try: k.execute(wrong)
    except psycopg2.Error: pass
    else: raise SystemExit('no error')
k.execute(r"SELECT E'it\\'s secret', $x$secret'$x$, '\\', 'secret'")
assert k.fetchone() == ("it's secret", "secret'", '\\\\', 'secret')
k.execute("DO $$ BEGIN PERFORM 'secret'; END $$")
k.execute('SELECT count(*) FROM "items" AS i JOIN pg_class AS p ON i.id = p.relpages'); k.fetchall()
out = io.StringIO()
k.copy_expert("COPY (SELECT name FROM items WHERE note LIKE '%secret%') TO STDOUT", out)
assert out.getvalue().count('\\n') == 3000
k.execute('NOTIFY channel')
c.close()
`

const PSYCOPG_EXPECTED = [
  'DROP TABLE items',
  'CREATE TABLE items',
  'COPY items',
  'BEGIN',
  'UPDATE items',
  'COMMIT',
  'SELECT items',
  'SELECT items',
  'SELECT items',
  'SELECT',
  'SELECT nothing !42P01',
  'QUERY !42601',
  'SELECT',
  'DO',
  'SELECT items pg_class',
  'COPY SELECT items',
  'NOTIFY',
]

/** libpq's extended protocol: parameters, prepared statements, chunked results, pipelines. */
const LIBPQ = `
import sys
from ctypes import *
p = CDLL('libpq.so.5')
for f in ('PQconnectdb', 'PQexecParams', 'PQprepare', 'PQexecPrepared', 'PQgetResult', 'PQdescribePrepared', 'PQexec'):
    getattr(p, f).restype = c_void_p
p.PQerrorMessage.restype = c_char_p
c = c_void_p(p.PQconnectdb(b'host=127.0.0.1 user=postgres dbname=shop port=' + sys.argv[1].encode()))
assert p.PQstatus(c) == 0, p.PQerrorMessage(c)
def values(*v): return (c_char_p * len(v))(*v)
def done(r, want):
    assert r and p.PQresultStatus(c_void_p(r)) == want, p.PQerrorMessage(c)
    n = p.PQntuples(c_void_p(r)); p.PQclear(c_void_p(r)); return n
COMMAND, TUPLES, FATAL, SYNC, ABORTED = 1, 2, 7, 10, 11
assert done(p.PQexecParams(c, b'SELECT id, name FROM items WHERE id < $1', 1, None, values(b'5'), None, None, 0), TUPLES) == 5
assert done(p.PQexecParams(c, b'SELECT id FROM items WHERE name = $1', 1, None, values(b'secret'), None, None, 1), TUPLES) == 0
done(p.PQprepare(c, b's1', b'SELECT id, note FROM items WHERE id < $1', 1, None), COMMAND)
done(p.PQdescribePrepared(c, b's1'), COMMAND)
for n in (b'0', b'7', b'2000'):
    assert done(p.PQexecPrepared(c, b's1', 1, values(n), None, None, 0), TUPLES) == int(n)
done(p.PQprepare(c, b's2', b'SELECT nonsense FROM items', 0, None), FATAL)
assert p.PQenterPipelineMode(c) == 1
for n in (b'1', b'2', b'3'):
    assert p.PQsendQueryPrepared(c, b's1', 1, values(n), None, None, 0) == 1
assert p.PQsendQueryParams(c, b"INSERT INTO items VALUES ($1, 'secret')", 1, None, values(b'1'), None, None, 0) == 1
assert p.PQsendQueryPrepared(c, b's1', 1, values(b'4'), None, None, 0) == 1
assert p.PQpipelineSync(c) == 1
assert p.PQsendQueryPrepared(c, b's1', 1, values(b'5'), None, None, 0) == 1
assert p.PQpipelineSync(c) == 1
def result(want):
    r = p.PQgetResult(c); n = done(r, want)
    if want != SYNC: assert not p.PQgetResult(c)
    return n
assert [result(TUPLES) for _ in range(3)] == [1, 2, 3]
result(FATAL); result(ABORTED); result(SYNC)
assert result(TUPLES) == 5
result(SYNC)
assert p.PQexitPipelineMode(c) == 1
done(p.PQexec(c, b'SELECT 1; SELECT 2'), TUPLES)
p.PQfinish(c)
`

const LIBPQ_EXPECTED = [
  'SELECT items',
  'SELECT items',
  'PREPARE SELECT items',
  'SELECT items',
  'SELECT items',
  'SELECT items',
  'PREPARE SELECT items !42703',
  'SELECT items',
  'SELECT items',
  'SELECT items',
  'INSERT items !23505',
  'SELECT items abandoned',
  'SELECT items',
  'SELECT SELECT',
]

const names = (observations: readonly Observation[]): string[] =>
  observations
    .filter(({ exchange }) => !exchange.housekeeping)
    .map(({ exchange, abandoned }) => {
      const error = exchange.clientError === undefined ? '' : ` !${exchange.clientError}`
      return exchange.name + error + (abandoned ? ' abandoned' : '')
    })

const marks = (observations: readonly Observation[]): (number | undefined)[][] =>
  observations.map(o => [o.begin, o.requestEnd, o.responseBegin, o.end])

/** Everything that is said of a conversation, however its bytes are cut. */
function expectAlike(calls: readonly Call[], expected: readonly string[]): void {
  const whole = drive(postgresql, calls)
  assert.deepEqual(names(whole.observations), expected)
  assert.equal(whole.failed, false)
  assert.deepEqual(whole.counters.snapshot('protocols'), {}, 'nothing was lost or resynchronised')
  for (const { exchange, end, abandoned } of whole.observations) {
    assert.ok(end !== undefined || abandoned, exchange.name)
    assert.equal(exchange.truncated, false, exchange.name)
    assert.doesNotMatch(JSON.stringify(exchange), /secret/)
    if (!exchange.housekeeping) assert.equal(exchange.attributes[Attribute.dbNamespace], 'shop')
  }
  let turn = 0
  for (const pieces of [() => 8192, () => (turn++ % 2 === 0 ? 5 : 60_000), () => 1460]) {
    const again = drive(postgresql, recut(calls, pieces))
    assert.deepEqual(marks(again.observations), marks(whole.observations))
    // Pieces that begin anywhere, copied as in production: the tail of a call shows how an answer ends.
    const { clientHead: head, serverTail: tail } = postgresql.wants
    const copied = drive(postgresql, recut(calls, pieces), { head, tail })
    assert.deepEqual(names(copied.observations), expected)
  }
}

describe('a real PostgreSQL', { concurrency: false }, () => {
  let server: PostgresqlServer | undefined
  let folder = ''
  const needs = [postgresqlServer, program('psql'), pythonModule('psycopg2')]

  before(async () => {
    if (needs.some(need => !need.met())) return
    folder = await mkdtemp(join(tmpdir(), 'ghostspan-postgresql-test-'))
    server = await startPostgresql()
    await run('psql', ['-h', '127.0.0.1', '-p', String(server.port), '-U', 'postgres', '-c', 'CREATE DATABASE shop'])
  })
  after(async () => {
    await server?.stop()
    if (folder !== '') await rm(folder, { recursive: true, force: true })
  })

  async function record(conversation: (proxy: RecordingProxy) => Promise<unknown>): Promise<(readonly Call[])[]> {
    const proxy = await startRecordingProxy(server!.port)
    try {
      await conversation(proxy)
      while (proxy.connections.some(({ closed }) => !closed)) await sleep(10)
      return proxy.connections.map(({ calls }) => calls)
    } finally {
      await proxy.close()
    }
  }
  const python = (script: string) => (proxy: RecordingProxy) =>
    run('/usr/bin/python3', ['-c', script, String(proxy.port)])

  test('what psycopg2 does is read as it did it: queries, transactions, copies, errors', async t => {
    if (!requires(t, ...needs)) return
    const connections = await record(python(PSYCOPG))
    assert.equal(connections.length, 1)
    expectAlike(connections[0]!, PSYCOPG_EXPECTED)
  })

  test("libpq's parameters, prepared statements and pipelines are read as it used them", async t => {
    if (!requires(t, ...needs)) return
    const connections = await record(python(LIBPQ))
    assert.equal(connections.length, 1)
    expectAlike(connections[0]!, LIBPQ_EXPECTED)
  })

  test('pgbench: its own transactions, simple, extended and prepared', async t => {
    if (!requires(t, ...needs)) return
    const pgbench = postgresqlProgram('pgbench')
    const to = (proxy: RecordingProxy): string[] => ['-h', '127.0.0.1', '-p', String(proxy.port), '-U', 'postgres']
    await record(proxy => run(pgbench, [...to(proxy), '-i', '-s', '1', '-q', 'shop']))
    const transaction = [
      'BEGIN',
      'UPDATE pgbench_accounts',
      'SELECT pgbench_accounts',
      'UPDATE pgbench_tellers',
      'UPDATE pgbench_branches',
      'INSERT pgbench_history',
      'END',
    ]
    for (const mode of ['simple', 'extended', 'prepared']) {
      const connections = await record(proxy => run(pgbench, [...to(proxy), '-n', '-t', '20', '-M', mode, 'shop']))
      // The first connection asks how large the tables are.
      const mine = connections.at(-1)!
      const found = names(drive(postgresql, mine).observations)
      const executed = found.filter(name => !name.startsWith('PREPARE '))
      assert.deepEqual(executed, Array.from({ length: 20 }, () => transaction).flat(), mode)
      expectAlike(mine, found)
    }
  })

  test('pgbench in pipeline mode', async t => {
    if (!requires(t, ...needs)) return
    const script = join(folder, 'pipeline.sql')
    await writeFile(
      script,
      '\\startpipeline\nSELECT 1;\nSELECT count(*) FROM items;\nUPDATE items SET id = id WHERE id = 1;\n\\endpipeline\n',
    )
    const connections = await record(proxy =>
      run(postgresqlProgram('pgbench'), [
        ...['-h', '127.0.0.1', '-p', String(proxy.port), '-U', 'postgres'],
        ...['-n', '-t', '30', '-M', 'extended', '-f', script, 'shop'],
      ]),
    )
    const expected = Array.from({ length: 30 }, () => ['SELECT', 'SELECT items', 'UPDATE items']).flat()
    expectAlike(connections.at(-1)!, expected)
  })

  test('psql asks for encryption first, and a statement that is cancelled fails', async t => {
    if (!requires(t, ...needs)) return
    const connections = await record(async proxy => {
      const args = ['-X', '-h', '127.0.0.1', '-p', String(proxy.port), '-U', 'postgres', 'shop']
      const sleeping = run('psql', [...args, '-c', "SELECT pg_sleep(600), 'sleeper'"]).then(
        () => 'answered',
        () => 'failed',
      )
      const asks = ['-X', '-At', '-h', '127.0.0.1', '-p', String(server!.port), '-U', 'postgres', 'shop', '-c']
      const pid =
        "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600), ''sleeper%' AND pid <> pg_backend_pid()"
      let sleeper = ''
      while (sleeper === '') sleeper = (await run('psql', [...asks, pid])).stdout.trim()
      await run('psql', [...asks, `SELECT pg_cancel_backend(${sleeper})`])
      assert.equal(await sleeping, 'failed')
    })
    const { observations } = drive(postgresql, connections[0]!)
    assert.deepEqual(names(observations), ['SELECT !57014'])
    assert.ok(observations.some(({ exchange }) => exchange.name === 'SSL REQUEST'))
  })

  test('connections that are met in mid-life are read from the next statement on', async t => {
    if (!requires(t, ...needs)) return
    const [calls] = await record(python(PSYCOPG))
    const whole = drive(postgresql, calls!).observations
    const positions = { client: 0, server: 0 }
    for (const [index, call] of calls!.entries()) {
      if (index % 7 === 3) {
        const joined = drive(postgresql, calls!.slice(index), { joined: true, positions: { ...positions } })
        const begun = whole.filter(o => o.begin >= positions.client)
        assert.equal(joined.observations.at(-1)?.begin, begun.at(-1)?.begin)
        assert.ok(joined.observations.length >= begun.length - 1, `${joined.observations.length} of ${begun.length}`)
      }
      positions[call.sender] += call.bytes.length
    }
  })
})
