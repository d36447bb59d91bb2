import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFlowKeys } from '../../src/capture/flow-keys.js'
import { emptySegment, type TcpSegment } from '../../src/capture/packet-layers.js'

/** A segment of which only its ends count; addresses lie one behind the other in its bytes. */
function segmentOf(source: readonly number[], sourcePort: number, destination: readonly number[], port: number) {
  const segment: TcpSegment = emptySegment()
  segment.addressBytes = source.length === 4 ? 4 : 16
  segment.bytes = Uint8Array.from([...source, ...destination])
  segment.sourceAddress = 0
  segment.destinationAddress = source.length
  segment.sourcePort = sourcePort
  segment.destinationPort = port
  return segment
}

test('both directions of a connection have one name, and no other connection has it, however many there are', () => {
  const { keyOf } = createFlowKeys()
  const names = new Map<string, string>()
  // More than are remembered, and twice, so that many are made anew in the place of others.
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 5_000; i++) {
      const client = i % 3 === 0 ? [10, 0, i >> 8, i & 255] : [10, 0, 0, 1]
      const port = 20_000 + (i % 7)
      const there = keyOf(segmentOf(client, 32_768 + i, [10, 0, 0, 9], port), true)
      const back = keyOf(segmentOf([10, 0, 0, 9], port, client, 32_768 + i), false)
      assert.equal(back, there)
      const ends = `${client} ${i} ${port}`
      assert.equal(names.get(there) ?? ends, ends)
      names.set(there, ends)
    }
  }
  assert.equal(names.size, 5_000)
})

test('addresses of both families with the same first bytes are kept apart', () => {
  const { keyOf } = createFlowKeys()
  const low = [1, 2, 3, 4]
  const high = [5, 6, 7, 8]
  const long = (bytes: readonly number[]): number[] => [...bytes, ...new Array<number>(12).fill(0)]
  const short = keyOf(segmentOf(low, 1, high, 2), true)
  const wide = keyOf(segmentOf(long(low), 1, long(high), 2), true)
  assert.notEqual(short, wide)
  assert.equal(keyOf(segmentOf(low, 1, high, 2), true), short)
})
