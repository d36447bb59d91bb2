import { deflateSync } from 'node:zlib'
import { Attribute } from '../../src/protocols/attribute-names.js'
import { mysqlCompressed } from '../../src/protocols/mysql-compressed/index.js'
import { type CodecCase, client, server } from './harness.js'
import { int, packet } from './mysql-packets.js'

export const module = mysqlCompressed

/** As it is, or compressed. */
const frame = (sequence: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([...int(content.length, 3), sequence, 0, 0, 0]), content])
const packed = (sequence: number, content: Buffer): Buffer => {
  const bytes = deflateSync(content)
  return Buffer.concat([Buffer.from([...int(bytes.length, 3), sequence, ...int(content.length, 3)]), bytes])
}

const query = (sql: string): Buffer => packet(0, 3, sql)
const OK = packet(1, 0, 1, 0, 2, 0, 0, 0)
const LONG = `SELECT id, name FROM items WHERE name = 'secret' AND id IN (${'1, '.repeat(60)}1)`
const definition = packet(
  2,
  3,
  'def',
  4,
  'shop',
  5,
  'items',
  5,
  'items',
  2,
  'id',
  2,
  'id',
  12,
  int(63, 2),
  int(11, 4),
  3,
  0,
  0,
  0,
  0,
  0,
)
const RESULT = Buffer.concat([
  packet(1, 1),
  definition,
  packet(3, 0xfe, 0, 0, 2, 0),
  ...Array.from({ length: 40 }, (_, k) => packet(4 + k, 6, 'secret')),
  packet(44, 0xfe, 0, 0, 2, 0),
])

export const cases: CodecCase[] = [
  {
    name: 'a statement as it is and one that is compressed',
    conversation: [
      client(frame(0, query('UPDATE items SET name = 1'))),
      server(frame(1, OK)),
      client(packed(0, query(LONG))),
      server(packed(1, RESULT)),
    ],
    expected: [
      {
        name: 'UPDATE items',
        begin: 0,
        requestEnd: 37,
        responseBegin: 0,
        end: 18,
        truncated: false,
        attributes: { [Attribute.dbSystemName]: 'mysql', [Attribute.dbQueryText]: 'UPDATE items SET name = ?' },
      },
      {
        name: 'SELECT items',
        begin: 37,
        responseBegin: 18,
        end: 18 + packed(1, RESULT).length,
        truncated: false,
        attributes: { [Attribute.dbCollectionName]: 'items' },
      },
    ],
  },
  {
    name: 'an error; an answer in several frames',
    conversation: [
      client(frame(0, query('SELECT 1 FROM gone'))),
      server(frame(1, packet(1, 0xff, int(1146, 2), '#42S02', "Table 'shop.gone' doesn't exist"))),
      client(frame(0, query('SELECT id FROM items'))),
      server(packed(1, RESULT.subarray(0, 300))),
      server(packed(2, RESULT.subarray(300))),
    ],
    expected: [
      { name: 'SELECT gone', clientError: '1146' },
      { name: 'SELECT items', truncated: false },
    ],
  },
  {
    name: 'met between two statements',
    joined: true,
    conversation: [client(packed(0, query(LONG))), server(packed(1, RESULT))],
    expected: [{ name: 'SELECT items', truncated: false }],
  },
]
