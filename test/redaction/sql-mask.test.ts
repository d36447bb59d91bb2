import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MYSQL, MYSQL_NO_BACKSLASH_ESCAPES, type SqlDialect } from '../../src/protocols/sql/dialect.js'
import { createRedacted, redact } from '../../src/protocols/sql/redact.js'
import { SqlMask } from '../../src/redaction/sql-mask.js'
import { seeded } from '../protocols/conversation.js'

function masked(statement: string, dialect: SqlDialect = MYSQL, pieces: () => number = () => 1e9): string {
  const bytes = Buffer.from(statement, 'latin1')
  const mask = new SqlMask()
  mask.begin(dialect)
  for (let at = 0; at < bytes.length; ) {
    const next = Math.min(bytes.length, at + Math.max(1, pieces()))
    mask.pass(bytes, at, next)
    at = next
  }
  return bytes.toString('latin1')
}

function redacted(statement: string, dialect: SqlDialect): string {
  const out = createRedacted()
  redact(Buffer.from(statement, 'latin1'), 0, statement.length, false, dialect, out)
  return `${Buffer.from(out.bytes.subarray(0, out.length)).toString('latin1')} ${out.traceparent}`
}

const TRACEPARENT = "traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'"

const CASES: [string, string][] = [
  ["SELECT a1 FROM t WHERE b = 'it''s' AND c=12.5e-3", "SELECT a1 FROM t WHERE b = 'xx''x' AND c=0000e-0"],
  ['INSERT INTO `t 1` VALUES ("a\\"b", 0xFF, -7, .5, t.5)', 'INSERT INTO `t 1` VALUES ("xxxx", 0x00, -0, .0, t.0)'],
  ['SELECT /* password=x */ 1 -- token\n+1 --1', 'SELECT /*xxxxxxxxxxxx*/ 0 -- xxxxx\n+0 --0'],
  ['SELECT 1 # token\n+ 2', 'SELECT 0 #xxxxxx\n+ 0'],
  ["/*!50700 SELECT 'a' */ /*M!100 x */", "/*!00000 SELECT 'x' */ /*M!000 x */"],
  [`SELECT 1 /*a='b',${TRACEPARENT}*/`, `SELECT 0 /*xxxxxx${TRACEPARENT}*/`],
  ["SELECT x'4d', b'01', n'abc', @v, 1e-x", "SELECT x'xx', b'xx', n'xxx', @v, 0e-x"],
  ["SELECT 'not ended", "SELECT 'xxxxxxxxx"],
]

test('literals and comments go, the statement keeps its shape, in whatever pieces it comes', () => {
  for (const [statement, expected] of CASES) {
    assert.equal(masked(statement), expected)
    if (!statement.includes('traceparent'))
      assert.equal(
        masked(statement, MYSQL, () => 1),
        expected,
      )
  }
})

test('a server that does not escape by backslashes is understood', () => {
  assert.equal(masked("SELECT 'a\\', b", MYSQL_NO_BACKSLASH_ESCAPES), "SELECT 'xx', b")
})

const TOKENS = [
  ...[
    "'a''b\\'c'",
    '"d\\\\"',
    "'",
    '"',
    '`n',
    '`',
    '12',
    '0x1F',
    '1.5e+3',
    '1e',
    '.7',
    't.a',
    '-',
    '--',
    '-- ',
    '#',
    '\n',
  ],
  ...[
    '/*',
    '*/',
    '/*!50000',
    '/*M!',
    '*',
    '/',
    '(',
    ')',
    ',',
    ' ',
    'SELECT',
    'FROM',
    'IN',
    '?',
    ';',
    '\\',
    '@x',
    '\u00e4',
    '=',
  ],
]

test('a masked statement is redacted to the same text as the statement itself', () => {
  for (let seed = 1; seed <= 3_000; seed++) {
    const random = seeded(seed)
    const tokens = Array.from({ length: 1 + random(14) }, () => TOKENS[random(TOKENS.length)]!)
    // A comment right behind a multiplication is hidden here and read there.
    const statement = tokens.join('').replaceAll('*/*', '* /*').replaceAll('*/*', '* /*')
    for (const dialect of [MYSQL, MYSQL_NO_BACKSLASH_ESCAPES]) {
      const shown = masked(statement, dialect, () => 1 + random(9))
      assert.equal(shown.length, statement.length)
      assert.equal(redacted(shown, dialect), redacted(statement, dialect), JSON.stringify([statement, shown]))
    }
  }
})
