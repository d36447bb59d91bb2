import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Attribute } from '../../src/protocols/attribute-names.js'
import type { ProtocolModule } from '../../src/protocols/protocol.js'
import type { FinishedSpan } from '../../src/traces/span.js'
import * as amqp from '../protocols/amqp-cases.js'
import { type Call, type CodecCase, merge, recut, seeded } from '../protocols/harness.js'
import * as http from '../protocols/http-cases.js'
import * as memcached from '../protocols/memcached-cases.js'
import * as mysql from '../protocols/mysql-cases.js'
import * as redis from '../protocols/redis-cases.js'
import { runPipeline } from '../support/run-pipeline.js'
import { type MaskingOptions, newRedactor, recordsOf, sourceOf } from './masked-conversation.js'

/** Of values that stand in disguise only that they are there can be compared. */
const DISGUISED = new Set<string>([
  Attribute.ghostspanDbKeyHash,
  Attribute.userAgentOriginal,
  Attribute.httpRequestMethodOriginal,
  Attribute.serverAddress,
  Attribute.urlPath,
  Attribute.urlQuery,
  Attribute.messagingMessageId,
  Attribute.messagingMessageConversationId,
  Attribute.dbQueryText,
])

const outline = ({ attributes, ...span }: FinishedSpan) => ({
  ...span,
  attributes: Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, DISGUISED.has(name) ? 'disguised' : value]),
  ),
})

async function spansOf(records: readonly Uint8Array[], named: boolean): Promise<unknown[]> {
  const { spans } = await runPipeline(sourceOf(records))
  return spans.map(outline).map(span => (named ? span : { ...span, name: '', attributes: {} }))
}

async function expectSame(
  conversation: readonly Call[],
  options: MaskingOptions,
  what: string,
  named = true,
): Promise<void> {
  const records = recordsOf(conversation, options)
  const redactor = newRedactor()
  const masked = records.map(each => redactor.redact(each).slice())
  assert.deepEqual(await spansOf(masked, named), await spansOf(records, named), what)
}

for (const { module, cases } of [http, amqp, mysql, redis, memcached] as {
  module: ProtocolModule
  cases: CodecCase[]
}[]) {
  for (const { name, conversation, joined = false } of cases) {
    test(`${module.name}, ${name}: what is masked is read like what was sent`, async () => {
      await expectSame(conversation, { joined }, 'as it was sent')
      await expectSame(merge(conversation), { joined }, 'merged')
      for (const head of [24, 64, 200, 512]) {
        for (const tail of [0, 16]) await expectSame(conversation, { joined, head, tail }, `head ${head}, tail ${tail}`)
      }
      for (const [index, { sender }] of conversation.entries()) {
        // Of a direction whose beginning is lost, less may be readable than was.
        const isFirst = conversation.findIndex(call => call.sender === sender) === index
        if (!isFirst) await expectSame(conversation, { joined, lost: new Set([index]) }, `without call ${index}`)
      }
    })
    test(`${module.name}, ${name}: in pieces, too`, async () => {
      for (const seed of [1, 2, 3]) {
        const random = seeded(seed)
        const pieces = recut(merge(conversation), () => 1 + random(seed * 40))
        await expectSame(pieces, { joined }, `seed ${seed}`, false)
      }
    })
  }
}
