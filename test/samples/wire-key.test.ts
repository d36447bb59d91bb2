import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hex64, mix64, wireKey } from '../../src/samples/wire-key.js'

test('The mix is MurmurHash3_x86_32 with two seeds, as another implementation computes it, and never changes', () => {
  // Ids in archives of years ago depend on these: a change here is a change of every span id.
  const words = mix64([1, 2, 3])
  assert.equal(hex64(words.high, words.low), '73298486dac6e481')
  const key = wireKey(1_752_138_179, 3_270_393_782, true, 0)
  assert.equal(hex64(key.high, key.low), 'e7dc506d6e589615')
})

test('Both directions and every position have keys of their own', () => {
  const seen = new Set<string>()
  for (let position = 0; position < 5_000; position++) {
    for (const fromLow of [true, false]) {
      const { high, low } = wireKey(11, 22, fromLow, position)
      seen.add(hex64(high, low))
    }
  }
  assert.equal(seen.size, 10_000)
})

test('A position beyond 4 GiB counts modulo 2^32, as the kernel tells it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), position => {
      assert.deepEqual(wireKey(5, 9, true, position), wireKey(5, 9, true, position + 2 ** 32))
    }),
  )
})

test('Two million keys do not collide', () => {
  const seen = new Set<bigint>()
  for (let i = 0; i < 2_000; i++) {
    for (let j = 0; j < 1_000; j++) {
      const { high, low } = wireKey(i * 7_919, i * 104_729 + 13, true, j * 100)
      seen.add((BigInt(high) << 32n) | BigInt(low))
    }
  }
  assert.equal(seen.size, 2_000_000)
})
