import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Chain, createPseudonyms } from '../../src/redaction/pseudonyms.js'
import { KEY } from './masked-conversation.js'

const OTHER_KEY = KEY.map(byte => byte ^ 1)

function masked(chain: Chain, text: string, how: 'byte' | 'letter' = 'letter'): string {
  chain.begin()
  return Buffer.from(Array.from(Buffer.from(text, 'latin1'), byte => chain[how](byte))).toString('latin1')
}

test('the same value becomes the same one, another value another one', () => {
  const chain = createPseudonyms(KEY).chain('a')
  const again = createPseudonyms(KEY).chain('a')
  assert.equal(masked(chain, 'order 4711'), masked(again, 'order 4711'))
  const values = Array.from({ length: 10_000 }, (_, index) => `key:${index}`)
  assert.equal(new Set(values.map(value => masked(chain, value))).size, values.length)
  assert.equal(new Set(values.map(value => masked(chain, value, 'byte'))).size, values.length)
})

test('every byte has its own counterpart at every place', () => {
  const chain = createPseudonyms(KEY).chain('a')
  for (const before of ['', 'x', 'a long beginning of a value']) {
    const all = Array.from({ length: 256 }, (_, byte) => masked(chain, before + String.fromCharCode(byte), 'byte'))
    assert.equal(new Set(all).size, 256)
  }
})

test('another key, and another kind of value, give something else', () => {
  const value = 'a value that is long enough'
  const chain = createPseudonyms(KEY).chain('a')
  assert.notEqual(masked(chain, value), masked(createPseudonyms(OTHER_KEY).chain('a'), value))
  assert.notEqual(masked(chain, value), masked(createPseudonyms(KEY).chain('b'), value))
})

test('equal bytes at different places become different ones, and no byte is often itself', () => {
  const chain = createPseudonyms(KEY).chain('a')
  const shown = masked(chain, 'e'.repeat(2_600))
  const counts = new Map<string, number>()
  for (const letter of shown) counts.set(letter, (counts.get(letter) ?? 0) + 1)
  assert.equal(counts.size, 26)
  for (const count of counts.values()) assert.ok(count > 50 && count < 160, `${count}`)
})

test('text keeps its kind: digits, small letters, capitals, beyond ASCII', () => {
  const chain = createPseudonyms(KEY).chain('a')
  assert.match(masked(chain, 'aB3-_/ \n\u00e4'), /^[a-z][A-Z]\d---xx[\u0080-\u00ff]$/)
})

test('a key that can be guessed is refused', () => {
  assert.throws(() => createPseudonyms(new Uint8Array(8)), /8 bytes/)
})
