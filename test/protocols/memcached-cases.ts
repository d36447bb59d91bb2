import { Attribute } from '../../src/protocols/attribute-names.js'
import { keyHash } from '../../src/protocols/key-hash.js'
import { memcached } from '../../src/protocols/memcached/index.js'
import { type CodecCase, client, server } from './harness.js'

export const module = memcached

const hashed = (key: string): string => keyHash(Buffer.from(key), 0, Buffer.byteLength(key))

const KEY = Attribute.ghostspanDbKeyHash
const HIT = Attribute.ghostspanCacheHit
const HITS = Attribute.ghostspanCacheHits
const BATCH = Attribute.dbOperationBatchSize
const STATUS = Attribute.dbResponseStatusCode
const TEXT = Attribute.dbQueryText

const TEXT_PROTOCOL: CodecCase[] = [
  {
    name: 'a hit',
    conversation: [client('get user:4711\r\n'), server('VALUE user:4711 0 6\r\nsecret\r\nEND\r\n')],
    expected: [
      {
        name: 'get',
        initiator: 'client',
        shape: 'call',
        housekeeping: false,
        truncated: false,
        begin: 0,
        requestEnd: 15,
        responseBegin: 0,
        end: 34,
        attributes: {
          [Attribute.dbSystemName]: 'memcached',
          [Attribute.dbOperationName]: 'get',
          [TEXT]: 'get ?',
          [KEY]: hashed('user:4711'),
          [HIT]: true,
        },
        without: [BATCH, HITS, STATUS],
      },
    ],
  },
  {
    name: 'a miss',
    conversation: [client('gets k\r\n'), server('END\r\n'), client('get k\n'), server('END\r\n')],
    expected: [
      { name: 'gets', end: 5, attributes: { [HIT]: false }, clientError: undefined },
      { name: 'get', begin: 8, end: 10, attributes: { [HIT]: false } },
    ],
  },
  {
    name: 'several keys, some of them found',
    conversation: [
      client('get a b c\r\n'),
      server('VALUE a 1 2\r\nxx\r\nVALUE c 0 0\r\n\r\nEND\r\n'),
      client('gat 60 a b\r\n'),
      server('VALUE a 1 2 99\r\nxx\r\nVALUE b 1 2 98\r\nxx\r\nEND\r\n'),
    ],
    expected: [
      { name: 'get', attributes: { [HIT]: false, [HITS]: 2, [BATCH]: 3, [KEY]: hashed('a') } },
      { name: 'gat', attributes: { [HIT]: true, [HITS]: 2, [BATCH]: 2, [KEY]: hashed('a') } },
    ],
  },
  {
    name: 'so many keys that the line is not kept',
    conversation: [
      client(`get ${Array.from({ length: 400 }, (_, i) => `key:${i}`).join(' ')}\r\n`),
      server('VALUE key:3 0 1\r\n1\r\nEND\r\n'),
      client('get k\r\n'),
      server('END\r\n'),
    ],
    expected: [
      {
        name: 'get',
        truncated: false,
        attributes: { [BATCH]: 400, [HITS]: 1, [HIT]: false, [KEY]: hashed('key:0') },
      },
      { name: 'get' },
    ],
  },
  {
    name: 'values that look like answers and commands',
    conversation: [
      client('set k 0 0 18\r\nget a\r\nget b c\r\n\r\n\r\n'),
      server('STORED\r\n'),
      client('get k\r\n'),
      server('VALUE k 0 18\r\nEND\r\nVALUE x 0 1\r\n\r\nEND\r\n'),
    ],
    expected: [
      { name: 'set', requestEnd: 34, end: 8 },
      { name: 'get', begin: 34, end: 47, attributes: { [HIT]: true } },
    ],
  },
  {
    name: 'storing and its refusals',
    conversation: [
      client('set k 5 3600 2\r\nhi\r\n'),
      server('STORED\r\n'),
      client('add k 0 0 2\r\nho\r\n'),
      server('NOT_STORED\r\n'),
      client('cas k 0 0 2 77\r\nho\r\n'),
      server('EXISTS\r\n'),
      client('append nope 0 0 0\r\n\r\n'),
      server('NOT_FOUND\r\n'),
    ],
    expected: [
      { name: 'set', attributes: { [TEXT]: 'set ? ? ? ?', [KEY]: hashed('k') }, without: [STATUS, HIT] },
      { name: 'add', attributes: { [STATUS]: 'NOT_STORED' }, clientError: undefined },
      { name: 'cas', attributes: { [STATUS]: 'EXISTS' } },
      { name: 'append', attributes: { [STATUS]: 'NOT_FOUND' } },
    ],
  },
  {
    name: 'the other commands',
    conversation: [
      client('delete k\r\n'),
      server('DELETED\r\n'),
      client('incr n 2\r\n'),
      server('44\r\n'),
      client('decr n 2\r\n'),
      server('NOT_FOUND\r\n'),
      client('touch k 60\r\n'),
      server('TOUCHED\r\n'),
      client('flush_all 5\r\n'),
      server('OK\r\n'),
      client('verbosity 1\r\n'),
      server('OK\r\n'),
      client('version\r\n'),
      server('VERSION 1.6.18\r\n'),
      client('stats\r\n'),
      server('STAT pid 1\r\nSTAT version 1.6.18\r\nEND\r\n'),
      client('stats reset\r\n'),
      server('RESET\r\n'),
      client('lru_crawler metadump all\r\n'),
      server('key=a exp=-1 la=1 cas=2\r\nkey=END exp=-1 la=1 cas=3\r\nEND\r\n'),
      client('quit\r\n'),
    ],
    expected: [
      { name: 'delete', without: [HIT] },
      { name: 'incr' },
      { name: 'decr', attributes: { [STATUS]: 'NOT_FOUND' } },
      { name: 'touch', attributes: { [KEY]: hashed('k') } },
      { name: 'flush_all', housekeeping: false },
      { name: 'verbosity', housekeeping: true },
      { name: 'version', housekeeping: true },
      { name: 'stats', responseBegin: 57, end: 95 },
      { name: 'stats', end: 102 },
      { name: 'lru_crawler', end: 159 },
      { name: 'quit', housekeeping: true, abandoned: false },
    ],
  },
  {
    name: 'noreply makes a message',
    conversation: [
      client('set k 0 0 2 noreply\r\nhi\r\ndelete k noreply\r\nincr n 1 noreply\r\nget k\r\n'),
      server('END\r\n'),
    ],
    expected: [
      { name: 'set', shape: 'message', begin: 0, end: 25, responseBegin: undefined },
      { name: 'delete', shape: 'message', begin: 25, end: 43 },
      { name: 'incr', shape: 'message', end: 61 },
      { name: 'get', shape: 'call', responseBegin: 0, end: 5 },
    ],
  },
  {
    name: 'errors',
    conversation: [
      client('incr k 1\r\n'),
      server('CLIENT_ERROR cannot increment or decrement non-numeric value\r\n'),
      client('set k 0 0 2000000\r\n'),
      client('x'.repeat(2_000_000)),
      client('\r\n'),
      server('SERVER_ERROR object too large for cache\r\n'),
      client('get\r\n'),
      server('ERROR\r\n'),
    ].filter(call => call.bytes.length < 1_000_000 || call.sender !== 'client'),
    expected: [
      { name: 'incr', clientError: 'CLIENT_ERROR', serverError: undefined, attributes: { [STATUS]: 'CLIENT_ERROR' } },
      { name: 'set', clientError: 'SERVER_ERROR', serverError: 'SERVER_ERROR' },
    ],
  },
  {
    name: 'pipelined commands are answered in order',
    conversation: [
      client('get a\r\nset b 0 0 1\r\nx\r\nget b c\r\n'),
      server('END\r\nSTORED\r\nVALUE b 0 1\r\nx\r\nEND\r\n'),
    ],
    expected: [
      { name: 'get', end: 5, attributes: { [HIT]: false } },
      { name: 'set', end: 13 },
      { name: 'get', responseBegin: 13, end: 34, attributes: { [HITS]: 1 } },
    ],
  },
  {
    name: 'an answer that never comes',
    conversation: [client('get a\r\n')],
    expected: [{ name: 'get', requestEnd: 7, abandoned: true }],
  },
  {
    name: 'watch turns the connection into a log',
    conversation: [client('watch fetchers\r\n'), server('OK\r\n'), server('ts=1 gid=1 type=item_get key=a\r\n')],
    expected: [{ name: 'watch', housekeeping: true }],
  },
]

