import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MYSQL, MYSQL_NO_BACKSLASH_ESCAPES, type SqlDialect } from '../../src/protocols/sql/dialect.js'
import { SQL_LIMIT } from '../../src/protocols/sql/redact.js'
import { createStatementReader, type SqlStatement } from '../../src/protocols/sql/statement-reader.js'

const reader = createStatementReader()
const read = (sql: string, dialect: SqlDialect = MYSQL, cut = false): SqlStatement => {
  const bytes = Buffer.from(sql)
  return reader.read(bytes, 0, bytes.length, cut, dialect)
}

test('literals of every kind become question marks', () => {
  const texts: [string, string][] = [
    ["SELECT 'a', \"b\", 'it''s', 'it\\'s', ''", 'SELECT ?, ?, ?, ?, ?'],
    ["SELECT x'4d', X'4D', b'01', N'text', _utf8'text', 0x4d, 0b01", 'SELECT ?, ?, ?, ?, _utf8?, ?, ?'],
    ['SELECT 1, 1.5, .5, 1e10, 1.5E-3, -7, a-1, a+1', 'SELECT ?, ?, ?, ?, ?, -?, a-?, a+?'],
    ['SELECT t1.c2, `t 3`.`c"4\'`, @v1, @@version FROM t5', 'SELECT t1.c2, `t 3`.`c"4\'`, @v1, @@version FROM t5'],
    ["SET PASSWORD FOR 'u'@'h' = PASSWORD('x')", 'SET PASSWORD FOR ?? = PASSWORD(?)'],
    ["DATE '2024-01-01' + INTERVAL 1 DAY", 'DATE ? + INTERVAL ? DAY'],
    ["'never closed", '?'],
    ['"never closed \\"', '?'],
  ]
  for (const [sql, text] of texts) assert.equal(read(sql).text, text, sql)
})

test('comments and needless white space go, executable comments stay', () => {
  const texts: [string, string][] = [
    ["SELECT 1 -- 'x\n FROM t", 'SELECT ? FROM t'],
    ["SELECT 1 # it's\nFROM t", 'SELECT ? FROM t'],
    ["SELECT /* 'x' */ 1\t\r\n  FROM  t ;", 'SELECT ? FROM t'],
    ['SELECT 5--1', 'SELECT ?--?'],
    ["/*!40101 SET NAMES 'utf8' */", 'SET NAMES ?'],
    ['SELECT /*M!100100 1, */ 2', 'SELECT ?, ?'],
    ['SELECT /*+ MAX_EXECUTION_TIME(1000) */ a FROM t', 'SELECT a FROM t'],
    ['SELECT a /* never closed', 'SELECT a'],
  ]
  for (const [sql, text] of texts) assert.equal(read(sql).text, text, sql)
})

test('lists after IN and rows of VALUES shrink to one, other lists do not', () => {
  const texts: [string, string][] = [
    ['SELECT * FROM t WHERE a IN (1, 2,3 , 4)', 'SELECT * FROM t WHERE a IN (?)'],
    ["SELECT * FROM t WHERE a in('x','y') AND f(1, 2)", 'SELECT * FROM t WHERE a in(?) AND f(?, ?)'],
    ['SELECT * FROM t WHERE (a, b) IN ((1, 2), (3, 4))', 'SELECT * FROM t WHERE (a, b) IN ((?, ?))'],
    ["INSERT INTO t VALUES (1, 'a'), (2, 'b'),(3,'c')", 'INSERT INTO t VALUES (?, ?),(?,?)'],
    ["INSERT INTO t VALUES (1, f('a')), (2, f('b'))", 'INSERT INTO t VALUES (?, f(?))'],
    ['INSERT INTO t VALUES (?, ?), (?, ?)', 'INSERT INTO t VALUES (?, ?)'],
    ['SELECT (a), (a) FROM t', 'SELECT (a), (a) FROM t'],
    ['SELECT begin(1, 2)', 'SELECT begin(?, ?)'],
  ]
  for (const [sql, text] of texts) assert.equal(read(sql).text, text, sql)
})

