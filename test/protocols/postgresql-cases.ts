import { Attribute } from '../../src/protocols/attribute-names.js'
import { postgresql } from '../../src/protocols/postgresql/index.js'
import { type Call, type CodecCase, client, type ExpectedExchange, server } from './harness.js'
import {
  bind,
  bound,
  bytes,
  cancelRequest,
  closed,
  closeStatement,
  complete,
  copyData,
  copyDone,
  copyIn,
  copyOut,
  describe,
  emptyQuery,
  error,
  execute,
  flush,
  gssRequest,
  message,
  noData,
  notice,
  parameter,
  parameters,
  parse,
  parsed,
  query,
  ready,
  row,
  rowDescription,
  sslRequest,
  startup,
  suspended,
  sync,
  terminate,
  welcome,
} from './postgresql-messages.js'

export const module = postgresql

const opened: readonly Call[] = [client(startup()), server(welcome)]
const LOGIN: ExpectedExchange = { name: 'LOGIN', housekeeping: true, clientError: undefined }
const TERMINATE: ExpectedExchange = { name: 'TERMINATE', housekeeping: true }
const rows = bytes(rowDescription('id', 'name'), row('1', 'one'), row('2', 'two'), complete('SELECT 2'))
const bare = bytes(row('1', 'one'), row('2', 'two'), complete('SELECT 2'))

