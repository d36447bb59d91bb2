import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputStream } from '../../src/protocols/input-stream.js'
import type { ContentKey, ExchangeSink, Sender } from '../../src/protocols/protocol.js'
import { createCounters } from '../../src/telemetry/counters.js'
import { cases, module } from './amqp-cases.js'
import { ack, content, deliverMethod, join, type Properties, protocolHeader, publishMethod } from './amqp-frames.js'
import { client, drive, recut, runCodecCases, server, verbatimRoutes } from './harness.js'

runCodecCases('amqp', module, cases)

const PROPERTIES: Properties = {
  contentType: 'application/json',
  headers: { a: 'b', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
  deliveryMode: 2,
  correlationId: 'c',
  messageId: 'm',
}

interface Passage {
  readonly published?: Properties
  readonly delivered?: Properties
  readonly most?: number
  readonly pieces?: number
  readonly head?: number
  readonly tail?: number
}

/** The keys of one message where it is published, and where it is delivered. */
function keysOfBoth(body: string, passage: Passage = {}): [ContentKey[], ContentKey[]] {
  const { published = PROPERTIES, delivered = published, most = 131_064, pieces = 1e9, head = 1e9, tail = 0 } = passage
  const sent = [
    client(protocolHeader),
    client(join(publishMethod(1, 'shop', 'orders.new'), content(1, body, published))),
  ]
  const got = [server(join(deliverMethod(7, 'tag', 3, 'shop', 'orders.new'), content(7, body, delivered, most)))]
  const keys = [
    drive(module, sent, { head, tail }),
    drive(module, [client(protocolHeader), ...recut(got, () => pieces)], { head, tail }),
  ].map(({ observations }) => observations.at(-1)!.exchange.contentKeys)
  return [keys[0]!, keys[1]!]
}

const byType = (keys: readonly ContentKey[]): Record<string, string> =>
  Object.fromEntries(keys.map(key => [key.type, key.value]))

test('publish and delivery share all keys, however the body is framed and cut', () => {
  for (const length of [0, 1, 3, 100, 3071, 3072, 3073, 9000, 300_000]) {
    const body = Array.from({ length }, (_, k) => String.fromCharCode(33 + ((k * 7) % 90))).join('')
    for (const most of [131_064, 4088, 1000]) {
      const [sent, got] = keysOfBoth(body, { most, pieces: 1460 })
      assert.deepEqual(got, sent, `${length} bytes in frames of ${most}`)
      assert.deepEqual(
        sent.map(({ type, scope }) => `${type} ${scope}`),
        ['traceparent one', 'amqp-message one', 'amqp-body group', 'amqp-content one'],
      )
    }
  }
})

test('the copy limits of the module leave the keys as they are', () => {
  const { clientHead, clientTail } = module.wants
  const body = Array.from({ length: 20_000 }, (_, k) => String.fromCharCode(33 + ((k * 7) % 90))).join('')
  const [sent] = keysOfBoth(body)
  const [cutSent, cutGot] = keysOfBoth(body, { head: clientHead, tail: clientTail })
  assert.deepEqual(cutSent, sent)
  assert.deepEqual(cutGot, sent)
})

test('a body that was not seen has no keys of its own', () => {
  const [sent] = keysOfBoth('x'.repeat(2000), { head: 1000 })
  assert.deepEqual(
    sent.map(key => key.type),
    ['traceparent', 'amqp-message'],
  )
})

test('bodies that differ in a byte, or in length, or in properties, have other keys', () => {
  const base = byType(keysOfBoth('x'.repeat(5000))[0])
  for (const other of [
    `y${'x'.repeat(4999)}`,
    `${'x'.repeat(4999)}y`,
    'x'.repeat(5001),
    `${'x'.repeat(3000)}y${'x'.repeat(1999)}`,
  ]) {
    const keys = byType(keysOfBoth(other)[0])
    assert.notEqual(keys['amqp-body'], base['amqp-body'])
    assert.notEqual(keys['amqp-content'], base['amqp-content'])
  }
  const keys = byType(keysOfBoth('x'.repeat(5000), { published: { ...PROPERTIES, correlationId: 'd' } })[0])
  assert.equal(keys['amqp-body'], base['amqp-body'])
  assert.notEqual(keys['amqp-content'], base['amqp-content'])
})

test('what the broker adds to the headers, and their order, does not matter', () => {
  const published: Properties = { headers: { a: '1', b: '2', CC: 'other' } }
  const delivered: Properties = { headers: { b: '2', 'x-delivery-count': 1, a: '1' } }
  const [sent, got] = keysOfBoth('hello', { published, delivered })
  assert.deepEqual(got, sent)
  const [, other] = keysOfBoth('hello', { published, delivered: { headers: { a: '2', b: '1' } } })
  assert.notDeepEqual(other, sent)
})

test('the queue that replaces a direct reply-to does not matter', () => {
  const [sent, got] = keysOfBoth('hello', {
    published: { replyTo: 'amq.rabbitmq.reply-to' },
    delivered: { replyTo: 'amq.rabbitmq.reply-to.g1h2AA.xyz' },
  })
  assert.deepEqual(got, sent)
})

const delivery = (tag: number): Buffer =>
  join(deliverMethod(1, 'unknown', tag, 'shop', 'k'), content(1, `message ${tag}`))

test('a consumer that was met in mid-life and never acknowledges is taken for one that need not', () => {
  const calls = Array.from({ length: 100 }, (_, k) => server(delivery(k + 1)))
  const { observations } = drive(module, calls, { joined: true })
  assert.equal(observations.length, 100)
  for (const { end, responseBegin } of observations) {
    assert.ok(end !== undefined)
    assert.equal(responseBegin, undefined)
  }
})

test('a consumer that acknowledges late is not taken for one that need not', () => {
  const calls = Array.from({ length: 60 }, (_, k) => server(delivery(k + 1)))
  const later = Array.from({ length: 100 }, (_, k) => server(delivery(k + 61)))
  const { observations } = drive(module, [...calls, client(ack(1, 60, true)), ...later, client(ack(1, 160, true))], {
    joined: true,
  })
  for (const { responseBegin, abandoned } of observations) {
    assert.ok(responseBegin !== undefined)
    assert.equal(abandoned, false)
  }
})

test('deliveries that are never settled are bounded, and counted when they are forgotten', () => {
  const counters = createCounters()
  let open = 0
  let abandoned = 0
  const sink: ExchangeSink = {
    begin: ({ housekeeping }) => void (open += housekeeping ? 0 : 1),
    requestEnd: () => {},
    responseBegin: () => {},
    end: () => void open--,
    abandon: () => {
      open--
      abandoned++
    },
  }
  const connection = module.open({ sink, counters, joined: false, routes: verbatimRoutes })
  const feed = (sender: Sender, bytes: Uint8Array, stream: InputStream): void => {
    stream.push(bytes, 0, bytes.length, 1)
    connection.read(sender, stream)
    stream.settle()
  }
  // An acknowledgement first, so that silence does not pass for a consumer that sends none.
  feed('client', join(protocolHeader, ack(1, 1)), new InputStream())
  const fromServer = new InputStream()
  for (let tag = 1; tag <= 20_000; tag++) feed('server', delivery(tag), fromServer)
  assert.equal(open, 16_384)
  assert.equal(abandoned, 20_000 - 16_384)
  assert.equal(counters.snapshot()['protocols.amqp.unsettled.evicted'], 20_000 - 16_384)
  connection.close()
  assert.equal(open, 0)
})

test('a frame without its end is left behind, and the next call is read', () => {
  const broken = join([8, 0, 0, 0, 0, 0, 0, 0xcd])
  const calls = [
    client(protocolHeader),
    client(broken),
    client(join(publishMethod(1, 'shop', 'k'), content(1, 'hello'))),
  ]
  const { observations, counters } = drive(module, calls)
  assert.deepEqual(
    observations.map(o => o.exchange.name),
    ['send shop'],
  )
  assert.equal(counters.snapshot()['protocols.amqp.resync'], 1)
})

test('frames are found again behind bytes that were not copied', () => {
  const message = join(publishMethod(1, 'shop', 'k'), content(1, 'hello'))
  const many = join(...Array.from({ length: 200 }, () => message))
  const { observations } = drive(module, [client(protocolHeader), client(many), client(message)], {
    head: 4096,
    tail: 512,
  })
  const seen = Math.floor(4096 / message.length)
  assert.ok(observations.length > seen + 5, 'those in the tail are seen, too')
  assert.equal(observations.at(-1)!.begin, protocolHeader.length + many.length)
  assert.equal(observations.at(-1)!.exchange.truncated, false)
  for (const { exchange, begin } of observations) {
    assert.equal(exchange.name, 'send shop')
    assert.equal((begin - protocolHeader.length) % message.length, 0)
  }
})
