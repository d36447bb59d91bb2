import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hex32 } from '../../src/protocols/key-hash.js'
import { KeyList } from '../../src/protocols/key-list.js'
import { createRepeatedText } from '../../src/protocols/repeated-text.js'
import { createAttributesMaker } from '../../src/protocols/roomy-attributes.js'

test('attributes that are made with room are plain objects, each one its own', () => {
  const make = createAttributesMaker()
  for (let i = 0; i < 20; i++) {
    const attributes = make()
    assert.deepEqual(attributes, {})
    for (let n = 0; n <= i; n++) attributes[`name.${n}`] = n
    assert.equal(Object.keys(attributes).length, i + 1)
    assert.deepEqual(attributes, JSON.parse(JSON.stringify(attributes)))
  }
})

test('a text that repeats is read as what its bytes say, whatever was read before', () => {
  const { read } = createRepeatedText(8)
  const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))
  for (const text of [
    'host-a',
    'host-a',
    'host-b',
    'host',
    '',
    '',
    'hostname',
    'too long for it',
    'hostname',
    'h\xf6st',
  ]) {
    assert.equal(read(bytes(`>${text}<`), 1, text.length + 1), text)
  }
})

test('a list of keys holds those of one message, up to its bound', () => {
  const list = new KeyList()
  const key = (n: number) => ({ type: 'message', value: String(n), scope: 'one' }) as const
  assert.deepEqual(list.take(), [])
  list.add(key(1))
  list.add(key(2))
  const first = list.take()
  list.add(key(3))
  assert.deepEqual([first, list.take()], [[key(1), key(2)], [key(3)]])
  for (let n = 0; n < 1_000; n++) list.add(key(n))
  assert.equal(list.take().length, 64)
})

test('eight hex digits', () => {
  for (const bits of [0, 1, 0x0123abcd, 0x80000000, 0xffffffff]) {
    assert.equal(hex32(bits), bits.toString(16).padStart(8, '0'))
  }
})
