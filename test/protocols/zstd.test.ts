import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { unpackZstd } from '../../src/protocols/kafka/zstd.js'
import { program, requires } from '../support/requirements.js'
import { seeded } from './conversation.js'

const random = seeded(7)
const words = Array.from({ length: 200 }, () =>
  random(1e9)
    .toString(36)
    .slice(0, 1 + random(9)),
)

/** What is easy and what is hard to pack, of lengths around the format's borders. */
function texts(): Map<string, Buffer> {
  const found = new Map<string, Buffer>([['nothing', Buffer.alloc(0)]])
  for (const length of [1, 5, 31, 32, 63, 255, 256, 300, 1023, 4096, 20_000, 131_072, 200_000]) {
    found.set(`${length} of one byte`, Buffer.alloc(length, 'a'))
    found.set(`${length} at random`, Buffer.from(Uint8Array.from({ length }, () => random(256))))
    found.set(`${length} of few letters`, Buffer.from(Uint8Array.from({ length }, () => 97 + random(3) * random(9))))
    let text = ''
    while (text.length < length) text += `${words[random(random(words.length) + 1)]} `
    found.set(`${length} of words`, Buffer.from(text.slice(0, length), 'latin1'))
    let json = ''
    for (let i = 0; json.length < length; i++)
      json += `{"id":${i},"name":"${words[i % 7]}","size":${i * i},"at":"host-${i % 3}"}`
    found.set(`${length} of JSON`, Buffer.from(json.slice(0, length), 'latin1'))
  }
  return found
}

const out = new Uint8Array(262_144)
const unpacked = (bytes: Uint8Array): string | undefined => {
  const length = unpackZstd(bytes, 0, bytes.length, out)
  return length < 0 ? undefined : Buffer.from(out.subarray(0, length)).toString('latin1')
}

test('zstd: blocks as they are and of one byte', () => {
  const raw = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 5, 0x29, 0, 0, ...Buffer.from('hello')])
  assert.equal(unpacked(raw), 'hello')
  assert.equal(unpacked(Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 9, 0x4b, 0, 0, 0x61])), 'aaaaaaaaa')
  assert.equal(unpacked(raw.subarray(0, 12)), undefined, 'cut short')
  assert.equal(unpacked(Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd])), undefined)
})

test('zstd: what the reference implementation packs, at all levels', { timeout: 120_000 }, t => {
  if (!requires(t, program('zstd'))) return
  for (const [name, text] of texts()) {
    for (const level of ['-1', '-3', '-19', '--fast=5']) {
      const { stdout } = spawnSync('zstd', [level, '-c', '-q'], { input: text, maxBuffer: 1 << 24 })
      assert.equal(unpacked(new Uint8Array(stdout)), text.toString('latin1'), `${name}, ${level}`)
    }
  }
})

test('zstd: damaged frames are refused or give other bytes, and never throw', t => {
  if (!requires(t, program('zstd'))) return
  for (const [name, text] of texts()) {
    if (text.length > 4096) continue
    const { stdout } = spawnSync('zstd', ['-3', '-c', '-q'], { input: text })
    for (let k = 0; k < 200; k++) {
      const bytes = new Uint8Array(stdout)
      for (let n = random(3); n >= 0; n--) bytes[random(bytes.length)] = random(256)
      const cut = bytes.subarray(0, 1 + random(bytes.length))
      assert.doesNotThrow(() => unpackZstd(cut, 0, cut.length, out), name)
    }
  }
})