const META_PROTOCOL: CodecCase[] = [
  {
    name: 'get, found and not found',
    conversation: [
      client('mg k v t\r\n'),
      server('VA 2 t-1\r\nhi\r\n'),
      client('mg k\r\n'),
      server('HD\r\n'),
      client('mg nope v\r\n'),
      server('EN\r\n'),
    ],
    expected: [
      { name: 'mg', end: 14, attributes: { [HIT]: true, [KEY]: hashed('k'), [TEXT]: 'mg ? ? ?' } },
      { name: 'mg', attributes: { [HIT]: true } },
      { name: 'mg', attributes: { [HIT]: false } },
    ],
  },
  {
    name: 'set, delete, arithmetic, debug, no-op',
    conversation: [
      client('ms k 2 T90\r\nhi\r\n'),
      server('HD\r\n'),
      client('ms k 2 C5\r\nho\r\n'),
      server('EX\r\n'),
      client('ma n v D5\r\n'),
      server('VA 1\r\n7\r\n'),
      client('md nope\r\n'),
      server('NF\r\n'),
      client('me k\r\n'),
      server('ME k exp=-1 la=0 cas=6 fetch=no cls=1 size=61\r\n'),
      client('mn\r\n'),
      server('MN\r\n'),
    ],
    expected: [
      { name: 'ms', requestEnd: 16, attributes: { [KEY]: hashed('k') }, without: [HIT] },
      { name: 'ms', attributes: { [STATUS]: 'EX' }, clientError: undefined },
      { name: 'ma' },
      { name: 'md', attributes: { [STATUS]: 'NF' } },
      { name: 'me' },
      { name: 'mn', housekeeping: true },
    ],
  },
  {
    name: 'quiet gets are told apart by their opaque tokens',
    conversation: [client('mg a v q O1\r\nmg b v q O2\r\nmg c v q O3\r\nmn\r\n'), server('VA 1 O2\r\nx\r\nMN\r\n')],
    expected: [
      { name: 'mg', responseBegin: 0, end: 0, attributes: { [HIT]: false } },
      { name: 'mg', responseBegin: 0, end: 12, attributes: { [HIT]: true } },
      { name: 'mg', responseBegin: 12, end: 12, attributes: { [HIT]: false } },
      { name: 'mn', responseBegin: 12, end: 16 },
    ],
  },
  {
    name: 'quiet gets are told apart by their keys',
    conversation: [client('mg a v k q\r\nmg b v k q\r\nmn\r\n'), server('VA 1 kb\r\nx\r\nMN\r\n')],
    expected: [{ attributes: { [HIT]: false } }, { attributes: { [HIT]: true } }, { name: 'mn' }],
  },
  {
    name: 'a quiet get whose value is all that comes',
    conversation: [client('mg a v q\r\n'), server('VA 1\r\nx\r\n')],
    expected: [{ end: 9, attributes: { [HIT]: true } }],
  },
  {
    name: 'quiet sets are messages, and their late refusals answer nobody else',
    conversation: [
      client('ms a 1 q\r\nx\r\nms b 1 q ME\r\nx\r\nmd c q\r\nmg d\r\nmn\r\n'),
      server('NS\r\nNF\r\nEN\r\nMN\r\n'),
    ],
    expected: [
      { name: 'ms', shape: 'message', end: 13 },
      { name: 'ms', shape: 'message', end: 29 },
      { name: 'md', shape: 'message', end: 37 },
      { name: 'mg', responseBegin: 8, end: 12, attributes: { [HIT]: false } },
      { name: 'mn', end: 16 },
    ],
  },
  {
    name: 'errors',
    conversation: [client('mg a b\r\nmn\r\n'), server('CLIENT_ERROR error decoding key\r\nMN\r\n')],
    expected: [{ clientError: 'CLIENT_ERROR' }, { name: 'mn', clientError: undefined }],
  },
]

export const cases: CodecCase[] = [...TEXT_PROTOCOL, ...META_PROTOCOL]
