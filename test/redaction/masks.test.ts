import assert from 'node:assert/strict'
import { test } from 'node:test'
import { amqp } from '../../src/protocols/amqp/index.js'
import { http } from '../../src/protocols/http/index.js'
import { memcached } from '../../src/protocols/memcached/index.js'
import { mysql } from '../../src/protocols/mysql/index.js'
import type { ProtocolModule, Sender } from '../../src/protocols/protocol.js'
import { redis } from '../../src/protocols/redis/index.js'
import { createAmqpMasks } from '../../src/redaction/amqp-mask.js'
import { type ConnectionMasks, createDisguise, type MaskOptions } from '../../src/redaction/byte-mask.js'
import { createHttpMasks } from '../../src/redaction/http-mask.js'
import { createMemcachedMasks } from '../../src/redaction/memcached-mask.js'
import { createMysqlMasks } from '../../src/redaction/mysql-mask.js'
import { createRedisMasks } from '../../src/redaction/redis-mask.js'

type Call = readonly [sender: Sender, bytes: Buffer]
type Create = (options: MaskOptions) => ConnectionMasks

const KEY = [0x1234567, 0x89abcde] as const
const open = (create: Create, module: ProtocolModule): ConnectionMasks =>
  create({ module, newDisguise: () => createDisguise(KEY) })

const client = (text: string): Call => ['client', Buffer.from(text, 'latin1')]
const server = (text: string): Call => ['server', Buffer.from(text, 'latin1')]

function mask(masks: ConnectionMasks, [sender, bytes]: Call, pieces: number): string {
  const shown = Buffer.from(bytes)
  const step = Math.ceil(bytes.length / pieces)
  for (let start = 0; start < bytes.length; start += step) {
    const end = Math.min(bytes.length, start + step)
    masks[sender].begin(bytes, start, end, end - start)
    for (let at = start; at < end; at++) shown[at] = masks[sender].next(bytes[at]!)
  }
  return shown.toString('latin1')
}

/** Masks calls in a row, whole and in pieces after the first, which must be whole for the protocol to be known. */
function expectMasked(
  create: Create,
  module: ProtocolModule,
  calls: readonly (readonly [Call, string | RegExp])[],
): void {
  for (const pieces of [1, 3, 1_000]) {
    const masks = open(create, module)
    for (const [index, [call, expected]] of calls.entries()) {
      // A message begins whole: else nothing tells that it begins.
      const shown = mask(masks, call, index === 0 ? 1 : pieces)
      if (typeof expected === 'string') assert.equal(shown, expected, `${pieces} pieces`)
      else assert.match(shown, expected, `${pieces} pieces`)
    }
  }
}

/** A disguised text: letters from a to p. */
const letters = (text: string): RegExp =>
  new RegExp(`^${text.replaceAll(/[.*+?^$()|\\]/g, '\\$&').replaceAll('~', '[a-p]+')}$`, 's')

test('HTTP: query values, headers and bodies go, what frames and names stays', () => {
  const masks = open(createHttpMasks, http)
  const shown = (call: Call) => mask(masks, call, 1)
  assert.equal(
    shown(
      client(
        'POST /v3/auth?token=abc&x=1 HTTP/1.1\r\nHost: h:1\r\nX-Auth-Token: s3cret\r\nContent-Length: 6\r\n\r\nsecret',
      ),
    ),
    'POST /v3/auth?token=xxx&x=x HTTP/1.1\r\nHost: h:1\r\nX-Auth-Token: xxxxxx\r\nContent-Length: 6\r\n\r\nxxxxxx',
  )
  assert.equal(
    shown(
      server(
        'HTTP/1.1 201 Created\r\nSet-Cookie: a=b\r\nTransfer-Encoding: chunked\r\n\r\n4;q=v\r\nabcd\r\n0\r\nTrail: s\r\n\r\n',
      ),
    ),
    'HTTP/1.1 201 Created\r\nSet-Cookie: xxx\r\nTransfer-Encoding: chunked\r\n\r\n4;xxx\r\nxxxx\r\n0\r\nTrail: x\r\n\r\n',
  )
  assert.equal(shown(client('GET /next HTTP/1.1\r\n\r\n')), 'GET /next HTTP/1.1\r\n\r\n')
  assert.equal(
    shown(server('HTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 200 OK\r\n\r\ntill the end')),
    'HTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 200 OK\r\n\r\nxxxxxxxxxxxx',
  )
})

