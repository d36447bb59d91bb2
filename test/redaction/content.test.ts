import assert from 'node:assert/strict'
import { test } from 'node:test'
import { amqp } from '../../src/protocols/amqp/index.js'
import { http } from '../../src/protocols/http/index.js'
import type { ContentKey, ProtocolModule } from '../../src/protocols/protocol.js'
import { body, content, deliverMethod, header, join, type Properties, publishMethod } from '../protocols/amqp-frames.js'
import { type Call, client, recut, seeded, server } from '../protocols/conversation.js'
import { drive } from '../protocols/drive.js'
import { newRedactor, shownOf } from './masked-conversation.js'

const redactor = newRedactor()
let connections = 0

/** The content keys of the only message of a conversation of one side, after redaction if so wanted. */
function keysOf(module: ProtocolModule, calls: readonly Call[], redacted = true): readonly ContentKey[] {
  const shown = shownOf(calls, { redactor, connection: ++connections })
  const conversation = redacted ? [client(shown.client), server(shown.server)] : calls
  const { observations } = drive(
    module,
    conversation.filter(({ bytes }) => bytes.length > 0),
  )
  return observations.find(({ exchange }) => exchange.contentKeys.length > 0)!.exchange.contentKeys
}

const kinds = (keys: readonly ContentKey[]): string[] => keys.map(({ type, scope }) => `${type} ${scope}`)

const PROPERTIES: Properties = {
  contentType: 'application/json',
  headers: { attempt: 1, token: 's3cret' },
  deliveryMode: 2,
  correlationId: 'c-4711',
  replyTo: 'reply_1',
  messageId: 'm-4711',
  timestamp: 1_700_000_000,
}

const published = (text: string, properties: Properties, most?: number): Call =>
  client(join(publishMethod(1, 'shop', 'orders'), content(1, text, properties, most)))
const delivered = (text: string, properties: Properties, most?: number): Call =>
  server(join(deliverMethod(3, 'tag', 9, 'shop', 'orders'), content(3, text, properties, most)))

for (const text of ['order 4711', '', `${'{"a":1}'.repeat(600)}`, `${'x'.repeat(9_000)}end`]) {
  test(`AMQP: a message of ${text.length} bytes has the same keys where it is published and where it is delivered`, () => {
    const keys = keysOf(amqp, [published(text, PROPERTIES)])
    assert.deepEqual(kinds(keys), kinds(keysOf(amqp, [published(text, PROPERTIES)], false)))
    assert.deepEqual(keysOf(amqp, [delivered(text, PROPERTIES)]), keys)
    const random = seeded(text.length + 1)
    const cut = recut([delivered(text, PROPERTIES, 1_024)], () => 1 + random(900))
    assert.deepEqual(keysOf(amqp, cut), keys)
  })
}

test('AMQP: another body, header, id or time gives other keys', () => {
  const keys = JSON.stringify(keysOf(amqp, [published('order 4711', PROPERTIES)]))
  const others = [
    keysOf(amqp, [published('order 4712', PROPERTIES)]),
    keysOf(amqp, [published('order 4711', { ...PROPERTIES, headers: { attempt: 1, token: 's3creT' } })]),
    keysOf(amqp, [published('order 4711', { ...PROPERTIES, headers: { attempt: 2, token: 's3cret' } })]),
    keysOf(amqp, [published('order 4711', { ...PROPERTIES, messageId: 'm-4712' })]),
    keysOf(amqp, [published('order 4711', { ...PROPERTIES, timestamp: 1_700_000_001 })]),
  ]
  for (const other of others) assert.notEqual(JSON.stringify(other), keys)
})

test('AMQP: a broker puts its own queue in the place of amq.rabbitmq.reply-to', () => {
  const keys = keysOf(amqp, [published('a', { replyTo: 'amq.rabbitmq.reply-to' })])
  assert.deepEqual(keysOf(amqp, [delivered('a', { replyTo: 'amq.rabbitmq.reply-to.g1h2AB3D' })]), keys)
})

const REQUEST = 'req-0a1b2c3d-0000-4000-8000-00000000abcd'
const envelope = (unique: string, method = 'build', filler = ''): string => {
  const message = {
    method,
    args: { password: 's3cret-s3cret', filler },
    _msg_id: 'feedbeef'.repeat(4),
    _reply_q: 'reply_0123456789abcdef',
    _context_request_id: REQUEST,
    _context_auth_token: 's3cret-token',
    _unique_id: unique,
  }
  return JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(message) })
}

test('oslo.messaging: identifiers become others, the same at both ends and in HTTP headers; nothing else is shown', () => {
  for (const filler of ['', '-'.repeat(6_000)]) {
    const text = envelope('9a0d'.repeat(8), 'build', filler)
    const keys = keysOf(amqp, [published(text, {})])
    assert.deepEqual(kinds(keys), kinds(keysOf(amqp, [published(text, {})], false)))
    assert.deepEqual(keysOf(amqp, [delivered(text, {}, 1_000)]), keys)
    const other = keysOf(amqp, [published(envelope('9a0e'.repeat(8), 'build', filler), {})])
    const of = (type: string, all: readonly ContentKey[]) => all.find(key => key.type === type)?.value
    assert.notEqual(of('oslo-unique-id', other), of('oslo-unique-id', keys))
    assert.equal(of('oslo-call', other), of('oslo-call', keys))
    assert.notEqual(of('x-openstack-request-id', keys), REQUEST)
    const inHttp = keysOf(http, [client(`GET /a HTTP/1.1\r\nX-Openstack-Request-Id: ${REQUEST}\r\n\r\n`)])
    assert.equal(of('x-openstack-request-id', inHttp), of('x-openstack-request-id', keys))
    const shown = shownOf([client(join(publishMethod(1, 'a', 'b'), header(1, text.length), body(1, text)))]).client
    assert.doesNotMatch(shown, /s3cret|9a0d9a|feedbeef|0a1b2c|build|auth_token/)
  }
})

test('HTTP: what a proxy passes on has the same keys on both sides, in whatever pieces', () => {
  const request = (host: string) =>
    `POST /items/4711?token=s3cret&b=2 HTTP/1.1\r\nHost: ${host}\r\nX-Request-Id: abc-1\r\nContent-Length: 0\r\n\r\n`
  const keys = keysOf(http, [client(request('a'))])
  assert.deepEqual(keysOf(http, [client(request('b'))]), keys)
  assert.notDeepEqual(keysOf(http, [client(request('a').replace('b=2', 'b=3'))]), keys)
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const traced = [client(`GET / HTTP/1.1\r\ntraceparent: ${traceparent}\r\n\r\n`)]
  assert.deepEqual(keysOf(http, traced)[0], { type: 'traceparent', value: traceparent, scope: 'one' })
})
