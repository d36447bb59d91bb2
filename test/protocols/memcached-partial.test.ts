import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Attribute } from '../../src/protocols/attribute-names.js'
import { memcached } from '../../src/protocols/memcached/index.js'
import { client, type DriveOptions, drive, expectExchange, server } from './harness.js'

const lean: DriveOptions = { head: 64 }
const key = '0123456789abcdef0123456789abcdef01234567'

test('a value that was not copied is passed by its length, and END behind it is known', () => {
  const value = 'v'.repeat(5000)
  const { observations, connection } = drive(
    memcached,
    [
      client(`set ${key} 1 60 5000\r\n${value}\r\n`),
      server('STORED\r\n'),
      client(`get ${key}\r\n`),
      server(`VALUE ${key} 1 5000\r\n${value}\r\nEND\r\n`),
      client('get nope\r\n'),
      server('END\r\n'),
    ],
    lean,
  )
  assert.equal(observations.length, 3)
  for (const { exchange } of observations) assert.equal(exchange.truncated, false)
  expectExchange(observations[0]!, { name: 'set', requestEnd: 5058, end: 8 })
  expectExchange(observations[1]!, { name: 'get', attributes: { [Attribute.ghostspanCacheHit]: true }, end: 5070 })
  expectExchange(observations[2]!, { name: 'get', attributes: { [Attribute.ghostspanCacheHit]: false } })
  assert.equal(connection.wants, undefined)
})

test('a value of the meta protocol that was not copied', () => {
  const { observations } = drive(
    memcached,
    [
      client(`mg ${key} v\r\n`),
      server(`VA 5000\r\n${'v'.repeat(5000)}\r\n`),
      client('mg nope v\r\n'),
      server('EN\r\n'),
    ],
    lean,
  )
  for (const { exchange } of observations) assert.equal(exchange.truncated, false)
  expectExchange(observations[0]!, { end: 5011, attributes: { [Attribute.ghostspanCacheHit]: true } })
  expectExchange(observations[1]!, { attributes: { [Attribute.ghostspanCacheHit]: false } })
})

test('several values in one call of which the first only was seen', () => {
  const block = (name: string): string => `VALUE ${name} 0 200\r\n${'v'.repeat(200)}\r\n`
  const { observations, connection } = drive(
    memcached,
    [client('get a b c\r\n'), server(`${block('a')}${block('b')}END\r\n`), client('get d\r\n'), server('END\r\n')],
    lean,
  )
  assert.equal(observations.length, 2)
  expectExchange(observations[0]!, {
    truncated: true,
    abandoned: false,
    end: 439,
    without: [Attribute.ghostspanCacheHit, Attribute.ghostspanCacheHits],
  })
  expectExchange(observations[1]!, { truncated: false, responseBegin: 439, end: 444 })
  assert.equal(connection.wants?.serverHead, 1024)
})

test('a line of keys that was copied in part is a command, its number of keys is not told', () => {
  const keys = Array.from({ length: 20 }, (_, i) => `session:${i}`).join(' ')
  const { observations } = drive(
    memcached,
    [client(`get ${keys}\r\n`), server('END\r\n'), client('get d\r\n'), server('END\r\n')],
    lean,
  )
  expectExchange(observations[0]!, {
    name: 'get',
    truncated: true,
    end: 5,
    without: [Attribute.dbOperationBatchSize, Attribute.ghostspanCacheHit],
  })
  expectExchange(observations[1]!, { name: 'get', truncated: false, end: 10 })
})

test('keys, values and error texts appear in no attribute', () => {
  const secret = 'hunter2secret'
  const { observations } = drive(memcached, [
    client(`set ${secret} 0 0 13\r\n${secret}\r\n`),
    server(`SERVER_ERROR ${secret}\r\n`),
    client(`get ${secret} ${secret}\r\n`),
    server(`VALUE ${secret} 0 13\r\n${secret}\r\nEND\r\n`),
    client(`mg ${secret} v k O${secret}\r\n`),
    server(`VA 13 k${secret} O${secret}\r\n${secret}\r\n`),
  ])
  assert.equal(observations.length, 3)
  assert.ok(!JSON.stringify(observations.map(o => o.exchange)).includes(secret))
})

test('quiet commands that are never followed by an answer do not fill the queue for good', () => {
  const { observations, counters } = drive(memcached, [
    client('md k q\r\n'.repeat(40_000)),
    client('get k\r\n'),
    server('END\r\n'),
  ])
  expectExchange(observations.at(-1)!, { name: 'get', abandoned: false, end: 5 })
  assert.equal(counters.snapshot()['protocols.memcached.too_many_waiting'], undefined)
})

test('a client that is never answered is given up, not remembered', () => {
  const { observations, counters } = drive(memcached, [client('get k\r\n'.repeat(20_000))], { open: true })
  assert.ok(observations.filter(o => o.end === undefined && !o.abandoned).length <= 16_384)
  assert.equal(counters.snapshot()['protocols.memcached.too_many_waiting'], 1)
})