test('HTTP: a message in pieces is masked as in one', () => {
  const request = 'PUT /a?b=secret HTTP/1.1\r\nCookie: c\r\nContent-Length: 4\r\n\r\nbody'
  for (let cut = request.indexOf('\n') + 1; cut < request.length; cut++) {
    const masks = open(createHttpMasks, http)
    const shown = mask(masks, client(request.slice(0, cut)), 1) + mask(masks, client(request.slice(cut)), 1)
    assert.equal(shown, 'PUT /a?b=xxxxxx HTTP/1.1\r\nCookie: x\r\nContent-Length: 4\r\n\r\nxxxx', `cut at ${cut}`)
  }
})

test('HTTP: a hole in a body is passed over, a hole in the head loses the place until the next message', () => {
  const masks = open(createHttpMasks, http)
  mask(masks, client('POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nab'), 1)
  masks.client.hole(5)
  assert.equal(mask(masks, client('xyzGET /2 HTTP/1.1\r\n\r\n'), 1), 'xxxGET /2 HTTP/1.1\r\n\r\n')
  mask(masks, client('POST / HTTP/1.1\r\nAuthor'), 1)
  masks.client.hole(5)
  assert.equal(mask(masks, client(': secret\r\n\r\n'), 1), 'x'.repeat(12))
  assert.equal(mask(masks, client('GET /3 HTTP/1.1\r\n\r\n'), 1), 'GET /3 HTTP/1.1\r\n\r\n')
})

test('HTTP: after an upgrade nothing is read any more', () => {
  const masks = open(createHttpMasks, http)
  mask(masks, server('HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n'), 1)
  assert.equal(mask(masks, server('secret'), 1), 'xxxxxx')
})

const packet = (sequence: number, payload: Buffer | string): Buffer => {
  const body = Buffer.from(payload as string, 'latin1')
  return Buffer.concat([Buffer.from([body.length & 255, body.length >> 8, 0, sequence]), body])
}

test('MySQL: literals and comments go, the statement keeps its shape', () => {
  const sql: readonly (readonly [string, string])[] = [
    ["SELECT a1 FROM t WHERE b = 'it''s' AND c=12.5e3", "SELECT a1 FROM t WHERE b = 'xx''x' AND c=000000"],
    ['INSERT INTO `t 1` VALUES ("a\\"b", 0xFF, -7)', 'INSERT INTO `t 1` VALUES ("xxxx", 0000, -0)'],
    ['SELECT /* password=x */ 1 -- token', 'SELECT /*xxxxxxxxxxxx*/ 0 --xxxxxx'],
    ['SELECT 1 # token\n+ 2', 'SELECT 0 #xxxxxx\n+ 0'],
    ["SET PASSWORD FOR u@h = 'p\u00e4ss'", "SET PASSWORD FOR u@h = 'xxxx'"],
  ]
  for (const [statement, expected] of sql) {
    for (const pieces of [1, 3, 1_000]) {
      const masks = open(createMysqlMasks, mysql)
      const shown = mask(masks, ['client', packet(0, `\u0003${statement}`)], pieces)
      assert.equal(shown, packet(0, `\u0003${expected}`).toString('latin1'))
    }
  }
})

test('MySQL: user and password of the login go, the schema stays', () => {
  const masks = open(createMysqlMasks, mysql)
  const greeting = packet(0, `\u000a8.0.36\0${'\u0001'.repeat(40)}`)
  assert.equal(mask(masks, ['server', greeting], 1), greeting.toString('latin1'))
  const fixed = '\u0001'.repeat(32)
  const login = packet(1, `${fixed}alice\0\u0004hashshop\0mysql_native_password\0`)
  const shown = mask(masks, ['client', login], 1).slice(4)
  assert.equal(shown, `${fixed}xxxxx\0\u0004xxxxshop\0${'x'.repeat(22)}`)
  assert.equal(mask(masks, ['client', packet(3, 'scrambled')], 1).slice(4), 'xxxxxxxxx')
})

