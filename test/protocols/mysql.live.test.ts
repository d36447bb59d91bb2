import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Attribute } from '../../src/protocols/attribute-names.js'
import { mysql } from '../../src/protocols/mysql/index.js'
import { type MariadbServer, startMariadb } from '../support/mariadb-server.js'
import { type RecordingProxy, startRecordingProxy } from '../support/recording-proxy.js'
import { program, pythonModule, type Requirement, requires } from '../support/requirements.js'
import { type Call, drive, type Observation, recut } from './harness.js'

const run = promisify(execFile)

const PYMYSQL = `
import pymysql, sys
c = pymysql.connect(host='127.0.0.1', port=int(sys.argv[1]), user='root', database='shop', autocommit=True)
k = c.cursor()
k.execute('DROP TABLE IF EXISTS items')
k.execute('CREATE TABLE items (id int primary key, name varchar(200), note text)')
k.executemany('INSERT INTO items VALUES (%s, %s, %s)', [(i, 'name %d' % i, "it's secret %d" % i) for i in range(3000)])
c.begin()
k.execute("UPDATE items SET name = %s WHERE id IN (1, 2, 3)", ("o'secret",))
c.commit()
k.execute("SELECT * FROM items WHERE note = %s", ("it's secret 7",)); assert len(k.fetchall()) == 1
k.execute("SELECT * FROM items"); assert len(k.fetchall()) == 3000
k.execute("SELECT * FROM items WHERE id < 0"); assert len(k.fetchall()) == 0
k.execute("SELECT REPEAT('secret', 3000000)"); assert len(k.fetchone()[0]) == 18000000
for wrong in ("SELECT * FROM nothing WHERE a = 'secret'", "SELEC 'secret'"):
    try: k.execute(wrong)
    except pymysql.err.ProgrammingError: pass
    else: raise SystemExit('no error')
c.begin()
k.execute("DELETE FROM items WHERE id = 1")
c.rollback()
k.execute("SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'")
k.execute(r"SELECT 'a\\' , 'secret', '\\'")
assert k.fetchone() == ('a\\\\', 'secret', '\\\\')
c.select_db('mysql')
c.ping()
k.execute("SELECT count(*) FROM shop.items i JOIN user u"); k.fetchall()
c.close()
`

const PYMYSQL_EXPECTED = [
  'DROP TABLE shop.items',
  'CREATE TABLE shop.items',
  'INSERT shop.items',
  'BEGIN',
  'UPDATE shop.items',
  'COMMIT',
  'SELECT shop.items',
  'SELECT shop.items',
  'SELECT shop.items',
  'SELECT',
  'SELECT shop.nothing !1146',
  'QUERY !1064',
  'BEGIN',
  'DELETE shop.items',
  'ROLLBACK',
  'SET',
  'SELECT',
  'USE mysql',
  'PING',
  'SELECT shop.items mysql.user',
]

