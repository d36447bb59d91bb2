import { Attribute } from '../../src/protocols/attribute-names.js'
import { keyHash } from '../../src/protocols/key-hash.js'
import { memcachedBinary } from '../../src/protocols/memcached-binary/index.js'
import { type CodecCase, client, server } from './harness.js'

export const module = memcachedBinary

interface Parts {
  readonly key?: string
  readonly extras?: number
  readonly value?: string
  readonly status?: number
  readonly opaque?: number
}

function packet(magic: number, opcode: number, { key = '', extras = 0, value = '', status = 0, opaque = 0 }: Parts) {
  const bytes = Buffer.alloc(24 + extras + key.length + value.length)
  bytes[0] = magic
  bytes[1] = opcode
  bytes.writeUInt16BE(key.length, 2)
  bytes[4] = extras
  bytes.writeUInt16BE(status, 6)
  bytes.writeUInt32BE(extras + key.length + value.length, 8)
  bytes.writeUInt32BE(opaque, 12)
  bytes.write(key + value, 24 + extras, 'latin1')
  return new Uint8Array(bytes)
}
const ask = (opcode: number, parts: Parts = {}): Uint8Array => packet(0x80, opcode, parts)
const reply = (opcode: number, parts: Parts = {}): Uint8Array => packet(0x81, opcode, parts)
const joined = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
const hashed = (key: string): string => keyHash(Buffer.from(key), 0, key.length)

const HIT = Attribute.ghostspanCacheHit
const STATUS = Attribute.dbResponseStatusCode
const KEY = Attribute.ghostspanDbKeyHash

export const cases: CodecCase[] = [
  {
    name: 'a set, a hit and a miss',
    conversation: [
      client(ask(1, { key: 'user:1', extras: 8, value: 'secret' })),
      server(reply(1)),
      client(ask(0, { key: 'user:1' })),
      server(reply(0, { extras: 4, value: 'secret' })),
      client(ask(0, { key: 'nope' })),
      server(reply(0, { status: 1, value: 'Not found' })),
    ],
    expected: [
      {
        name: 'set',
        initiator: 'client',
        shape: 'call',
        housekeeping: false,
        truncated: false,
        begin: 0,
        requestEnd: 44,
        responseBegin: 0,
        end: 24,
        attributes: {
          [Attribute.dbSystemName]: 'memcached',
          [Attribute.dbOperationName]: 'set',
          [Attribute.dbQueryText]: 'set ?',
          [KEY]: hashed('user:1'),
        },
        without: [STATUS, HIT],
      },
      { name: 'get', begin: 44, end: 58, attributes: { [HIT]: true, [KEY]: hashed('user:1') }, without: [STATUS] },
      { name: 'get', begin: 74, end: 91, attributes: { [HIT]: false }, clientError: undefined, without: [STATUS] },
    ],
  },
  {
    name: 'quiet gets with a no-op behind them: silence is a miss',
    conversation: [
      client(
        joined(
          ask(0x0d, { key: 'a', opaque: 1 }),
          ask(0x0d, { key: 'b', opaque: 2 }),
          ask(0x0d, { key: 'c', opaque: 3 }),
          ask(0x0a, { opaque: 4 }),
        ),
      ),
      server(joined(reply(0x0d, { key: 'b', extras: 4, value: 'x', opaque: 2 }), reply(0x0a, { opaque: 4 }))),
    ],
    expected: [
      { name: 'get', shape: 'call', begin: 0, attributes: { [HIT]: false, [KEY]: hashed('a') } },
      { name: 'get', begin: 25, end: 30, attributes: { [HIT]: true, [KEY]: hashed('b') } },
      { name: 'get', begin: 50, attributes: { [HIT]: false, [KEY]: hashed('c') } },
      { name: 'noop', begin: 75, end: 54, housekeeping: true },
    ],
  },
  {
    name: 'quiet stores are messages, one that is refused answers nobody else',
    conversation: [
      client(joined(ask(0x11, { key: 'k', extras: 8, opaque: 7 }), ask(0x12, { key: 'k', extras: 8, opaque: 8 }))),
      client(ask(0x04, { key: 'k', opaque: 9 })),
      server(joined(reply(0x12, { status: 2, opaque: 8 }), reply(0x04, { opaque: 9 }))),
    ],
    expected: [
      { name: 'set', shape: 'message', end: 33 },
      { name: 'add', shape: 'message', end: 66 },
      { name: 'delete', shape: 'call', begin: 66, responseBegin: 24, end: 48 },
    ],
  },
  {
    name: 'refusals, faults, numbers',
    conversation: [
      client(ask(2, { key: 'k', extras: 8 })),
      server(reply(2, { status: 2, value: 'Data exists for key.' })),
      client(ask(5, { key: 'n', extras: 20 })),
      server(reply(5, { value: '12345678' })),
      client(ask(5, { key: 'k', extras: 20 })),
      server(reply(5, { status: 6, value: 'Non-numeric' })),
      client(ask(1, { key: 'k', extras: 8 })),
      server(reply(1, { status: 0x82 })),
    ],
    expected: [
      { name: 'add', attributes: { [STATUS]: 'EXISTS' }, clientError: undefined },
      { name: 'incr', without: [STATUS] },
      { name: 'incr', clientError: 'NON_NUMERIC', serverError: undefined },
      { name: 'set', clientError: 'OUT_OF_MEMORY', serverError: 'OUT_OF_MEMORY' },
    ],
  },
  {
    name: 'statistics, a login, the end',
    conversation: [
      client(ask(0x21, { key: 'PLAIN', value: '\0user\0password' })),
      server(reply(0x21, { value: 'Authenticated' })),
      client(ask(0x10)),
      server(joined(reply(0x10, { key: 'pid', value: '1' }), reply(0x10, { key: 'uptime', value: '2' }), reply(0x10))),
      client(ask(0x17)),
    ],
    expected: [
      { name: 'sasl_auth', housekeeping: true, without: [KEY] },
      { name: 'stats', responseBegin: 37, end: 120 },
      { name: 'quit', shape: 'message', housekeeping: true },
    ],
  },
  {
    name: 'met between two operations',
    joined: true,
    conversation: [client(ask(0, { key: 'k', opaque: 5 })), server(reply(0, { extras: 4, value: 'v', opaque: 5 }))],
    expected: [{ name: 'get', attributes: { [HIT]: true } }],
  },
  {
    name: 'no answer',
    conversation: [client(ask(0, { key: 'k' }))],
    expected: [{ name: 'get', abandoned: true }],
  },
]
