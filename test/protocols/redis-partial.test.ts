import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Attribute } from '../../src/protocols/attribute-names.js'
import { keyHash } from '../../src/protocols/key-hash.js'
import type { ProtocolConnection } from '../../src/protocols/protocol.js'
import { redis } from '../../src/protocols/redis/index.js'
import { client, type DriveOptions, drive, expectExchange, server } from './harness.js'
import { command } from './redis-cases.js'

const lean: DriveOptions = { head: 64 }

test('a value that was not copied is passed by its length, on both sides', () => {
  const value = 'v'.repeat(5000)
  const { observations, connection } = drive(
    redis,
    [
      command('SET', 'k', value),
      server('+OK\r\n'),
      command('GET', 'k'),
      server(`$5000\r\n${value}\r\n`),
      command('TTL', 'k'),
      server(':1\r\n'),
    ],
    lean,
  )
  assert.equal(observations.length, 3)
  for (const { exchange } of observations) assert.equal(exchange.truncated, false)
  expectExchange(observations[0]!, { name: 'SET', requestEnd: 5029, end: 5 })
  expectExchange(observations[1]!, { name: 'GET', responseBegin: 5, end: 5014 })
  expectExchange(observations[2]!, { name: 'TTL', responseBegin: 5014, end: 5018 })
  assert.equal(connection.wants, undefined, 'nothing was missed, so nothing more is asked for')
})

test('an aggregate that was copied in part ends with the call, and the next answer is found', () => {
  const elements = Array.from({ length: 50 }, (_, i) => `$7\r\nvalue${10 + i}\r\n`).join('')
  const { observations } = drive(
    redis,
    [command('LRANGE', 'k', '0', '-1'), server(`*50\r\n${elements}`), command('GET', 'k'), server('$2\r\nhi\r\n')],
    lean,
  )
  assert.equal(observations.length, 2)
  expectExchange(observations[0]!, { name: 'LRANGE', truncated: true, responseBegin: 0, end: 655, abandoned: false })
  expectExchange(observations[1]!, { name: 'GET', truncated: false, responseBegin: 655, end: 663 })
})

test('an answer whose later calls cannot be followed does not pollute the next one', () => {
  const elements = '*1\r\n$3\r\nabc\r\n'.repeat(100)
  const { observations } = drive(
    redis,
    [
      command('LRANGE', 'k', '0', '-1'),
      server(`*200\r\n${elements}`),
      server(elements),
      command('GET', 'k'),
      server('$2\r\nhi\r\n'),
    ],
    lean,
  )
  assert.equal(observations.length, 2)
  expectExchange(observations[1]!, { name: 'GET', truncated: false, end: observations[1]!.responseBegin! + 8 })
})

test('commands that hide in what was not copied of a pipeline do not shift the answers of later ones', () => {
  const pipeline = Array.from({ length: 40 }, (_, i) => `*2\r\n$4\r\nINCR\r\n$2\r\n${10 + i}\r\n`).join('')
  const { observations, connection } = drive(
    redis,
    [client(pipeline), server(':1\r\n'.repeat(40)), command('GET', 'k'), server('$-1\r\n')],
    lean,
  )
  const last = observations.at(-1)!
  expectExchange(last, { name: 'GET', truncated: false, responseBegin: 160, end: 165 })
  assert.ok(observations.length < 41)
  assert.equal(connection.wants?.clientHead, 1024, 'more is asked for on a connection that pipelines')
})

test('an error that was cut still says what went wrong', () => {
  const { observations } = drive(redis, [command('LPUSH', 'k', 'v'), server(`-WRONGTYPE ${'x'.repeat(100)}\r\n`)], lean)
  expectExchange(observations[0]!, {
    name: 'LPUSH',
    truncated: true,
    clientError: 'WRONGTYPE',
    end: 113,
    abandoned: false,
  })
})

test('a long key in a hole leaves the command known and the key unhashed', () => {
  const { observations } = drive(redis, [command('GET', 'k'.repeat(300)), server('$-1\r\n')], lean)
  expectExchange(observations[0]!, { name: 'GET', truncated: true, without: [Attribute.ghostspanDbKeyHash], end: 5 })
})

test('values, keys, passwords and messages appear in no attribute', () => {
  const secret = 'hunter2secret'
  const { observations } = drive(redis, [
    command('AUTH', secret, secret),
    server(`-WRONGPASS ${secret}\r\n`),
    command('HELLO', '3', 'AUTH', secret, secret, 'SETNAME', secret),
    server(`%1\r\n+${secret}\r\n+${secret}\r\n`),
    command('SET', secret, secret),
    server(`-ERR ${secret}\r\n`),
    command('EVAL', secret, '1', secret, secret),
    server(`$13\r\n${secret}\r\n`),
    command(secret, secret),
    server(`-ERR unknown command '${secret}'\r\n`),
    command('SELECT', secret),
    server('-ERR invalid DB index\r\n'),
    client(`SET ${secret} ${secret}\r\n`),
    server('+OK\r\n'),
  ])
  assert.equal(observations.length, 7)
  assert.ok(
    !JSON.stringify(observations.map(o => o.exchange))
      .toLowerCase()
      .includes(secret),
  )
  expectExchange(observations[2]!, {
    attributes: { [Attribute.ghostspanDbKeyHash]: keyHash(Buffer.from(secret), 0, 13) },
  })
})

test('a client that sends without end and is never answered is given up, not remembered', () => {
  const calls = [client('*1\r\n$4\r\nTIME\r\n'.repeat(20_000))]
  const { observations, counters } = drive(redis, calls, { open: true })
  assert.equal(observations.length, 20_000)
  const open = observations.filter(o => o.end === undefined && !o.abandoned)
  assert.ok(open.length <= 16_384)
  assert.equal(counters.snapshot()['protocols.redis.too_many_waiting'], 1)
})

test('an answer that never ends takes no memory and stays inside its connection', () => {
  const calls = [
    command('GET', 'k'),
    server('*2147483647\r\n'),
    ...Array.from({ length: 200 }, () => server('*9\r\n'.repeat(500))),
  ]
  const { observations, failed } = drive(redis, calls)
  assert.equal(observations.length, 1)
  expectExchange(observations[0]!, { abandoned: true, responseBegin: 0 })
  assert.equal(failed, false)
})

test('more is copied only while it helps: replication and MONITOR are counted', () => {
  const wants = (words: string[], answer: string): ProtocolConnection['wants'] =>
    drive(redis, [command(...words), server(answer)]).connection.wants
  assert.equal(wants(['MONITOR'], '+OK\r\n')?.countOnly, true)
  assert.equal(wants(['PSYNC', '?', '-1'], '+CONTINUE\r\n')?.countOnly, true)
  assert.equal(wants(['GET', 'k'], '$-1\r\n'), undefined)
})