test('where the server takes a backslash for a letter, a string ends at the quote behind it', () => {
  assert.equal(read("SELECT 'a\\', 'b', '\\'", MYSQL_NO_BACKSLASH_ESCAPES).text, 'SELECT ?, ?, ?')
})

test('double quotes hold names where the dialect says so', () => {
  const ansi: SqlDialect = { ...MYSQL, doubleQuotes: 'identifier' }
  const statement = read('SELECT "c" FROM "my ""table" WHERE a = \'x\'', ansi)
  assert.equal(statement.text, 'SELECT "c" FROM "my ""table" WHERE a = ?')
  assert.equal(statement.collection, 'my "table')
})

test('summary, operation and collection', () => {
  const cases: [sql: string, summary: string, operation: string, collection?: string][] = [
    ['SELECT * FROM items WHERE id = 1', 'SELECT s.items', 'SELECT', 'items'],
    ['select i.a from shop.items as i', 'SELECT shop.items', 'SELECT', 'shop.items'],
    ['SELECT * FROM `my items`, b AS x, c y WHERE 1', 'SELECT s.my items s.b s.c', 'SELECT'],
    ['SELECT * FROM a LEFT OUTER JOIN b ON a.x = b.x JOIN a c USING (y)', 'SELECT s.a s.b', 'SELECT'],
    ['SELECT EXTRACT(YEAR FROM d), TRIM(BOTH FROM e) FROM t', 'SELECT s.t', 'SELECT', 't'],
    ['SELECT (SELECT max(x) FROM a) FROM b', 'SELECT SELECT s.a s.b', 'SELECT'],
    ['SELECT * FROM (SELECT * FROM a) AS x', 'SELECT SELECT s.a', 'SELECT', 'a'],
    ['(SELECT a FROM t) UNION (SELECT b FROM u)', 'SELECT s.t SELECT s.u', 'SELECT'],
    ['SELECT a INTO @x FROM t FOR UPDATE', 'SELECT s.t', 'SELECT', 't'],
    ['SELECT 1 FROM DUAL', 'SELECT', 'SELECT'],
    ['INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = 2', 'INSERT s.t', 'INSERT', 't'],
    ['INSERT IGNORE t SELECT * FROM u', 'INSERT s.t SELECT s.u', 'INSERT'],
    ['REPLACE INTO t SET a = REPLACE(b, 1, 2)', 'REPLACE s.t', 'REPLACE', 't'],
    ['UPDATE LOW_PRIORITY t SET a = 1 WHERE b = 2', 'UPDATE s.t', 'UPDATE', 't'],
    ['UPDATE t, u SET t.a = u.a', 'UPDATE s.t s.u', 'UPDATE'],
    ['UPDATE t JOIN u ON t.a = u.a SET t.b = 1, t.c = 2', 'UPDATE s.t s.u', 'UPDATE'],
    ['DELETE FROM t WHERE a IN (SELECT b FROM u)', 'DELETE s.t SELECT s.u', 'DELETE'],
    ['DELETE t FROM t JOIN u', 'DELETE s.t s.u', 'DELETE'],
    [
      'WITH x AS (SELECT * FROM a), y AS (SELECT * FROM x) SELECT * FROM y JOIN b',
      'SELECT s.b SELECT s.a SELECT',
      'SELECT',
    ],
    ['CREATE TABLE IF NOT EXISTS t (a INT)', 'CREATE TABLE s.t', 'CREATE TABLE', 't'],
    ['CREATE UNIQUE INDEX i ON t (a)', 'CREATE INDEX s.t', 'CREATE INDEX', 't'],
    ['DROP TABLE IF EXISTS t, u', 'DROP TABLE s.t s.u', 'DROP TABLE'],
    ['CREATE PROCEDURE p() BEGIN SELECT 1; DELETE FROM t; END', 'CREATE PROCEDURE', 'CREATE PROCEDURE'],
    ["CREATE USER 'a'@'b' IDENTIFIED BY 'c'", 'CREATE USER', 'CREATE USER'],
    ['TRUNCATE t', 'TRUNCATE s.t', 'TRUNCATE', 't'],
    ['EXPLAIN SELECT * FROM t', 'EXPLAIN SELECT s.t', 'EXPLAIN', 't'],
    ['SHOW FULL COLUMNS FROM t', 'SHOW COLUMNS', 'SHOW COLUMNS'],
    ['LOCK TABLES t READ', 'LOCK TABLES', 'LOCK TABLES'],
    ['SELECT 1; COMMIT; DELETE FROM t', 'SELECT COMMIT DELETE s.t', 'SELECT', 't'],
    ['START TRANSACTION', 'START TRANSACTION', 'START TRANSACTION'],
    ['SAVEPOINT sa_savepoint_17', 'SAVEPOINT', 'SAVEPOINT'],
    ['nonsense FROM t', '', ''],
    ['', '', ''],
  ]
  for (const [sql, summary, operation, collection] of cases) {
    const statement = read(sql)
    assert.equal(statement.summary('s'), summary, sql)
    assert.equal(statement.operation, operation, sql)
    assert.equal(statement.collection, collection, sql)
  }
  const call = read('CALL shop.twice(1)')
  assert.equal(call.summary('s'), 'CALL shop.twice')
  assert.equal(call.storedProcedure, 'shop.twice')
  assert.equal(read('USE `shop`').uses, 'shop')
  assert.equal(read('SELECT a FROM t').summary(undefined), 'SELECT t')
})

