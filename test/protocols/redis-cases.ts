import { Attribute } from '../../src/protocols/attribute-names.js'
import { keyHash } from '../../src/protocols/key-hash.js'
import { redis } from '../../src/protocols/redis/index.js'
import { type Call, type CodecCase, client, server } from './harness.js'

export const module = redis

/** A command as client libraries send it. */
export const command = (...words: string[]): Call =>
  client(`*${words.length}\r\n${words.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`)

const hashed = (key: string): string => keyHash(Buffer.from(key), 0, Buffer.byteLength(key))

const KEY = Attribute.ghostspanDbKeyHash
const STATUS = Attribute.dbResponseStatusCode

/** Every type of reply, RESP 2 and RESP 3 (the protocol's specification, one example of each and the awkward ones). */
const REPLIES: Record<string, string> = {
  'a simple string': '+OK\r\n',
  'an empty simple string': '+\r\n',
  'a long simple string': `+${'status '.repeat(100)}\r\n`,
  'an integer': ':-1000\r\n',
  'a bulk string': '$5\r\nhello\r\n',
  'a bulk string that looks like replies': '$15\r\n+OK\r\n*2\r\n$3\r\n\r\n\r\n',
  'an empty bulk string': '$0\r\n\r\n',
  'a null bulk string': '$-1\r\n',
  'a null array': '*-1\r\n',
  'an array': '*2\r\n$5\r\nhello\r\n:1\r\n',
  'an empty array': '*0\r\n',
  'nested arrays': '*3\r\n*2\r\n:1\r\n*1\r\n$2\r\nab\r\n*0\r\n*-1\r\n',
  'an array with an error inside': '*2\r\n+OK\r\n-ERR no\r\n',
  'a null': '_\r\n',
  'a boolean': '#t\r\n',
  'a double': ',1.23e-4\r\n',
  'an infinite double': ',-inf\r\n',
  'a big number': '(3492890328409238509324850943850943825024385\r\n',
  'a verbatim string': '=15\r\ntxt:Some string\r\n',
  'a map': '%2\r\n+first\r\n:1\r\n$6\r\nsecond\r\n*1\r\n#f\r\n',
  'an empty map': '%0\r\n',
  'a set': '~3\r\n+a\r\n:2\r\n_\r\n',
  'attributes before a value':
    '|1\r\n+key-popularity\r\n%2\r\n$1\r\na\r\n,0.1\r\n$1\r\nb\r\n,0.2\r\n*2\r\n:1\r\n:2\r\n',
  'attributes inside an array': '*3\r\n:1\r\n|1\r\n+ttl\r\n:3600\r\n:2\r\n:3\r\n',
  'attributes before attributes': '|1\r\n+a\r\n:1\r\n|1\r\n+b\r\n*1\r\n:2\r\n+OK\r\n',
  'a streamed string': '$?\r\n;4\r\nHell\r\n;5\r\no wor\r\n;1\r\nd\r\n;0\r\n',
  'a streamed array': '*?\r\n:1\r\n:2\r\n*2\r\n:3\r\n:4\r\n.\r\n',
  'a streamed map': '%?\r\n+a\r\n:1\r\n+b\r\n:2\r\n.\r\n',
  'a streamed set in a streamed array in an array': '*2\r\n*?\r\n~?\r\n:1\r\n.\r\n:2\r\n.\r\n$?\r\n;0\r\n',
  'a deep nest': `${'*1\r\n'.repeat(200)}:1\r\n`,
}

const ANSWERS: CodecCase[] = Object.entries(REPLIES).map(
  ([what, reply]): CodecCase => ({
    name: what,
    // The second command shows that the reader found the end of the first one's answer.
    conversation: [command('GET', 'k'), server(reply), command('TTL', 'k'), server(':7\r\n')],
    expected: [
      {
        name: 'GET',
        requestEnd: 20,
        responseBegin: 0,
        end: reply.length,
        clientError: undefined,
        truncated: false,
      },
      { name: 'TTL', begin: 20, responseBegin: reply.length, end: reply.length + 4 },
    ],
  }),
)