/** MariaDB's own C library: binary protocol, parameters, cursors, and prepare and execute in one breath. */
const CONNECTOR_C = `
import sys
from ctypes import *
m = CDLL('libmariadb.so.3')
for f in ('mysql_init', 'mysql_real_connect', 'mysql_stmt_init'): getattr(m, f).restype = c_void_p
m.mysql_stmt_error.restype = c_char_p
class Bind(Structure):
    _fields_ = [('length', c_void_p), ('is_null', c_void_p), ('buffer', c_void_p), ('error', c_void_p), ('u', c_void_p),
      ('f1', c_void_p), ('f2', c_void_p), ('f3', c_void_p), ('buffer_length', c_ulong), ('offset', c_ulong),
      ('length_value', c_ulong), ('flags', c_uint), ('pack_length', c_uint), ('buffer_type', c_int), ('error_value', c_char),
      ('is_unsigned', c_char), ('long_data_used', c_char), ('is_null_value', c_char), ('extension', c_void_p)]
c = c_void_p(m.mysql_init(None))
assert m.mysql_real_connect(c, b'127.0.0.1', b'root', None, b'shop', int(sys.argv[1]), None, c_ulong(0)), 'connect'
s = c_void_p(m.mysql_stmt_init(c))
q = b'SELECT id, name FROM items WHERE id < ?'
assert m.mysql_stmt_prepare(s, q, c_ulong(len(q))) == 0, m.mysql_stmt_error(s)
n = c_int(0)
b = Bind(buffer=cast(pointer(n), c_void_p), buffer_type=3)
m.mysql_stmt_bind_param(s, byref(b))
for i in (0, 5, 2000):
    n.value = i
    assert m.mysql_stmt_execute(s) == 0, m.mysql_stmt_error(s)
    assert m.mysql_stmt_store_result(s) == 0
    m.mysql_stmt_num_rows.restype = c_ulonglong
    assert m.mysql_stmt_num_rows(s) == i
assert m.mysql_stmt_reset(s) == 0
cursor = c_ulong(1)
m.mysql_stmt_attr_set(s, 1, byref(cursor))
fetch = c_ulong(100)
m.mysql_stmt_attr_set(s, 2, byref(fetch))
n.value = 250
assert m.mysql_stmt_execute(s) == 0, m.mysql_stmt_error(s)
out = (Bind * 2)()
value = c_int(0); text = create_string_buffer(300)
out[0].buffer = cast(pointer(value), c_void_p); out[0].buffer_type = 3
out[1].buffer = cast(text, c_void_p); out[1].buffer_type = 254; out[1].buffer_length = 300
m.mysql_stmt_bind_result(s, out)
rows = 0
while m.mysql_stmt_fetch(s) == 0: rows += 1
assert rows == 250, rows
m.mysql_stmt_close(s)
s = c_void_p(m.mysql_stmt_init(c))
q = b'SELECT count(*) FROM items'
assert m.mariadb_stmt_execute_direct(s, q, c_size_t(len(q))) == 0, m.mysql_stmt_error(s)
m.mysql_stmt_store_result(s)
m.mysql_stmt_close(s)
s = c_void_p(m.mysql_stmt_init(c))
q = b'SELECT nonsense FROM items'
assert m.mysql_stmt_prepare(s, q, c_ulong(len(q))) != 0
m.mysql_stmt_close(s)
assert m.mysql_ping(c) == 0
m.mysql_close(c)
`

const CONNECTOR_C_EXPECTED = [
  'PREPARE SELECT shop.items',
  'SELECT shop.items',
  'SELECT shop.items',
  'SELECT shop.items',
  'SELECT shop.items',
  'FETCH SELECT shop.items',
  'FETCH SELECT shop.items',
  'FETCH SELECT shop.items',
  'PREPARE SELECT shop.items',
  'SELECT shop.items',
  'PREPARE SELECT shop.items !1054',
  'PING',
]

const connectorC: Requirement = {
  what: "MariaDB's client library, libmariadb3",
  met: () => pythonModule('ctypes; ctypes.CDLL("libmariadb.so.3")').met(),
}

const names = (observations: readonly Observation[]): string[] =>
  observations
    .filter(({ exchange }) => !exchange.housekeeping)
    .map(({ exchange }) => exchange.name + (exchange.clientError === undefined ? '' : ` !${exchange.clientError}`))

/** Everything that is said of a conversation, however its bytes are cut. */
function expectAlike(calls: readonly Call[], expected: readonly string[]): void {
  const whole = drive(mysql, calls)
  assert.deepEqual(names(whole.observations), expected)
  assert.equal(whole.failed, false)
  assert.deepEqual(whole.counters.snapshot('protocols'), {}, 'nothing was lost or resynchronised')
  for (const { exchange, end } of whole.observations) {
    assert.ok(end !== undefined, exchange.name)
    assert.equal(exchange.truncated, false, exchange.name)
    assert.doesNotMatch(JSON.stringify(exchange), /secret/)
    if (!exchange.housekeeping) assert.equal(exchange.attributes[Attribute.dbSystemName], 'mariadb')
  }
  let turn = 0
  for (const pieces of [() => 8192, () => (turn++ % 2 === 0 ? 4 : 60_000), () => 1460]) {
    const again = drive(mysql, recut(calls, pieces))
    assert.deepEqual(marks(again.observations), marks(whole.observations))
    // Pieces that begin anywhere, copied as in production: the tail of a call shows how an answer ends.
    const { clientHead: head, serverTail: tail } = mysql.wants
    const copied = drive(mysql, recut(calls, pieces), { head, tail })
    assert.deepEqual(names(copied.observations), expected)
    assert.deepEqual(marks(copied.observations), marks(whole.observations))
  }
}

