import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { UNPACKED_LIMIT, unpack } from '../../src/protocols/kafka/compression.js'
import type { KafkaMessage } from '../../src/protocols/kafka/message.js'
import { client, drive, type Observation, runCodecCases, server } from './harness.js'
import { cases, module } from './kafka-cases.js'
import { batch, bytes, int, record, request, response, text } from './kafka-messages.js'

runCodecCases('kafka', module, cases)

const caseOf = (part: string) => cases.find(({ name }) => name.includes(part))!
const messages = (observations: readonly Observation[]): KafkaMessage[] =>
  observations.map(({ exchange }) => exchange).filter(({ shape }) => shape === 'message') as KafkaMessage[]
const keys = (message: KafkaMessage, type: string): string[] =>
  message.contentKeys.filter(key => key.type === type).map(({ value }) => value)

test('a batch has the same keys where it is produced and where it is fetched', () => {
  const sent = messages(drive(module, caseOf('two partitions').conversation).observations)
  const read = messages(drive(module, caseOf('names, control').conversation).observations)
  for (const type of ['kafka-batch', 'kafka-records']) {
    assert.deepEqual(keys(sent[0]!, type), keys(read[0]!, type), type)
    assert.equal(keys(sent[0]!, type).length, 1)
    assert.notDeepEqual(keys(sent[0]!, type), keys(read[1]!, type), type)
  }
  assert.deepEqual(keys(sent[0]!, 'kafka-offset'), ['orders 0 41 1790000000000'])
  assert.deepEqual(keys(read[0]!, 'kafka-offset'), ['orders 0 41 1790000000000'])
})

test('a key that one record has is hashed, a value is not kept, a traceparent is a content key', () => {
  const [first] = messages(drive(module, caseOf('two partitions').conversation).observations)
  assert.match(String(first!.attributes['ghostspan.message.key_hash']), /^[0-9a-f]{8}$/)
  assert.deepEqual(keys(first!, 'traceparent'), ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'])
  for (const { conversation } of cases) {
    const { observations } = drive(module, conversation)
    assert.doesNotMatch(JSON.stringify(observations.map(({ exchange }) => exchange)), /secret/)
  }
})

test("oslo.messaging's identifiers are found near the start, far from it, and beyond what was copied", () => {
  const { conversation } = caseOf('oslo')
  for (const options of [{}, { head: 4096, tail: 512 }]) {
    const [packed, short, long] = messages(drive(module, conversation, options).observations)
    assert.deepEqual(keys(packed!, 'traceparent'), ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'])
    for (const [message, id] of [
      [short!, '5e1b2c3d-0000-4000-8000-000000000001'],
      [long!, '5e1b2c3d-0000-4000-8000-000000000002'],
    ] as const) {
      assert.deepEqual(keys(message, 'oslo-notification'), [id])
      assert.deepEqual(keys(message, 'x-openstack-request-id'), ['req-1ad986bd-92e7-4f2c-a8f8-6a9a4a5bde35'])
    }
  }
})

test('what a batch unpacks to is bounded', () => {
  const bomb = gzipSync(Buffer.alloc(50 << 20))
  assert.equal(unpack(1, bomb, 0, bomb.length), undefined)
  const lz4 = bytes(Buffer.from('04224d186040', 'hex'), 0, int(0, 0))
  const runs = bytes(0x1f, 0x61, 1, 0, ...Array.from({ length: 4000 }, () => 255), 0)
  const block = bytes(lz4, Buffer.from(Uint32Array.of(runs.length).buffer), runs, int(0, 4))
  assert.ok(4000 * 255 > UNPACKED_LIMIT)
  assert.equal(unpack(3, block, 0, block.length), undefined)
  const snappy = bytes([0xff, 0xff, 0xff, 0x7f], 0, 0x61)
  assert.equal(unpack(2, snappy, 0, snappy.length), undefined)
})

test('damaged compressed blocks are refused, whatever they hold', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 7 }), fc.uint8Array({ maxLength: 200 }), (codec, block) => {
      const unpacked = unpack(codec, block, 0, block.length)
      assert.ok(unpacked === undefined || unpacked.length <= UNPACKED_LIMIT)
    }),
  )
})

test('records behind what was copied are passed: the next partition and the next answer are read', () => {
  const large = batch([record(0, { value: 'v'.repeat(30_000) })])
  const partition = (index: number, records: Buffer): Buffer =>
    bytes(
      int(index, 4),
      int(0, 2),
      int(9, 8),
      int(9, 8),
      int(0, 8),
      int(0, 4),
      int(-1, 4),
      int(records.length, 4),
      records,
    )
  const answer = response(
    1,
    ...[int(0, 4), int(0, 2), int(0, 4), int(1, 4), text('orders'), int(2, 4)],
    ...[partition(0, large), partition(1, batch([record(0)]))],
  )
  const fetch = request(
    { key: 1, version: 11, correlationId: 1 },
    int(-1, 4),
    int(500, 4),
    int(1, 4),
    int(1, 4),
    0,
    int(0, 8),
  )
  const calls = [client(fetch), server(answer.subarray(0, 20_000)), server(answer.subarray(20_000))]
  const { observations, counters } = drive(module, calls, { head: 4096, tail: 200 })
  assert.deepEqual(
    observations.map(({ exchange, end }) => [exchange.name, end !== undefined]),
    [
      ['Fetch', true],
      ['process orders', true],
      ['process orders', true],
    ],
  )
  assert.deepEqual(counters.snapshot('protocols'), {})
})

test('what another program calls a request is none', () => {
  const { detect } = module
  const match = (data: Uint8Array): string => detect(data, 0, data.length).match
  assert.equal(match(request({ key: 18, version: 0, correlationId: 1, clientId: null })), 'yes')
  assert.equal(match(request({ key: 18, version: 9, correlationId: 1 })), 'no')
  assert.equal(match(request({ key: 200, version: 0, correlationId: 1 })), 'no')
  assert.equal(match(request({ key: 3, version: 1, correlationId: -2 })), 'no')
  assert.equal(match(request({ key: 3, version: 1, correlationId: 1, clientId: '' })), 'no')
  assert.equal(match(bytes(int(31, 4))), 'maybe')
})