const ERRORS: CodecCase[] = [
  {
    name: 'an error says what went wrong, by its first word',
    conversation: [
      command('LPUSH', 'k', 'v'),
      server('-WRONGTYPE Operation against a key holding the wrong kind of value\r\n'),
    ],
    expected: [
      { name: 'LPUSH', attributes: { [STATUS]: 'WRONGTYPE' }, clientError: 'WRONGTYPE', serverError: undefined },
    ],
  },
  {
    name: "an error of the server's own is one for both sides",
    conversation: [command('SET', 'k', 'v'), server("-OOM command not allowed when used memory > 'maxmemory'.\r\n")],
    expected: [{ attributes: { [STATUS]: 'OOM' }, clientError: 'OOM', serverError: 'OOM' }],
  },
  {
    name: 'a bulk error',
    conversation: [command('XADD', 'k', '*'), server('!21\r\nSYNTAX invalid syntax\r\n')],
    expected: [{ attributes: { [STATUS]: 'SYNTAX' }, clientError: 'SYNTAX', end: 28 }],
  },
  {
    name: 'an error after attributes',
    conversation: [command('GET', 'k'), server('|1\r\n+a\r\n-B c\r\n-MOVED 3999 127.0.0.1:6381\r\n')],
    expected: [{ attributes: { [STATUS]: 'MOVED' }, clientError: 'MOVED' }],
  },
  {
    name: 'an error without a word in capitals is the generic one',
    conversation: [command('GET', 'k'), server('-something is wrong\r\n')],
    expected: [{ attributes: { [STATUS]: 'ERR' }, clientError: 'ERR' }],
  },
  {
    name: 'a long error',
    conversation: [command('FOO', 'k'), server(`-ERR unknown command 'FOO', ${'beginning with: '.repeat(50)}\r\n`)],
    expected: [{ attributes: { [STATUS]: 'ERR' }, clientError: 'ERR' }],
  },
]

const COMMANDS: CodecCase[] = [
  {
    name: 'a command is named, its arguments are not repeated',
    conversation: [command('set', 'user:4711', 'secret', 'EX', '60'), server('+OK\r\n')],
    expected: [
      {
        name: 'SET',
        initiator: 'client',
        shape: 'call',
        housekeeping: false,
        attributes: {
          [Attribute.dbSystemName]: 'redis',
          [Attribute.dbOperationName]: 'SET',
          [Attribute.dbQueryText]: 'SET ? ? ? ?',
          [Attribute.dbNamespace]: '0',
          [KEY]: hashed('user:4711'),
        },
      },
    ],
  },
  {
    name: 'a value of another length that holds a command',
    conversation: [
      command('SET', 'k', '*1\r\n$4\r\nPING\r\n'),
      server('+OK\r\n'),
      command('GET', 'k'),
      server('$-1\r\n'),
    ],
    expected: [{ name: 'SET' }, { name: 'GET' }],
  },
  {
    name: 'many arguments',
    conversation: [command('MGET', ...Array.from({ length: 40 }, (_, i) => `key:${i}`)), server('*0\r\n')],
    expected: [{ name: 'MGET', attributes: { [Attribute.dbQueryText]: 'MGET ? ? ? ? ? ? ? ? …' } }],
  },
  {
    name: 'the key of a script is behind their number',
    conversation: [
      command('EVALSHA', 'ffffffff', '1', 'k', 'argument'),
      server('$2\r\nv1\r\n'),
      command('EVALSHA', 'ffffffff', '0', 'argument'),
      server('$2\r\nv1\r\n'),
    ],
    expected: [{ attributes: { [KEY]: hashed('k') } }, { name: 'EVALSHA', without: [KEY] }],
  },
  {
    name: "a module's command",
    conversation: [command('json.get', 'doc', '$.a'), server('$1\r\n1\r\n')],
    expected: [{ name: 'JSON.GET', attributes: { [Attribute.dbQueryText]: 'JSON.GET ? ?' } }],
  },
  {
    name: 'what is no name of a command is not repeated',
    conversation: [
      command('pass word 1', 'k'),
      server('-ERR unknown command\r\n'),
      command('', 'x'),
      server('-ERR\r\n'),
    ],
    expected: [{ name: '_OTHER', attributes: { [Attribute.dbQueryText]: '_OTHER ?' } }, { name: '_OTHER' }],
  },
  {
    name: 'the database follows SELECT',
    conversation: [command('SELECT', '3'), server('+OK\r\n'), command('GET', 'k'), server('$-1\r\n')],
    expected: [
      { name: 'SELECT', housekeeping: true },
      { name: 'GET', attributes: { [Attribute.dbNamespace]: '3' } },
    ],
  },
  {
    name: 'the database is unknown on a connection met in mid-life',
    joined: true,
    conversation: [
      command('GET', 'k'),
      server('$-1\r\n'),
      command('SELECT', '0'),
      server('+OK\r\n'),
      command('DBSIZE'),
    ],
    expected: [
      { name: 'GET', without: [Attribute.dbNamespace] },
      { name: 'SELECT' },
      { name: 'DBSIZE', attributes: { [Attribute.dbNamespace]: '0' }, abandoned: true },
    ],
  },
  {
    name: 'handshakes are housekeeping',
    conversation: [
      command('HELLO', '3', 'AUTH', 'user', 'password'),
      server('%1\r\n+proto\r\n:3\r\n'),
      command('AUTH', 'password'),
      server('+OK\r\n'),
      command('CLIENT', 'SETINFO', 'LIB-NAME', 'x'),
      server('+OK\r\n'),
      command('PING'),
      server('+PONG\r\n'),
      command('QUIT'),
      server('+OK\r\n', true),
    ],
    expected: ['HELLO', 'AUTH', 'CLIENT', 'PING', 'QUIT'].map(name => ({ name, housekeeping: true, abandoned: false })),
  },
  {
    name: 'inline commands, with empty lines and bare line feeds',
    conversation: [
      client('EXISTS somekey\r\n'),
      server(':0\r\n'),
      client('\r\n  get   somekey  \n'),
      server('$-1\r\n'),
      client('*0\r\nDBSIZE\r\n'),
      server(':0\r\n'),
    ],
    expected: [
      { name: 'EXISTS', attributes: { [Attribute.dbQueryText]: 'EXISTS ?', [KEY]: hashed('somekey') } },
      { name: 'GET', attributes: { [Attribute.dbQueryText]: 'GET ?', [KEY]: hashed('somekey') } },
      { name: 'DBSIZE', end: 13 },
    ],
  },
  {
    name: 'a command that is never answered',
    conversation: [command('BLPOP', 'list', '0')],
    expected: [{ name: 'BLPOP', requestEnd: 32, responseBegin: undefined, abandoned: true }],
  },
  {
    name: 'an answer that nobody asked for',
    conversation: [server('-ERR max number of clients reached\r\n'), command('GET', 'k'), server('$-1\r\n')],
    expected: [{ name: 'GET', responseBegin: 36, end: 41 }],
  },
]

