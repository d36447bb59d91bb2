import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DATA, HEADER, Op, WireRole } from '../../src/capture/event-layout.js'
import { type Call, recut, seeded } from '../protocols/conversation.js'
import { connectionRecord, dataRecord, newRedactor, recordsOf } from './masked-conversation.js'
import { conversations } from './secret-conversations.js'

const PROTECTED = DATA.bytes

/** Same number of bytes, and nothing but payloads is different. */
function expectSameFrames(records: readonly Uint8Array[], what: string): void {
  const redactor = newRedactor()
  for (const each of records) {
    const before = each.slice()
    const shown = redactor.redact(each)
    assert.deepEqual(each, before, `${what}: the batch is left alone`)
    assert.equal(shown.length, each.length, what)
    const fixed = each[HEADER.op]! <= Op.receive ? PROTECTED : each.length
    assert.deepEqual(shown.subarray(0, fixed), each.subarray(0, fixed), what)
  }
}

test('random bytes never throw and keep their lengths', () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = seeded(seed)
    const calls: Call[] = Array.from({ length: 20 }, () => ({
      sender: random(2) === 0 ? 'client' : 'server',
      bytes: Uint8Array.from({ length: 1 + random(200) }, () => (seed % 2 === 0 ? random(256) : 32 + random(95))),
    }))
    expectSameFrames(
      recordsOf(calls, { joined: seed % 3 === 0, head: 1 + random(200), tail: random(30) }),
      `seed ${seed}`,
    )
  }
})

for (const { name, conversation, joined = false } of conversations) {
  test(`${name}: mutations never throw and keep their lengths`, () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = seeded(seed)
      const calls = recut(conversation, () => 1 + random(120)).map(call => {
        const bytes = Uint8Array.from(call.bytes)
        for (let k = random(4); k > 0; k--) bytes[random(bytes.length)] = [0, 0xff, 0x0a, 0x20, random(256)][random(5)]!
        return { ...call, bytes }
      })
      const lost = new Set(calls.flatMap((_, index) => (random(20) === 0 ? [index] : [])))
      const head = random(3) === 0 ? 1 + random(60) : 1e6
      expectSameFrames(recordsOf(calls, { joined, lost, head, tail: random(20) }), `${name}, seed ${seed}`)
    }
  })
}

test('records told twice, out of order and on connections that nobody opened are blanked', () => {
  const secret = Buffer.from('GET /a?token=s3cret-s3cret HTTP/1.1\r\nCookie: s3cret\r\n\r\n')
  const redactor = newRedactor()
  const unopened = redactor.redact(dataRecord(Op.send, 9, 0, secret, secret.length, 0))
  assert.equal(
    Buffer.from(unopened.subarray(DATA.bytes, DATA.bytes + secret.length)).toString(),
    '@'.repeat(secret.length),
  )
  redactor.redact(connectionRecord(1, WireRole.opened))
  redactor.redact(dataRecord(Op.send, 1, 0, secret, secret.length, 0))
  const twice = redactor.redact(dataRecord(Op.send, 1, 0, secret, secret.length, 0))
  assert.equal(
    Buffer.from(twice.subarray(DATA.bytes, DATA.bytes + secret.length)).toString(),
    '@'.repeat(secret.length),
  )
})