test('a summary has at most 255 characters and ends between words', () => {
  const tables = Array.from({ length: 60 }, (_, k) => `a_rather_long_table_name_${k}`)
  const summary = read(`SELECT * FROM ${tables.join(', ')}`).summary('shop')
  assert.ok(summary.length <= 255 && summary.length > 200)
  for (const word of summary.split(' ').slice(1)) assert.ok(tables.includes(word.replace('shop.', '')), word)
})

test('statements that differ in values alone are one object', () => {
  const first = read("SELECT a FROM t WHERE b = 1 AND c IN (1, 2) AND d = 'x'")
  assert.equal(read("SELECT a  FROM t WHERE b = 2345 AND c IN (3) AND d = 'it''s'"), first)
  assert.notEqual(read("SELECT a FROM u WHERE b = 1 AND c IN (1, 2) AND d = 'x'"), first)
})

test('a long statement is cut, and the cut shows', () => {
  const statement = read(`SELECT ${Array.from({ length: 3000 }, (_, k) => `column_${k}`).join(', ')}, 'secret' FROM t`)
  assert.ok(statement.text.endsWith('…'))
  assert.ok(statement.text.length <= SQL_LIMIT + 1)
  assert.equal(read("SELECT a FROM t WHERE b = 'secr", MYSQL, true).text, 'SELECT a FROM t WHERE b = ?…')
})

test('a traceparent in a comment is found, and only there', () => {
  const id = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  read(`SELECT 1 /*db_driver='x',traceparent='${id}'*/`)
  assert.equal(reader.traceparent, id)
  read(`SELECT "traceparent='${id}'"`)
  assert.equal(reader.traceparent, undefined)
})

const literal = fc.oneof(
  fc.string({ maxLength: 20 }).map(value => `'${`SECRET${value}`.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`),
  fc.string({ maxLength: 20 }).map(value => `"${`SECRET${value}`.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`),
  fc.nat().map(value => `98765${value}`),
)

test('no literal survives, wherever it stands and whatever is in it', () => {
  const piece = fc.oneof(literal, fc.constantFrom('a', '`b`', '(', ')', ',', ' IN (', '--', '/', '*', '.', '\n', ' = '))
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), pieces => {
      const { text } = read(`SELECT ${pieces.join(' ')} FROM t`)
      // What stands behind a lone comment sign may be gone; what is there holds no value.
      assert.doesNotMatch(text, /SECRET|98765/)
    }),
    { numRuns: 500 },
  )
})

test('any bytes are read without an exception, within bounds', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (bytes, cut) => {
      const statement = reader.read(bytes, 0, bytes.length, cut, MYSQL)
      assert.ok(statement.text.length <= bytes.length + 4)
      assert.ok(statement.summary('s').length <= 255)
    }),
    { numRuns: 500 },
  )
})