const PAIRING: CodecCase[] = [
  {
    name: 'pipelined commands are answered in order',
    conversation: [
      client('*2\r\n$4\r\nINCR\r\n$1\r\na\r\n*2\r\n$4\r\nINCR\r\n$1\r\nb\r\n*1\r\n$4\r\nTIME\r\n'),
      server(':1\r\n-ERR no\r\n*2\r\n$1\r\n1\r\n$1\r\n2\r\n'),
    ],
    expected: [
      { name: 'INCR', begin: 0, requestEnd: 21, responseBegin: 0, end: 4, clientError: undefined },
      { name: 'INCR', begin: 21, requestEnd: 42, responseBegin: 4, end: 13, clientError: 'ERR' },
      { name: 'TIME', begin: 42, requestEnd: 56, responseBegin: 13, end: 31 },
    ],
  },
  {
    name: 'a transaction queues its commands',
    conversation: [
      command('MULTI'),
      server('+OK\r\n'),
      command('SET', 'a', '1'),
      server('+QUEUED\r\n'),
      command('GET', 'a'),
      server('+QUEUED\r\n'),
      command('EXEC'),
      server('*2\r\n+OK\r\n$1\r\n1\r\n'),
    ],
    expected: [
      { name: 'MULTI', end: 5 },
      { name: 'SET', end: 14 },
      { name: 'GET', end: 23 },
      { name: 'EXEC', end: 39 },
    ],
  },
  {
    name: 'an aborted transaction',
    conversation: [
      client('*1\r\n$5\r\nMULTI\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1\r\n$4\r\nEXEC\r\n'),
      server('+OK\r\n-ERR unknown command\r\n-EXECABORT Transaction discarded because of previous errors.\r\n'),
    ],
    expected: [{ name: 'MULTI' }, { name: 'GET', clientError: 'ERR' }, { name: 'EXEC', clientError: 'EXECABORT' }],
  },
  {
    name: 'messages to a subscriber are no answers (RESP 2)',
    conversation: [
      command('SUBSCRIBE', 'a', 'b'),
      server('*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n'),
      server('*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n'),
      server('*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n'),
      command('PING'),
      server('*3\r\n$7\r\nmessage\r\n$1\r\nb\r\n$2\r\nho\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n'),
      command('UNSUBSCRIBE'),
      server('*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:0\r\n'),
      command('GET', 'k'),
      server('$-1\r\n'),
    ],
    expected: [
      { name: 'SUBSCRIBE', responseBegin: 0, end: 92 },
      { name: 'PING', responseBegin: 124, end: 144 },
      { name: 'UNSUBSCRIBE', responseBegin: 144, end: 177 },
      { name: 'GET', end: 215 },
    ],
  },
  {
    name: 'pushes are no answers (RESP 3)',
    conversation: [
      command('SUBSCRIBE', 'a'),
      server('>3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n'),
      command('GET', 'k'),
      server('>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n$1\r\n1\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n'),
      command('GET', 'k'),
      server('$1\r\n2\r\n'),
    ],
    expected: [
      { name: 'SUBSCRIBE', end: 30 },
      { name: 'GET', responseBegin: 62, end: 69 },
      { name: 'GET', responseBegin: 101, end: 108 },
    ],
  },
  {
    name: 'a refused subscription',
    conversation: [
      command('SUBSCRIBE', 'a', 'b'),
      server('-NOPERM no channel\r\n'),
      command('GET', 'k'),
      server('_\r\n'),
    ],
    expected: [
      { name: 'SUBSCRIBE', clientError: 'NOPERM', end: 20 },
      { name: 'GET', end: 23 },
    ],
  },
  {
    name: 'MONITOR answers once and then only reports',
    conversation: [
      command('MONITOR'),
      server('+OK\r\n'),
      server('+1339518083.107412 [0 127.0.0.1:60866] "keys" "*"\r\n'),
      command('GET', 'k'),
    ],
    expected: [{ name: 'MONITOR', end: 5 }],
  },
  {
    name: 'replication is left alone',
    conversation: [
      command('REPLCONF', 'capa', 'psync2'),
      server('+OK\r\n'),
      command('PSYNC', '?', '-1'),
      server('+FULLRESYNC 8de1787ba490483314a4d30f1c628bc5025eb761 0\r\n$5\r\nREDIS*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n'),
      command('REPLCONF', 'ACK', '100'),
    ],
    expected: [
      { name: 'REPLCONF', housekeeping: true },
      { name: 'PSYNC', housekeeping: true, abandoned: true },
    ],
  },
  {
    name: 'CLIENT REPLY OFF silences the server until ON',
    conversation: [
      command('CLIENT', 'REPLY', 'OFF'),
      command('SET', 'a', '1'),
      command('CLIENT', 'REPLY', 'SKIP'),
      command('CLIENT', 'ID'),
      command('CLIENT', 'REPLY', 'ON'),
      server('+OK\r\n'),
      command('GET', 'a'),
      server('$1\r\n1\r\n'),
    ],
    expected: [
      { name: 'CLIENT', responseBegin: undefined, abandoned: false },
      { name: 'SET', shape: 'message', responseBegin: undefined, abandoned: false },
      { name: 'CLIENT', responseBegin: undefined },
      { name: 'CLIENT', responseBegin: undefined },
      { name: 'CLIENT', responseBegin: 0, end: 5 },
      { name: 'GET', shape: 'call', responseBegin: 5, end: 12 },
    ],
  },
  {
    name: 'CLIENT REPLY SKIP silences the next command',
    conversation: [
      command('CLIENT', 'reply', 'skip'),
      command('SET', 'a', '1'),
      command('GET', 'a'),
      server('$1\r\n1\r\n'),
    ],
    expected: [{ name: 'CLIENT' }, { name: 'SET', shape: 'message' }, { name: 'GET', responseBegin: 0, end: 7 }],
  },
]

export const cases: CodecCase[] = [...ANSWERS, ...ERRORS, ...COMMANDS, ...PAIRING]
