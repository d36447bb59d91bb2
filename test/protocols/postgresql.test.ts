import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { POSTGRESQL } from '../../src/protocols/sql/dialect.js'
import { createStatementReader, type SqlStatement } from '../../src/protocols/sql/statement-reader.js'
import { client, drive, runCodecCases, server, sizeOf } from './harness.js'
import { cases, module } from './postgresql-cases.js'
import { bytes, complete, query, ready, row, rowDescription, startup, welcome } from './postgresql-messages.js'

runCodecCases('postgresql', module, cases)

const opened = [client(startup()), server(welcome)]
const rows = Array.from({ length: 200 }, (_, k) => row(String(k), `name ${k}`))
const answer = bytes(rowDescription('id', 'name'), ...rows, complete('SELECT 200'), ready())

test('the tail of a call shows how an answer ends that could not be followed', () => {
  const calls = [...opened, client(query('SELECT * FROM t')), server(answer), client(query('SELECT 1'))]
  const { observations } = drive(module, calls, { head: 256, tail: 16, open: true })
  const found = observations.find(({ exchange }) => exchange.name === 'SELECT t')!
  assert.equal(found.end, welcome.length + answer.length)
  assert.equal(found.exchange.truncated, true)
})

test('an answer whose end is not copied is over when the next statement comes', () => {
  const calls = [...opened, client(query('SELECT * FROM t')), server(answer), client(query('SELECT 1'))]
  const { observations } = drive(module, calls, { head: 256, open: true })
  assert.equal(observations[1]!.end, welcome.length + answer.length)
  assert.equal(observations[1]!.exchange.truncated, true)
})

test('thousands of rows in one call are passed in one look', () => {
  const many = bytes(
    rowDescription('id'),
    ...Array.from({ length: 20_000 }, () => row('x')),
    complete('SELECT 20000'),
    ready(),
  )
  const calls = [...opened, client(query('SELECT * FROM t')), server(many)]
  const { observations } = drive(module, calls)
  assert.equal(observations[1]!.end, sizeOf(calls.filter(({ sender }) => sender === 'server')))
})

const reader = createStatementReader()
const read = (sql: string): SqlStatement => {
  const text = Buffer.from(sql)
  return reader.read(text, 0, text.length, false, POSTGRESQL)
}

test("PostgreSQL's literals of every kind become question marks", () => {
  const texts: [string, string][] = [
    ["SELECT 'a', 'it''s', E'it\\'s', e'\\\\', U&'d\\0061t', B'01', X'4d'", 'SELECT ?, ?, ?, ?, U&?, ?, ?'],
    ["SELECT 'a\\', secret", 'SELECT ?, secret'],
    ["SELECT note'x', \"E\"'x\\'", 'SELECT note?, "E"?'],
    ["SELECT $$it's$$, $x$ a $$ b $y$ c $x$, $ä$z$ä$", 'SELECT ?, ?, ?'],
    ['SELECT $1, $23::int, a$b, a.b$1 FROM t$1', 'SELECT ?, ?::int, a$b, a.b$1 FROM t$1'],
    ["SELECT '42'::int, 1.5::numeric(10,2), ARRAY[1,2]::int[]", 'SELECT ?::int, ?::numeric(?,?), ARRAY[?,?]::int[]'],
    ["SELECT a->'k'->>'s', b @> '{}', @-5, x@1, y#>'{a}'", 'SELECT a->?->>?, b @> ?, @-?, x@?, y#>?'],
    ['SELECT * FROM "My ""Table" WHERE "a" = 5', 'SELECT * FROM "My ""Table" WHERE "a" = ?'],
    ['SELECT 1--2\nFROM t', 'SELECT ? FROM t'],
    ["SELECT /* a /* 'nested' */ b */ 1", 'SELECT ?'],
    ['SELECT * FROM t WHERE a IN ($1, $2, $3)', 'SELECT * FROM t WHERE a IN (?)'],
    ['DO $body$ BEGIN PERFORM secret(); END $body$', 'DO ?'],
    ['SELECT $never closed$ secret', 'SELECT $never closed$ secret'],
    ['SELECT $tag$ secret', 'SELECT ?'],
  ]
  for (const [sql, text] of texts) assert.equal(read(sql).text, text, sql)
})

test('summaries of statements that only PostgreSQL has', () => {
  const summaries: [string, string][] = [
    ['COPY shop.items (a, b) FROM STDIN', 'COPY shop.items'],
    ['COPY (SELECT a FROM t) TO STDOUT', 'COPY SELECT t'],
    ['MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN UPDATE SET b = 1', 'MERGE t u'],
    ['INSERT INTO t (a) VALUES ($1) RETURNING id', 'INSERT t'],
    ['SELECT x::text FROM "My Table" AS m, LATERAL f(1)', 'SELECT My Table'],
    ['CREATE UNLOGGED TABLE IF NOT EXISTS t (a int)', 'CREATE TABLE t'],
    ['CREATE INDEX CONCURRENTLY i ON t (a)', 'CREATE INDEX t'],
    ['LISTEN channel', 'LISTEN'],
    ['VACUUM ANALYZE t', 'VACUUM'],
    ['UPDATE ONLY t SET a = 1 FROM u WHERE t.b = u.b', 'UPDATE t'],
  ]
  for (const [sql, summary] of summaries) assert.equal(read(sql).summary(undefined), summary, sql)
})

test('no secret between dollars or quotes comes out', () => {
  const tag = fc.stringMatching(/^[a-z_]{0,5}$/)
  const body = fc.stringMatching(/^[ -~]{0,20}$/)
  fc.assert(
    fc.property(tag, body, (name, inner) => {
      fc.pre(!inner.includes('$'))
      assert.equal(read(`SELECT $${name}$zqj${inner}$${name}$, 1`).text, 'SELECT ?, ?')
      assert.doesNotMatch(read(`SELECT E'zqj${inner.replaceAll(/['\\]/g, '\\$&')}', 1`).text, /zqj/)
    }),
  )
})
