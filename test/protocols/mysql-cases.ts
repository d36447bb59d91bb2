import { Attribute } from '../../src/protocols/attribute-names.js'
import { mysql } from '../../src/protocols/mysql/index.js'
import { type Call, type CodecCase, client, type ExpectedExchange, server } from './harness.js'
import {
  bytes,
  CAPABILITIES,
  column,
  eof,
  error,
  greeting,
  int,
  LOGIN,
  login,
  ok,
  okAsEof,
  packet,
  query,
  resultSet,
  text,
} from './mysql-packets.js'

export const module = mysql

const MARIADB = '5.5.5-10.11.19-MariaDB-0+deb12u1'
const DEPRECATE = LOGIN | CAPABILITIES.deprecateEof
const ATTRIBUTES = LOGIN | CAPABILITIES.queryAttributes

const SYSTEM = Attribute.dbSystemName
const NAMESPACE = Attribute.dbNamespace
const OPERATION = Attribute.dbOperationName
const COLLECTION = Attribute.dbCollectionName
const TEXT = Attribute.dbQueryText
const STATUS = Attribute.dbResponseStatusCode

/** Greeting, login, OK: how every connection begins. */
const opened = (capabilities = LOGIN, version = '8.0.36'): Call[] => [
  greeting(version),
  login(capabilities),
  server(ok(2)),
]
const LOGGED_IN: ExpectedExchange = { name: 'LOGIN', housekeeping: true, clientError: undefined }
const ROWS = [
  ['1', 'one'],
  ['2', 'two'],
] as const

const prepared = (id: number, parameters: number, columns: number, deprecateEof = false): Buffer => {
  let sequence = 1
  const parts = [packet(sequence++, 0, int(id, 4), int(columns, 2), int(parameters, 2), 0, int(0, 2))]
  for (const count of [parameters, columns]) {
    for (let k = 0; k < count; k++) parts.push(column(sequence++, `c${k}`))
    if (count > 0 && !deprecateEof) parts.push(eof(sequence++))
  }
  return bytes(...parts)
}
const prepare = (sql: string): Call => client(packet(0, 0x16, sql))
const execute = (id: number): Call => client(packet(0, 0x17, int(id, 4), 0, int(1, 4), 0, 1, int(3, 2), int(42, 4)))

