import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { amqp } from '../../src/protocols/amqp/index.js'
import { createEnvelopeIds, scanEnvelope } from '../../src/protocols/oslo/envelope.js'
import { EnvelopeReader } from '../../src/protocols/oslo/envelope-reader.js'
import type { ContentKey } from '../../src/protocols/protocol.js'
import { content, deliverMethod, join, publishMethod } from './amqp-frames.js'
import { client, drive, server } from './harness.js'

const REQUEST = 'req-1ad986bd-92e7-4f2c-a8f8-6a9a4a5bde35'
const GLOBAL = 'req-00000000-92e7-4f2c-a8f8-6a9a4a5bde35'
const TOKEN = 'gAAAAABmc2VjcmV0'

const envelope = (message: object): Buffer =>
  Buffer.from(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(message) }))
const context = (global: string | null = null): object => ({
  _context_user: 'nova',
  _context_auth_token: TOKEN,
  _context_request_id: REQUEST,
  _context_global_request_id: global,
  _context_service_catalog: [{ type: 'volume', name: 'c'.repeat(900) }],
})
/** An argument that looks like what is searched, and much else before the identifiers. */
const args = (bytes: number): object => ({ instance: { request_id: GLOBAL, _unique: 1, data: 'x'.repeat(bytes) } })
const call = (bytes = 0): Buffer =>
  envelope({
    method: 'select_destinations',
    args: args(bytes),
    _msg_id: 'ddf41a7c00000000000000000000000a',
    _reply_q: 'reply_32d2b9ce0000000000000000000000ff',
    _timeout: null,
    _unique_id: '9a0d41a7c0000000000000000000000b',
    ...context(),
  })
const CALL_KEYS: ContentKey[] = [
  { type: 'oslo-unique-id', value: '9a0d41a7c0000000000000000000000b', scope: 'one' },
  { type: 'oslo-call', value: 'ddf41a7c00000000000000000000000a', scope: 'one' },
  { type: 'oslo-reply-queue', value: 'reply_32d2b9ce0000000000000000000000ff', scope: 'group' },
  { type: 'x-openstack-request-id', value: REQUEST, scope: 'group' },
]

/** Reads a body in pieces of these lengths, the last as long as needed; -n stands for n bytes that were not copied. */
function read(data: Buffer, pieces: readonly number[] = []): ContentKey[] {
  const reader = new EnvelopeReader()
  const keys: ContentKey[] = []
  let at = 0
  reader.begin()
  for (const piece of [...pieces, data.length]) {
    const next = Math.min(data.length, at + Math.abs(piece))
    if (piece < 0) reader.missing()
    else if (next > at) reader.update(data, at, next)
    at = next
  }
  reader.finish(keys)
  return keys
}

test('a call, its answer, a cast and a notification have their own keys', () => {
  assert.deepEqual(read(call()), CALL_KEYS)
  const answer = {
    result: { ok: 1 },
    failure: null,
    ending: true,
    _msg_id: 'ddf41a7c00000000000000000000000a',
    _unique_id: 'c'.repeat(32),
  }
  assert.deepEqual(read(envelope(answer)), [
    { type: 'oslo-unique-id', value: 'c'.repeat(32), scope: 'one' },
    { type: 'oslo-answer', value: 'ddf41a7c00000000000000000000000a', scope: 'one' },
  ])
  assert.deepEqual(
    read(envelope({ method: 'build', args: args(10), _unique_id: 'd'.repeat(32), ...context(GLOBAL) })),
    [
      { type: 'oslo-unique-id', value: 'd'.repeat(32), scope: 'one' },
      { type: 'x-openstack-request-id', value: REQUEST, scope: 'group' },
      { type: 'x-openstack-request-id', value: GLOBAL, scope: 'group' },
    ],
  )
  const notification = {
    message_id: 'e1b2c3d4-0000-4000-8000-000000000001',
    payload: { message_id: 'not-this-one' },
    _context: { auth_token: TOKEN, request_id: REQUEST, global_request_id: null },
  }
  assert.deepEqual(read(envelope(notification)), [
    { type: 'oslo-notification', value: 'e1b2c3d4-0000-4000-8000-000000000001', scope: 'one' },
    { type: 'x-openstack-request-id', value: REQUEST, scope: 'group' },
  ])
})

test('the same is found however a body is cut', () => {
  for (const data of [call(), call(14_000)]) {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 10 }), pieces => {
        assert.deepEqual(read(data, pieces), CALL_KEYS)
      }),
      { numRuns: 200 },
    )
    assert.deepEqual(
      read(
        data,
        Array.from({ length: data.length }, () => 1),
      ),
      CALL_KEYS,
    )
  }
})

test('what lies in the middle and was not copied is not missed', () => {
  const data = call(14_000)
  assert.deepEqual(read(data, [4000, -(data.length - 8000)]), CALL_KEYS)
  // Half of an identifier is none.
  const cut = data.indexOf('ddf41a7c') + 8
  assert.ok(!read(data, [cut, -20]).some(({ type }) => type === 'oslo-call' || type === 'oslo-answer'))
})

test('other bodies have no keys, also when they hold such names', () => {
  for (const other of ['', '{', '{"a": 1}', '{"oslo', `["${REQUEST}"]`, '{"_unique_id": "0123456789abcdef"}']) {
    assert.deepEqual(read(Buffer.from(other)), [], other)
  }
})

test('a token is never among the keys, whatever it is called', () => {
  for (const name of ['_unique_id', '_msg_id', '_context_request_id', 'request_id']) {
    const keys = read(envelope({ [name]: `${TOKEN} and "more"`, auth_token: TOKEN, ...context() }))
    assert.ok(!JSON.stringify(keys).includes(TOKEN), name)
  }
})

test('arbitrary bytes are searched without harm', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('_id', '"', '\\', ':', ' ', 'request', 'x', '{"oslo.', '_reply_q')), parts => {
      const data = Buffer.from(parts.join(''))
      scanEnvelope(data, 0, data.length, createEnvelopeIds())
      read(Buffer.concat([Buffer.from('{"oslo.'), data]))
    }),
  )
})

test('publish and delivery on AMQP have them, and more of the end is asked for from then on', () => {
  const data = call(6000)
  const conversation = [
    client(join(publishMethod(1, 'nova', 'scheduler'), content(1, data.toString()))),
    server(join(deliverMethod(1, 'tag', 1, 'nova', 'scheduler'), content(1, data.toString()))),
  ]
  const { observations, connection } = drive(amqp, conversation, { joined: true, head: 4096, tail: 4096, open: true })
  assert.equal(observations.length, 2)
  for (const { exchange } of observations) {
    const found = exchange.contentKeys.filter(({ type }) => type.startsWith('oslo') || type.startsWith('x-'))
    assert.deepEqual(found, CALL_KEYS)
  }
  assert.ok(connection.wants!.clientTail > amqp.wants.clientTail)
})
