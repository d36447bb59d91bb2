import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputStream } from '../../src/protocols/input-stream.js'
import { seeded } from './harness.js'

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))
const readable = (stream: InputStream): string =>
  Buffer.from(stream.bytes.subarray(stream.start, stream.end)).toString('latin1')
const push = (stream: InputStream, text: string, timeNs = 0): number => stream.push(bytes(text), 0, text.length, timeNs)

test('a chunk that is read whole is never copied', () => {
  const stream = new InputStream()
  const chunk = bytes('hello')
  stream.push(chunk, 1, 4, 7)
  assert.equal(stream.bytes, chunk)
  assert.equal(readable(stream), 'ell')
  assert.equal(stream.timeNs, 7)
  stream.consume(3)
  assert.equal(stream.position, 3)
  stream.settle()
  assert.equal(stream.available, 0)
})

test('what is left unread survives the end of its chunk', () => {
  const stream = new InputStream()
  const chunk = bytes('hello world')
  stream.push(chunk, 0, 11, 1)
  stream.consume(6)
  stream.settle()
  chunk.fill(0)
  assert.equal(readable(stream), 'world')
  push(stream, '!', 2)
  stream.settle()
  assert.equal(readable(stream), 'world!')
  assert.equal(stream.position, 6)
})

test('the time is that of the chunk that brought the first unread byte', () => {
  const stream = new InputStream()
  push(stream, 'ab', 10)
  stream.settle()
  push(stream, 'cd', 20)
  assert.equal(stream.timeNs, 10)
  stream.consume(4)
  stream.settle()
  push(stream, 'ef', 30)
  assert.equal(stream.timeNs, 30)
})

test('skip passes what is here, what is in the hole, and what has not come yet', () => {
  const stream = new InputStream()
  push(stream, 'abc', 1)
  stream.pushHole(10, 1)
  stream.skip(20)
  assert.equal(stream.position, 13)
  assert.equal(stream.skipping, true)
  stream.pushHole(4, 2)
  assert.equal(stream.skipping, true)
  push(stream, '123456', 3)
  assert.equal(stream.skipping, false)
  assert.equal(readable(stream), '456')
  assert.equal(stream.position, 20)
  assert.equal(stream.timeNs, 3)
})

test('a skip that ends within a hole leaves the rest of the hole in front', () => {
  const stream = new InputStream()
  push(stream, 'abc')
  stream.pushHole(10, 0)
  stream.skip(5)
  assert.equal(stream.available, 0)
  assert.equal(stream.hole, 8)
  assert.equal(stream.position, 5)
  assert.equal(stream.resume(), 8)
  assert.equal(stream.position, 13)
})

test('a skip that ends within a hole that comes later leaves the rest of it', () => {
  const stream = new InputStream()
  stream.skip(6)
  stream.pushHole(10, 5)
  assert.equal(stream.skipping, false)
  assert.equal(stream.hole, 4)
  assert.equal(stream.position, 6)
  assert.equal(stream.timeNs, 5)
})

test('a hole that the reader leaves is dropped with what is in front of it, and said so', () => {
  const stream = new InputStream()
  push(stream, 'abc')
  stream.pushHole(10, 0)
  stream.settle()
  assert.equal(push(stream, 'def', 4), 13)
  assert.equal(stream.dropped, 13)
  assert.equal(stream.position, 13)
  assert.equal(readable(stream), 'def')
  assert.equal(stream.timeNs, 4)
})

test('a reader that resumes over a hole is told how much it lost, and nothing counts as dropped', () => {
  const stream = new InputStream()
  push(stream, 'abc')
  stream.pushHole(10, 0)
  assert.equal(stream.resume(), 13)
  assert.equal(push(stream, 'def'), 0)
  assert.equal(stream.dropped, 0)
})

test('unread bytes beyond the limit are dropped, and the rest keeps its place and time', () => {
  const stream = new InputStream(100)
  for (let i = 0; i < 10; i++) {
    push(stream, 'x'.repeat(10), i)
    stream.settle()
  }
  assert.equal(stream.available, 100)
  assert.equal(push(stream, 'y'.repeat(10), 99), 100)
  assert.equal(readable(stream), 'y'.repeat(10))
  assert.equal(stream.position, 100)
  assert.equal(stream.timeNs, 99)
  assert.equal(stream.dropped, 100)
})

test('a call as long as the limit does not cost the few bytes kept before it', () => {
  const stream = new InputStream(100)
  push(stream, 'abc', 1)
  stream.settle()
  assert.equal(push(stream, 'y'.repeat(100), 2), 0)
  assert.equal(readable(stream), `abc${'y'.repeat(100)}`)
  assert.equal(stream.timeNs, 1)
  assert.equal(stream.dropped, 0)
})

test('bytes, holes and skips of any sizes in any order keep their places', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seeded(seed)
    const stream = new InputStream()
    let moved = 0
    /** Each byte's value is its offset's; so what is read tells where it was. */
    const chunk = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (moved + i) % 251)
    let consumed = 0
    for (let step = 0; step < 100; step++) {
      const length = 1 + random(random(4) === 0 ? 3000 : 20)
      if (random(3) === 0) stream.pushHole(length, step)
      else {
        const data = chunk(length)
        consumed += stream.push(data, 0, length, step)
      }
      moved += length
      for (let reads = random(4); reads > 0; reads--) {
        if (random(5) === 0) {
          const count = random(100)
          stream.skip(count)
          consumed += count
        } else if (stream.available === 0 && stream.hole > 0) {
          consumed += stream.resume()
        } else if (stream.available > 0) {
          assert.equal(stream.position, consumed, `seed ${seed}, step ${step}`)
          assert.equal(stream.bytes[stream.start], consumed % 251, `seed ${seed}, step ${step}`)
          const count = 1 + random(stream.available)
          stream.consume(count)
          consumed += count
        }
      }
      stream.settle()
      const known = stream.position + stream.available + stream.hole
      assert.equal(known, moved, `seed ${seed}, step ${step}: where the next byte goes`)
    }
  }
})
