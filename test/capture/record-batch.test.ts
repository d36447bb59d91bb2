import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DATA, Op } from '../../src/capture/event-layout.js'
import { RecordBatch } from '../../src/capture/record-batch.js'

test('payloads of every length, from anywhere in any source, are copied as they are', () => {
  const batch = new RecordBatch()
  const large = Uint8Array.from({ length: 4_000 }, (_, i) => (i * 7 + (i >> 8)) & 255)
  const inside = new Uint8Array(large.buffer, 5, 3_000)
  const end = { connection: 1, pid: 0 }
  for (const source of [large, inside, large.slice(3)]) {
    for (const length of [0, 1, 2, 3, 4, 5, 7, 8, 63, 1_021, 1_024, 1_025, 2_000]) {
      for (const from of [0, 1, 2, 3, 500]) {
        batch.data(Op.send, end, 1, 0, source, from, from + length, length)
        const record = batch.take()
        assert.deepEqual(record.subarray(DATA.bytes, DATA.bytes + length), source.subarray(from, from + length))
      }
    }
  }
})