export const cases: CodecCase[] = [
  {
    name: 'login and a query with a result set',
    conversation: [
      ...opened(),
      query("SELECT name FROM items WHERE id = 42 AND owner = 'secret'"),
      server(resultSet(ROWS)),
    ],
    expected: [
      { ...LOGGED_IN, begin: 0, requestEnd: login(LOGIN).bytes.length, responseBegin: greeting('8.0.36').bytes.length },
      {
        name: 'SELECT shop.items',
        initiator: 'client',
        shape: 'call',
        housekeeping: false,
        truncated: false,
        begin: login(LOGIN).bytes.length,
        responseBegin: greeting('8.0.36').bytes.length + ok(2).length,
        end: greeting('8.0.36').bytes.length + ok(2).length + resultSet(ROWS).length,
        attributes: {
          [SYSTEM]: 'mysql',
          [NAMESPACE]: 'shop',
          [OPERATION]: 'SELECT',
          [COLLECTION]: 'items',
          [TEXT]: 'SELECT name FROM items WHERE id = ? AND owner = ?',
          [Attribute.dbQuerySummary]: 'SELECT shop.items',
        },
      },
    ],
  },
  {
    name: 'MariaDB tells its name',
    conversation: [...opened(DEPRECATE, MARIADB), query('COMMIT'), server(ok(1)), query('ROLLBACK'), server(ok(1))],
    expected: [
      LOGGED_IN,
      { name: 'COMMIT', attributes: { [SYSTEM]: 'mariadb', [OPERATION]: 'COMMIT' }, without: [COLLECTION] },
      { name: 'ROLLBACK' },
    ],
  },
  {
    name: 'result sets without EOF packets',
    conversation: [
      ...opened(DEPRECATE),
      query('SELECT id, name FROM items'),
      server(resultSet(ROWS, { deprecateEof: true })),
      query('SELECT id, name FROM items'),
      server(resultSet([], { deprecateEof: true })),
    ],
    expected: [LOGGED_IN, { name: 'SELECT shop.items' }, { name: 'SELECT shop.items' }],
  },
  {
    name: 'a server with a short version',
    conversation: [...opened(LOGIN, '9.0.0'), query('COMMIT'), server(ok(1))],
    expected: [LOGGED_IN, { name: 'COMMIT' }],
  },
  {
    name: 'an error',
    conversation: [
      ...opened(),
      query("SELECT * FROM nothing WHERE a = 'x'"),
      server(error(1, 1146, "Table 'shop.nothing' doesn't exist")),
      query('SELECT 1'),
      server(resultSet([['1', '1']])),
    ],
    expected: [
      LOGGED_IN,
      {
        name: 'SELECT shop.nothing',
        clientError: '1146',
        serverError: '1146',
        attributes: { [STATUS]: '1146', [Attribute.errorType]: '1146' },
      },
      { name: 'SELECT', clientError: undefined, without: [STATUS, COLLECTION] },
    ],
  },
  {
    name: 'an error in the middle of the rows',
    conversation: [
      ...opened(),
      query('SELECT id FROM items'),
      server(bytes(packet(1, 1), column(2, 'id'), eof(3), packet(4, text('1')), error(5, 1317, 'interrupted'))),
      client(packet(0, 0x0e)),
      server(ok(1)),
    ],
    expected: [LOGGED_IN, { name: 'SELECT shop.items', clientError: '1317' }, { name: 'PING' }],
  },
  {
    name: 'several statements, several results',
    conversation: [
      ...opened(LOGIN | CAPABILITIES.multiResults),
      query('SELECT id, name FROM items; UPDATE items SET name = 5; SELECT id, name FROM orders'),
      server(bytes(resultSet(ROWS, { status: 0x000a }), ok(7, 0x000a, 1), resultSet(ROWS, { first: 8 }))),
      query('SELECT 1'),
      server(resultSet([['1', '1']])),
    ],
    expected: [
      LOGGED_IN,
      { name: 'SELECT shop.items UPDATE SELECT shop.orders', without: [COLLECTION] },
      { name: 'SELECT' },
    ],
  },
  {
    name: 'prepared statements',
    conversation: [
      ...opened(),
      prepare('SELECT name FROM items WHERE id = ?'),
      server(prepared(7, 1, 1)),
      execute(7),
      server(resultSet(ROWS)),
      client(packet(0, 0x18, int(7, 4), int(0, 2), 'a long value')),
      client(packet(0, 0x1a, int(7, 4))),
      server(ok(1)),
      client(packet(0, 0x19, int(7, 4))),
      query('COMMIT'),
      server(ok(1)),
    ],
    expected: [
      LOGGED_IN,
      {
        name: 'PREPARE SELECT shop.items',
        attributes: { [OPERATION]: 'PREPARE', [TEXT]: 'SELECT name FROM items WHERE id = ?' },
      },
      {
        name: 'SELECT shop.items',
        attributes: { [OPERATION]: 'SELECT', [TEXT]: 'SELECT name FROM items WHERE id = ?' },
        truncated: false,
      },
      { name: 'SEND LONG DATA', housekeeping: true, shape: 'message' },
      { name: 'RESET STATEMENT', housekeeping: true },
      { name: 'CLOSE STATEMENT', housekeeping: true },
      { name: 'COMMIT' },
    ],
  },
  {
    name: 'prepared statements without EOF packets',
    conversation: [
      ...opened(DEPRECATE),
      prepare('INSERT INTO items VALUES (?, ?)'),
      server(prepared(1, 2, 0, true)),
      prepare('SELECT 1'),
      server(prepared(2, 0, 1, true)),
      execute(1),
      server(ok(1)),
      prepare('COMMIT'),
      server(prepared(3, 0, 0, true)),
    ],
    expected: [
      LOGGED_IN,
      { name: 'PREPARE INSERT shop.items' },
      { name: 'PREPARE SELECT' },
      { name: 'INSERT shop.items' },
      { name: 'PREPARE COMMIT' },
    ],
  },
  {
    name: 'a cursor whose rows are fetched',
    conversation: [
      ...opened(),
      prepare('SELECT id FROM items'),
      server(prepared(1, 0, 1)),
      client(packet(0, 0x17, int(1, 4), 1, int(1, 4))),
      server(bytes(packet(1, 1), column(2, 'id'), eof(3, 0x0042))),
      client(packet(0, 0x1c, int(1, 4), int(2, 4))),
      server(bytes(packet(1, 0, 0, 5), packet(2, 0, 0, 6), eof(3, 0x0082))),
    ],
    expected: [
      LOGGED_IN,
      { name: 'PREPARE SELECT shop.items' },
      { name: 'SELECT shop.items' },
      { name: 'FETCH SELECT shop.items', attributes: { [OPERATION]: 'FETCH' } },
    ],
  },
  {
    name: 'commands sent before the answers came',
    conversation: [
      ...opened(),
      // MariaDB's "execute directly": the statement that is prepared in the same breath has the id -1.
      client(bytes(prepare('SELECT id, name FROM items').bytes, execute(0xffffffff).bytes)),
      server(bytes(prepared(3, 0, 2), resultSet(ROWS))),
      client(bytes(query('COMMIT').bytes, packet(0, 0x0e))),
      server(bytes(ok(1), ok(1))),
    ],
    expected: [
      LOGGED_IN,
      { name: 'PREPARE SELECT shop.items' },
      { name: 'SELECT shop.items', truncated: false },
      { name: 'COMMIT' },
      { name: 'PING' },
    ],
  },
  {
    name: 'the schema changes',
    conversation: [
      ...opened(LOGIN & ~CAPABILITIES.database),
      query('SELECT id, name FROM items'),
      server(error(1, 1046, 'No database selected')),
      client(packet(0, 0x02, 'stock')),
      server(ok(1)),
      query('SELECT id, name FROM items'),
      server(resultSet(ROWS)),
      query('USE `nowhere`'),
      server(error(1, 1049, "Unknown database 'nowhere'")),
      query('DELETE FROM items WHERE id IN (1, 2, 3)'),
      server(ok(1)),
      query('USE `books`'),
      server(ok(1)),
      query('SELECT i.id, o.id FROM items i JOIN shop.orders o'),
      server(resultSet(ROWS)),
    ],
    expected: [
      LOGGED_IN,
      { name: 'SELECT items', without: [NAMESPACE] },
      { name: 'USE stock', attributes: { [OPERATION]: 'USE' } },
      { name: 'SELECT stock.items' },
      { name: 'USE', clientError: '1049' },
      { name: 'DELETE stock.items', attributes: { [TEXT]: 'DELETE FROM items WHERE id IN (?)' } },
      { name: 'USE' },
      { name: 'SELECT books.items shop.orders', attributes: { [NAMESPACE]: 'books' } },
    ],
  },
  {
    name: 'another user on the same connection',
    conversation: [
      ...opened(),
      client(packet(0, 0x11, 'other', 0, 4, 'HASH', 'stock', 0, int(45, 2), 'mysql_native_password', 0)),
      server(packet(1, 0xfe, 'caching_sha2_password', 0, 'abcdefghijklmnopqrst', 0)),
      client(packet(2, 'SECRET')),
      server(bytes(packet(3, 1, 3), ok(4))),
      query('SELECT id, name FROM items'),
      server(resultSet(ROWS)),
    ],
    expected: [LOGGED_IN, { name: 'CHANGE USER', housekeeping: true }, { name: 'SELECT stock.items' }],
  },
  {
    name: 'a login that is refused',
    conversation: [greeting(MARIADB), login(LOGIN), server(error(2, 1045, 'Access denied'), true)],
    expected: [
      {
        name: 'LOGIN',
        housekeeping: true,
        clientError: '1045',
        end: greeting(MARIADB).bytes.length + error(2, 1045, 'Access denied').length,
      },
    ],
  },
  {
    name: 'authentication in several steps',
    conversation: [
      greeting('8.0.36'),
      login(LOGIN),
      server(packet(2, 0xfe, 'caching_sha2_password', 0, 'abcdefghijklmnopqrst', 0)),
      client(packet(3, 'SECRETSECRETSECRETSECRETSECRETSE')),
      server(packet(4, 1, 4)),
      client(packet(5, 'SECRET', 0)),
      server(ok(6)),
      query('SELECT id, name FROM items'),
      server(resultSet(ROWS)),
    ],
    expected: [LOGGED_IN, { name: 'SELECT shop.items' }],
  },
  {
    name: 'a file that the client sends',
    conversation: [
      ...opened(),
      query("LOAD DATA LOCAL INFILE '/tmp/x' INTO TABLE items"),
      server(packet(1, 0xfb, '/tmp/x')),
      client(packet(2, '1,one\n2,two\n')),
      client(packet(3, '3,three\n')),
      client(packet(4)),
      server(ok(5, 2, 3)),
      query('COMMIT'),
      server(ok(1)),
    ],
    expected: [
      LOGGED_IN,
      { name: 'LOAD shop.items', attributes: { [TEXT]: 'LOAD DATA LOCAL INFILE ? INTO TABLE items' } },
      { name: 'COMMIT' },
    ],
  },
  {
    name: 'progress that MariaDB reports is no error',
    conversation: [
      ...opened(LOGIN, MARIADB),
      query('ALTER TABLE items ADD x INT'),
      server(packet(1, 0xff, int(0xffff, 2), 1, 1, 2, int(50_000, 3), text('copy to tmp table'))),
      server(bytes(packet(2, 0xff, int(0xffff, 2), 1, 2, 2, int(50_000, 3), text('Enabling keys')), ok(3))),
    ],
    expected: [LOGGED_IN, { name: 'ALTER TABLE shop.items', clientError: undefined }],
  },
  {
    name: 'query attributes stand before the text',
    conversation: [
      ...opened(ATTRIBUTES),
      client(packet(0, 3, 0, 1, 'SELECT id, name FROM items')),
      server(resultSet(ROWS)),
      client(
        packet(
          0,
          3,
          ...[2, 1, 0, 1],
          int(8, 2),
          text('n'),
          int(0xfe, 2),
          text('traceparent'),
          int(5, 8),
          text('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
          'SELECT id, name FROM orders',
        ),
      ),
      server(resultSet(ROWS)),
    ],
    expected: [
      LOGGED_IN,
      { name: 'SELECT shop.items', contentKeys: [] },
      {
        name: 'SELECT shop.orders',
        contentKeys: [
          { type: 'traceparent', value: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', scope: 'one' },
        ],
      },
    ],
  },
  {
    name: 'the rest of the commands',
    conversation: [
      ...opened(),
      client(packet(0, 0x09)),
      server(packet(1, 'Uptime: 11  Threads: 1')),
      client(packet(0, 0x04, 'items', 0)),
      server(bytes(column(1, 'id'), column(2, 'name'), eof(3))),
      client(packet(0, 0x1b, int(0, 2))),
      server(eof(1)),
      client(packet(0, 0x1f)),
      server(ok(1)),
      client(packet(0, 0x01), true),
    ],
    expected: [
      LOGGED_IN,
      { name: 'STATISTICS' },
      { name: 'FIELD LIST' },
      { name: 'SET OPTION', housekeeping: true },
      { name: 'RESET CONNECTION', housekeeping: true },
      { name: 'QUIT', housekeeping: true, shape: 'message' },
    ],
  },
  {
    name: 'joined in the middle, EOF packets',
    joined: true,
    conversation: [
      query('SELECT id, name FROM shop.items'),
      server(resultSet(ROWS)),
      prepare('SELECT name FROM items WHERE id = ?'),
      server(prepared(7, 1, 1)),
      execute(7),
      server(resultSet(ROWS)),
      execute(8),
      server(resultSet(ROWS)),
    ],
    expected: [
      { name: 'SELECT shop.items', attributes: { [SYSTEM]: 'mysql' } },
      { name: 'PREPARE SELECT items' },
      { name: 'SELECT items', truncated: false },
      { name: 'EXECUTE', truncated: true },
    ],
  },
  {
    name: 'joined in the middle, no EOF packets',
    joined: true,
    conversation: [
      client(packet(0, 3, 0, 1, 'SELECT id, name FROM items')),
      server(resultSet(ROWS, { deprecateEof: true })),
      prepare('SELECT name FROM items WHERE id = ?'),
      server(prepared(7, 1, 1, true)),
      execute(7),
      server(resultSet(ROWS, { deprecateEof: true })),
    ],
    expected: [{ name: 'SELECT items' }, { name: 'PREPARE SELECT items' }, { name: 'SELECT items' }],
  },
  {
    name: 'joined before a statement is prepared: the EOF behind its definitions belongs to it',
    joined: true,
    conversation: [
      prepare('INSERT INTO items VALUES (?)'),
      server(prepared(7, 1, 0)),
      execute(7),
      server(ok(1)),
      client(packet(0, 0x0e)),
      server(ok(1)),
    ],
    expected: [{ name: 'PREPARE INSERT items' }, { name: 'INSERT items' }, { name: 'PING' }],
  },
  {
    name: 'encryption begins',
    conversation: [
      greeting('8.0.36'),
      client(packet(1, int(LOGIN | CAPABILITIES.ssl, 4), int(0x1000000, 4), 45, new Uint8Array(23))),
      client('\x16\x03\x01\x00\x05hello'),
    ],
    expected: [],
    failed: true,
  },
  {
    name: 'compression begins',
    conversation: [...opened(LOGIN | CAPABILITIES.compress), client('\x10\x00\x00\x00\x00\x00\x00junk')],
    expected: [LOGGED_IN],
    failed: true,
  },
  {
    name: 'an answer that does not come',
    conversation: [...opened(), query('SELECT SLEEP(5)')],
    expected: [LOGGED_IN, { name: 'SELECT', abandoned: true, responseBegin: undefined }],
  },
  {
    name: 'rows without number',
    conversation: [
      ...opened(),
      query('SELECT id, name FROM items'),
      server(
        resultSet(
          Array.from({ length: 600 }, (_, k): [string, string] => [String(k), `name ${'x'.repeat(k % 40)} ${k}`]),
          { deprecateEof: false },
        ),
      ),
      query('COMMIT'),
      server(ok(1)),
      query('SELECT id, name FROM items WHERE id = 1'),
      server(bytes(packet(1, 2), column(2, 'id'), column(3, 'name'), okAsEof(4))),
    ],
    expected: [LOGGED_IN, { name: 'SELECT shop.items' }, { name: 'COMMIT' }, { name: 'SELECT shop.items' }],
  },
]