test('MySQL: rows, parameters and texts of errors go; definitions, counts and codes stay', () => {
  const masks = open(createMysqlMasks, mysql)
  mask(masks, ['client', packet(0, '\u0003SELECT name FROM t')], 1)
  const definition = packet(2, '\u0003def\u0004shop\u0001t\u0001t\u0004name')
  const end = packet(5, Buffer.from([0xfe, 0, 0, 2, 0]))
  const answer = Buffer.concat([packet(1, '\u0001'), definition, packet(3, '\u0003def'), packet(4, '\u0005alice'), end])
  const shown = mask(masks, ['server', answer], 1)
  const expected = Buffer.concat([
    packet(1, '\u0001'),
    definition,
    packet(3, '\u0003xxx'),
    packet(4, '\u0005xxxxx'),
    end,
  ])
  assert.equal(shown, expected.toString('latin1'))
  const error = mask(masks, ['server', packet(1, "\u00ff\u007a\u0004#42S02Table 'x.y' is secret")], 1).slice(4)
  assert.equal(error, `\u00ff\u007a\u0004#42S02${'x'.repeat(21)}`)
  const execute = mask(masks, ['client', packet(0, '\u0017\u0001\0\0\0\0\u0001\0\0\0secret values')], 1).slice(4)
  assert.equal(execute, `\u0017\u0001\0\0\0\0\u0001\0\0\0${'x'.repeat(13)}`)
})

test('MySQL: attributes with values in front of a statement take the statement with them', () => {
  const masks = open(createMysqlMasks, mysql)
  const none = mask(masks, ['client', packet(0, "\u0003\0\u0001SELECT 'a'")], 1).slice(4)
  assert.equal(none, "\u0003\0\u0001SELECT 'x'")
  const some = mask(masks, ['client', packet(0, '\u0003\u0001\u0001\0\u0001\u00fe\0\u0005token SELECT 1')], 1).slice(4)
  assert.equal(some, `\u0003\u0001${'x'.repeat(some.length - 2)}`)
})

test('MySQL: after a hole over several packets, the end of the rows and the next answer are still told', () => {
  const masks = open(createMysqlMasks, mysql)
  mask(masks, ['client', packet(0, '\u0003SELECT 1')], 1)
  mask(masks, ['server', Buffer.concat([packet(1, '\u0001'), packet(2, '\u0003def')])], 1)
  masks.server.hole(300)
  const tail = Buffer.concat([Buffer.from('alice'), packet(9, Buffer.from([0xfe, 0, 0, 2, 0]))])
  masks.server.tail?.(tail, 0, tail.length)
  const shown = Buffer.from(tail)
  for (let at = 0; at < tail.length; at++) shown[at] = masks.server.next(tail[at]!)
  assert.equal(shown.toString('latin1'), `xxxxx${tail.subarray(5).toString('latin1')}`)
  const ok = packet(1, Buffer.from([0, 1, 0, 2, 0, 0, 0]))
  assert.equal(mask(masks, ['server', ok], 1), ok.toString('latin1'))
})

const frame = (type: number, payload: string): string => {
  const { length } = payload
  return `${String.fromCharCode(type, 0, 1, 0, 0, length >> 8, length & 255)}${payload}\u00ce`
}
const short = (text: string): string => `${String.fromCharCode(text.length)}${text}`
const long = (text: string): string => `\0\0${String.fromCharCode(text.length >> 8, text.length & 255)}${text}`
const contentHeader = (flags: number, properties: string): string =>
  frame(2, `\0\u003c\0\0\0\0\0\0\0\0\0\u0009${String.fromCharCode(flags >> 8, flags & 255)}${properties}`)

test('AMQP: what authenticates, texts in headers and bodies go; methods, properties and names of headers stay', () => {
  const startOk = frame(1, `\0\u000a\0\u000b${long('')}PLAIN${long('\0guest\0guest')}`)
  const publish = frame(1, `\0\u003c\0\u0028\0\0${short('ex')}${short('orders')}\0`)
  const table = (value: string) =>
    long(
      `${short('token')}S${long(value)}${short('n')}I\0\0\0\u0007${short('in')}F${long(`${short('k')}S${long(value)}`)}`,
    )
  const header = contentHeader(
    0b1010_0000_1001_0000,
    `${short('text/plain')}${table('s3cret')}${short('id-1')}${short('alice')}`,
  )
  expectMasked(createAmqpMasks, amqp, [
    [client('AMQP\0\0\u0009\u0001'), 'AMQP\0\0\u0009\u0001'],
    [client(startOk), frame(1, `\0\u000a\0\u000b${'x'.repeat(startOk.length - 12)}`)],
    [client(publish), publish],
    [client(frame(3, 'a body...')), letters(`${frame(3, '#########')}`.replace('#########', '~'))],
  ])
  const masks = open(createAmqpMasks, amqp)
  const shown = mask(masks, client(header), 1)
  assert.equal(shown.length, header.length)
  assert.match(shown, /text\/plain.*token.*in.*id-1/s)
  assert.doesNotMatch(shown, /s3cret|alice/)
  assert.match(shown, /nI\0\0\0\u0007/)
})

