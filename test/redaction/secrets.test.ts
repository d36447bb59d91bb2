import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Call, merge, recut, seeded } from '../protocols/conversation.js'
import { type MaskingOptions, newRedactor, payloads, recordsOf } from './masked-conversation.js'
import { conversations, secrets } from './secret-conversations.js'

const PIECE = 6

/** Every piece of so many characters of every marker, as it is and in hexadecimal. */
const pieces = new Map<string, string>()
for (const secret of secrets) {
  for (let at = 0; at + PIECE <= secret.length; at++) pieces.set(secret.slice(at, at + PIECE), secret)
}

function findSecret(text: string): string | undefined {
  for (let at = 0; at + PIECE <= text.length; at++) {
    const secret = pieces.get(text.slice(at, at + PIECE))
    if (secret !== undefined)
      return `${text.slice(at, at + PIECE)} of ${secret} in …${text.slice(Math.max(0, at - 40), at + 40)}…`
  }
  return undefined
}

function expectNothing(conversation: readonly Call[], options: MaskingOptions, what: string): void {
  for (const end of ['client', 'server'] as const) {
    const redactor = newRedactor()
    const records = recordsOf(conversation, { ...options, end })
    const shown = records.map(each => redactor.redact(each).slice())
    const { sent, received } = payloads(shown)
    for (const bytes of [sent, received, Buffer.concat(shown)]) {
      assert.equal(findSecret(bytes.toString('latin1')), undefined, what)
    }
    assert.deepEqual(
      shown.map(each => each.length),
      records.map(each => each.length),
      what,
    )
  }
}

test('the markers are found where nothing is masked', () => {
  for (const { name, conversation } of conversations) {
    const { sent, received } = payloads(recordsOf(conversation))
    assert.notEqual(findSecret(Buffer.concat([sent, received]).toString('latin1')), undefined, name)
  }
  assert.ok(secrets.length > 100)
})

for (const { name, conversation, joined = false } of conversations) {
  test(`${name}: nothing is shown of what is secret`, () => {
    expectNothing(conversation, { joined }, 'as it was sent')
    expectNothing(merge(conversation), { joined }, 'merged')
  })
  test(`${name}: nor byte by byte`, () => {
    expectNothing(
      recut(conversation, () => 1),
      { joined },
      'byte by byte',
    )
  })
  test(`${name}: nor in random pieces`, () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = seeded(seed)
      const longest = 2 + random(60)
      expectNothing(
        recut(merge(conversation), () => 1 + random(longest)),
        { joined },
        `seed ${seed}`,
      )
    }
  })
  test(`${name}: nor with holes`, () => {
    for (const head of [0, 3, 4, 5, 7, 16, 20, 33, 64, 128, 256]) {
      for (const tail of [0, 5, 16, 40]) {
        expectNothing(conversation, { joined, head, tail }, `head ${head}, tail ${tail}`)
        expectNothing(merge(conversation), { joined, head, tail }, `merged, head ${head}, tail ${tail}`)
        const random = seeded(head * 100 + tail)
        expectNothing(
          recut(conversation, () => 1 + random(90)),
          { joined, head, tail },
          `in pieces, head ${head}, tail ${tail}`,
        )
      }
    }
  })
  test(`${name}: nor when calls are lost, or the connection is joined in the middle`, () => {
    for (let index = 0; index < conversation.length; index++) {
      expectNothing(conversation, { joined, lost: new Set([index]) }, `without call ${index}`)
      expectNothing(conversation.slice(index), { joined: true }, `from call ${index} on`)
    }
    for (let seed = 1; seed <= 40; seed++) {
      const random = seeded(seed)
      const calls = recut(conversation, () => 1 + random(50))
      const lost = new Set(calls.flatMap((_, index) => (random(8) === 0 ? [index] : [])))
      expectNothing(calls, { joined, lost }, `losses, seed ${seed}`)
      expectNothing(calls.slice(random(calls.length)), { joined: true }, `joined, seed ${seed}`)
    }
  })
}