const marks = (observations: readonly Observation[]): (number | undefined)[][] =>
  observations.map(o => [o.begin, o.requestEnd, o.responseBegin, o.end])

describe('a real MariaDB', { concurrency: false }, () => {
  let mariadb: MariadbServer | undefined
  let folder = ''
  const needs = [program('mariadbd'), program('mariadb-install-db'), program('mariadb'), pythonModule('pymysql')]

  before(async () => {
    if (needs.some(need => !need.met())) return
    folder = await mkdtemp(join(tmpdir(), 'ghostspan-mysql-test-'))
    mariadb = await startMariadb()
    await run('mariadb', [...client(mariadb.port), '-e', 'CREATE DATABASE shop'])
  })
  after(async () => {
    await mariadb?.stop()
    if (folder !== '') await rm(folder, { recursive: true, force: true })
  })

  const client = (port: number): string[] => ['--no-defaults', '--host=127.0.0.1', `--port=${port}`, '--user=root']

  async function record(conversation: (proxy: RecordingProxy) => Promise<unknown>): Promise<readonly Call[]> {
    const proxy = await startRecordingProxy(mariadb!.port)
    try {
      await conversation(proxy)
      while (proxy.connections.some(({ closed }) => !closed)) await sleep(10)
      assert.equal(proxy.connections.length, 1)
      return proxy.connections[0]!.calls
    } finally {
      await proxy.close()
    }
  }
  const python = (script: string) => (proxy: RecordingProxy) =>
    run('/usr/bin/python3', ['-c', script, String(proxy.port)])

  test('what PyMySQL does is read as PyMySQL did it', async t => {
    if (!requires(t, ...needs)) return
    expectAlike(await record(python(PYMYSQL)), PYMYSQL_EXPECTED)
  })

  test("prepared statements of MariaDB's own library are read as it used them", async t => {
    if (!requires(t, ...needs, connectorC)) return
    expectAlike(await record(python(CONNECTOR_C)), CONNECTOR_C_EXPECTED)
  })

  test('the command-line client: several statements, procedures, a local file', async t => {
    if (!requires(t, ...needs)) return
    const file = join(folder, 'rows.csv')
    await writeFile(file, Array.from({ length: 40_000 }, (_, k) => `${k + 10_000},name,secret\n`).join(''))
    const script = join(folder, 'script.sql')
    await writeFile(
      script,
      `DELIMITER //
CREATE PROCEDURE twice(n INT) BEGIN SELECT * FROM items LIMIT 2; SELECT n, 'secret'; END//
SELECT 1; SELECT 'secret' FROM items LIMIT 3; DELETE FROM items WHERE id = 2//
DELIMITER ;
CALL twice(5);
LOAD DATA LOCAL INFILE '${file}' INTO TABLE items FIELDS TERMINATED BY ',';
SHOW TABLES;
USE mysql;
SELECT count(*) FROM shop.items;
`,
    )
    const calls = await record(proxy =>
      run('mariadb', [...client(proxy.port), '--local-infile=1', 'shop', '-e', `source ${script}`]),
    )
    const found = names(drive(mysql, calls).observations)
    // The client looks around on its own first.
    const mine = found.slice(found.indexOf('CREATE PROCEDURE'))
    expectAlike(calls, found)
    assert.deepEqual(mine, [
      'CREATE PROCEDURE',
      'SELECT SELECT shop.items DELETE',
      'CALL shop.twice',
      'LOAD shop.items',
      'SHOW TABLES',
      // Asks for the schema it is in before it leaves it.
      'SELECT',
      'USE mysql',
      'SELECT shop.items',
    ])
  })

  test('connections that are met in mid-life are read from the next command on', async t => {
    if (!requires(t, ...needs)) return
    const calls = await record(python(PYMYSQL))
    const whole = drive(mysql, calls).observations
    const positions = { client: 0, server: 0 }
    for (const [index, call] of calls.entries()) {
      if (index % 7 === 3) {
        const joined = drive(mysql, calls.slice(index), { joined: true, positions: { ...positions } })
        const begun = whole.filter(o => o.begin >= positions.client)
        assert.equal(joined.observations.at(-1)?.begin, begun.at(-1)?.begin)
        assert.ok(joined.observations.length >= begun.length - 1, `${joined.observations.length} of ${begun.length}`)
      }
      positions[call.sender] += call.bytes.length
    }
  })
})
