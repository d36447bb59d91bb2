import assert from 'node:assert/strict'
import { test } from 'node:test'
import { client, drive, runCodecCases, server } from './harness.js'
import { cases, module } from './tls-cases.js'

runCodecCases('tls', module, cases)

test('behind the hellos nothing more is asked for, and the connection is counted as opaque', () => {
  const [{ conversation }] = cases as [(typeof cases)[number]]
  const { connection, counters } = drive(module, conversation, { open: true })
  assert.equal(connection.wants?.countOnly, true)
  assert.equal(counters.counter('protocols.tls.opaque').value, 1)
  const before = drive(module, conversation.slice(0, 1), { open: true })
  assert.equal(before.connection.wants, undefined)
})

test('a connection joined in its life is opaque at once', () => {
  const joined = cases.find(each => each.joined === true)!
  const { connection, counters, observations } = drive(module, joined.conversation, { joined: true, open: true })
  assert.equal(connection.wants?.countOnly, true)
  assert.equal(counters.counter('protocols.tls.opaque').value, 1)
  assert.equal(observations.length, 0)
})

test('a hello that is cut tells what stands before the cut', () => {
  const [{ conversation }] = cases as [(typeof cases)[number]]
  const { observations } = drive(module, conversation, { head: 130 })
  const { exchange } = observations[0]!
  assert.equal(exchange.truncated, true)
  assert.equal(exchange.attributes['server.address'], 'shop.example')
})

test('nothing of a hello but name, protocols and version is told', () => {
  const hello = conversationText()
  const { observations } = drive(module, [client(hello), server('\x15\x03\x03\0\x02\x02\x28')])
  const told = JSON.stringify(observations.map(({ exchange }) => exchange.attributes))
  for (const secret of ['rrrr', 'ssss']) assert.ok(!told.includes(secret))
})

const conversationText = (): string => Buffer.from(cases[0]!.conversation[0]!.bytes).toString('latin1')