export const cases: CodecCase[] = [
  {
    name: 'login and a simple query',
    conversation: [
      ...opened,
      client(query("SELECT name FROM items WHERE id = 42 AND owner = 'secret'")),
      server(bytes(rows, ready())),
      client(terminate, true),
    ],
    expected: [
      { ...LOGIN, begin: 0, requestEnd: startup().length, responseBegin: 0, end: welcome.length },
      {
        name: 'SELECT items',
        initiator: 'client',
        shape: 'call',
        housekeeping: false,
        truncated: false,
        begin: startup().length,
        responseBegin: welcome.length,
        end: welcome.length + rows.length + ready().length,
        attributes: {
          [Attribute.dbSystemName]: 'postgresql',
          [Attribute.dbNamespace]: 'shop',
          [Attribute.dbOperationName]: 'SELECT',
          [Attribute.dbCollectionName]: 'items',
          [Attribute.dbQueryText]: 'SELECT name FROM items WHERE id = ? AND owner = ?',
          [Attribute.dbQuerySummary]: 'SELECT items',
          [Attribute.dbResponseReturnedRows]: 2,
        },
      },
      TERMINATE,
    ],
  },
  {
    name: 'encryption is asked for and refused; a password; settings and notices between answers',
    conversation: [
      client(gssRequest),
      server('N'),
      client(sslRequest),
      server('N'),
      client(startup()),
      server(message('R', [0, 0, 0, 5], 'salt')),
      client(message('p', 'md5secret\0')),
      server(welcome),
      client(query('SET client_min_messages = notice')),
      server(bytes(notice, parameter('application_name', 'x'), complete('SET'), ready())),
    ],
    expected: [
      { name: 'GSS REQUEST', housekeeping: true, end: 1 },
      { name: 'SSL REQUEST', housekeeping: true, end: 2 },
      LOGIN,
      { name: 'SET', housekeeping: false, clientError: undefined },
    ],
  },
  {
    name: 'TLS begins',
    conversation: [client(sslRequest), server('S'), client('\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03')],
    expected: [{ name: 'SSL REQUEST', housekeeping: true, end: 1 }],
    failed: true,
  },
  {
    name: 'a cancel request is a message of its own',
    conversation: [client(cancelRequest), server('', true)],
    expected: [{ name: 'CANCEL', shape: 'message', housekeeping: false, begin: 0, end: 16 }],
  },
  {
    name: 'a login that fails',
    conversation: [client(startup()), server(error('28P01', 'FATAL'), true)],
    expected: [{ name: 'LOGIN', clientError: '28P01', end: error('28P01', 'FATAL').length }],
  },
  {
    name: 'errors, several statements in one query, an empty one',
    conversation: [
      ...opened,
      client(query("SELECT * FROM nothing WHERE a = 'secret'")),
      server(bytes(error('42P01'), ready())),
      client(query("BEGIN; INSERT INTO a VALUES (1, 'x'); SELECT * FROM b; COMMIT")),
      server(bytes(complete('BEGIN'), complete('INSERT 0 1'), rows, complete('COMMIT'), ready())),
      client(query('')),
      server(bytes(emptyQuery, ready())),
    ],
    expected: [
      LOGIN,
      {
        name: 'SELECT nothing',
        clientError: '42P01',
        serverError: '42P01',
        attributes: { [Attribute.dbResponseStatusCode]: '42P01', [Attribute.errorType]: '42P01' },
      },
      {
        name: 'BEGIN INSERT a SELECT b COMMIT',
        attributes: { [Attribute.dbQueryText]: 'BEGIN; INSERT INTO a VALUES (?, ?); SELECT * FROM b; COMMIT' },
      },
      { name: 'QUERY', clientError: undefined },
    ],
  },
  {
    name: 'parse, bind, describe, execute and sync in one breath are one operation',
    conversation: [
      ...opened,
      client(bytes(parse('SELECT * FROM items WHERE id = $1'), bind(['42']), describe('P'), execute(), sync)),
      server(bytes(parsed, bound, rows, ready())),
    ],
    expected: [
      LOGIN,
      {
        name: 'SELECT items',
        begin: startup().length,
        responseBegin: welcome.length,
        end: welcome.length + parsed.length + bound.length + rows.length + ready().length,
        attributes: {
          [Attribute.dbOperationName]: 'SELECT',
          [Attribute.dbQueryText]: 'SELECT * FROM items WHERE id = ?',
          [Attribute.dbResponseReturnedRows]: 2,
        },
      },
    ],
  },
  {
    name: 'a statement is prepared, executed twice, fetched in parts and closed',
    conversation: [
      ...opened,
      client(bytes(parse('SELECT * FROM items WHERE id < $1', 's1'), describe('S', 's1'), flush)),
      server(bytes(parsed, parameters(23), rowDescription('id', 'name'))),
      client(bytes(bind(['1'], 's1'), execute(), sync)),
      server(bytes(bound, bare, ready())),
      client(bytes(bind(['9'], 's1', 'c1'), execute('c1', 1), sync)),
      server(bytes(bound, row('1', 'one'), suspended, ready('T'))),
      client(bytes(execute('c1', 1), sync)),
      server(bytes(row('2', 'two'), complete('SELECT 1'), ready('T'))),
      client(bytes(closeStatement('s1'), sync)),
      server(bytes(closed, ready())),
      client(bytes(bind([], 's1'), execute(), sync)),
      server(bytes(error('26000'), ready())),
    ],
    expected: [
      LOGIN,
      { name: 'PREPARE SELECT items', attributes: { [Attribute.dbOperationName]: 'PREPARE' } },
      { name: 'SELECT items', truncated: false, attributes: { [Attribute.dbOperationName]: 'SELECT' } },
      { name: 'SELECT items' },
      { name: 'FETCH SELECT items', attributes: { [Attribute.dbOperationName]: 'FETCH' } },
      { name: 'EXECUTE', truncated: true, clientError: '26000' },
    ],
  },
  {
    name: 'a pipeline: each execution ends with its own answer, an error passes over the rest up to the sync',
    conversation: [
      ...opened,
      client(
        bytes(
          parse('INSERT INTO a VALUES ($1)', 'i'),
          bind(['1'], 'i'),
          execute(),
          bind(['2'], 'i'),
          execute(),
          parse('SELECT 1 FROM b'),
          bind([]),
          describe('P'),
          execute(),
          sync,
          bind(['3'], 'i'),
          execute(),
          sync,
        ),
      ),
      server(bytes(parsed, bound, complete('INSERT 0 1'))),
      server(bytes(bound, error('23505'), ready())),
      server(bytes(bound, complete('INSERT 0 1'), ready())),
    ],
    expected: [
      LOGIN,
      {
        name: 'INSERT a',
        clientError: undefined,
        end: welcome.length + parsed.length + bound.length + complete('INSERT 0 1').length,
      },
      { name: 'INSERT a', clientError: '23505' },
      { name: 'SELECT b', abandoned: true },
      { name: 'INSERT a', clientError: undefined },
    ],
  },
  {
    name: 'a constraint that fails when the transaction ends',
    conversation: [
      ...opened,
      client(bytes(parse('INSERT INTO a VALUES (1)'), bind([]), execute(), sync)),
      server(bytes(parsed, bound, complete('INSERT 0 1'), error('23503'), ready())),
    ],
    expected: [LOGIN, { name: 'INSERT a', clientError: '23503' }],
  },
  {
    name: 'copy in and out, a function call',
    conversation: [
      ...opened,
      client(query('COPY items (id, name) FROM STDIN')),
      server(copyIn),
      client(bytes(copyData('1\tsecret\n'), copyData('2\tsecret\n'))),
      client(copyDone),
      server(bytes(complete('COPY 2'), ready())),
      client(query("COPY (SELECT * FROM items WHERE name = 'secret') TO STDOUT")),
      server(bytes(copyOut, copyData('1\tsecret\n'), copyData('2\tsecret\n'), copyDone, complete('COPY 2'), ready())),
      client(message('F', [0, 0, 4, 0xd2], [0, 0], [0, 0], [0, 0])),
      server(bytes(message('V', [0, 0, 0, 1], 'x'), ready())),
    ],
    expected: [
      LOGIN,
      { name: 'COPY items', clientError: undefined, attributes: { [Attribute.dbCollectionName]: 'items' } },
      {
        name: 'COPY SELECT items',
        attributes: { [Attribute.dbQueryText]: 'COPY (SELECT * FROM items WHERE name = ?) TO STDOUT' },
      },
      { name: 'FUNCTION CALL', clientError: undefined },
    ],
  },
  {
    name: 'a traceparent in a comment',
    conversation: [
      ...opened,
      client(query("SELECT 1 /*traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'*/")),
      server(bytes(rows, ready())),
    ],
    expected: [
      LOGIN,
      {
        name: 'SELECT',
        contentKeys: [
          { type: 'traceparent', value: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', scope: 'one' },
        ],
      },
    ],
  },
  {
    name: 'strings with backslashes where the server says so',
    conversation: [
      ...opened,
      client(query('SET standard_conforming_strings = off')),
      server(bytes(parameter('standard_conforming_strings', 'off'), complete('SET'), ready())),
      client(query("SELECT 'a\\' , secret, '")),
      server(bytes(rows, ready())),
    ],
    expected: [LOGIN, { name: 'SET' }, { name: 'SELECT', attributes: { [Attribute.dbQueryText]: 'SELECT ?' } }],
  },
  {
    name: 'joined in the middle of a connection',
    joined: true,
    conversation: [
      client(bytes(bind(['1'], 's7'), execute(), sync)),
      server(bytes(bound, bare, ready())),
      client(query('UPDATE items SET a = 1')),
      server(bytes(complete('UPDATE 1'), ready())),
    ],
    expected: [
      { name: 'EXECUTE', truncated: true, clientError: undefined },
      { name: 'UPDATE items', truncated: false },
    ],
  },
  {
    name: 'no statement: describe alone',
    conversation: [...opened, client(bytes(describe('S', 'gone'), sync)), server(bytes(noData, ready()))],
    expected: [LOGIN, { name: 'DESCRIBE', housekeeping: true }],
  },
]