test('AMQP: the same body looks the same wherever it is seen and however it is cut, and another one does not', () => {
  const body = (text: string, pieces: number) =>
    mask(open(createAmqpMasks, amqp), client(contentHeader(0, '') + frame(3, text)), pieces).slice(-text.length - 1)
  assert.equal(body('order 4711', 1), body('order 4711', 7))
  assert.notEqual(body('order 4711', 1), body('order 4712', 1))
  const other = createAmqpMasks({ module: amqp, newDisguise: () => createDisguise([1, 2]) })
  assert.notEqual(
    mask(other, client(contentHeader(0, '') + frame(3, 'order 4711')), 1).slice(-11),
    body('order 4711', 1),
  )
})

test('AMQP: traceparent stays', () => {
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const header = contentHeader(1 << 13, long(`${short('traceparent')}S${long(traceparent)}`))
  assert.equal(mask(open(createAmqpMasks, amqp), client(header), 1), header)
})

test('Redis: names of commands, types and lengths stay; keys, values and texts go', () => {
  expectMasked(createRedisMasks, redis, [
    [client('*3\r\n$3\r\nSET\r\n$4\r\nuser\r\n$6\r\nsecret\r\n'), letters('*3\r\n$3\r\nSET\r\n$4\r\n~\r\n$6\r\n~\r\n')],
    [server('+OK\r\n'), '+OK\r\n'],
    [server('$6\r\nsecret\r\n:12\r\n$-1\r\n'), letters('$6\r\n~\r\n:12\r\n$-1\r\n')],
    [server('-WRONGPASS invalid user alice\r\n'), '-WRONGPASS xxxxxxx xxxx xxxxx\r\n'],
    [client('*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n'), '*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n'],
    [client('AUTH alice s3cret\r\n'), 'AUTH xxxxx xxxxxx\r\n'],
  ])
})

test('Redis: the same key looks the same each time', () => {
  const masks = open(createRedisMasks, redis)
  const get = '*2\r\n$3\r\nGET\r\n$7\r\nitem:42\r\n'
  assert.equal(mask(masks, client(get), 1), mask(masks, client(get), 4))
})

test('Redis: a hole in a value is passed over, elsewhere it loses the place until a message begins', () => {
  const masks = open(createRedisMasks, redis)
  mask(masks, server('$10\r\nab'), 1)
  masks.server.hole(6)
  assert.match(mask(masks, server('yz\r\n+OK\r\n'), 1), letters('~\r\n+OK\r\n'))
  masks.server.hole(3)
  assert.equal(mask(masks, server('secret'), 1), 'xxxxxx')
  assert.equal(mask(masks, server('+OK\r\n'), 1), '+OK\r\n')
})

test('memcached: commands, flags and lengths stay; keys and values go', () => {
  expectMasked(createMemcachedMasks, memcached, [
    [client('set user:1 0 300 6\r\nsecret\r\n'), letters('set ~ 0 300 6\r\nxxxxxx\r\n')],
    [server('STORED\r\n'), 'STORED\r\n'],
    [client('get user:1 user:2\r\n'), letters('get ~ ~\r\n')],
    [server('VALUE user:1 0 6\r\nsecret\r\nEND\r\n'), letters('VALUE ~ 0 6\r\nxxxxxx\r\nEND\r\n')],
    [client('ms user:1 6 T30\r\nsecret\r\n'), letters('ms ~ 6 T30\r\nxxxxxx\r\n')],
    [client('incr count 5\r\n'), letters('incr ~ 5\r\n')],
    [server('CLIENT_ERROR bad key alice\r\n'), letters('CLIENT_ERROR ~ ~ ~\r\n')],
  ])
})
