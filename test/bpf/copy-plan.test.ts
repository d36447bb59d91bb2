import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { packageRoot } from '../../src/capture/native-addon.js'
import { program, requires } from '../support/requirements.js'

let folder: string | undefined
let ask: ((question: string) => string) | undefined

before(() => {
  if (!program('cc').met()) return
  folder = mkdtempSync(join(tmpdir(), 'ghostspan-test-'))
  const binary = join(folder, 'copy-plan')
  const source = join(packageRoot(), 'test/bpf/copy-plan.c')
  const compiled = spawnSync('cc', ['-Wall', '-Wextra', '-Werror', '-o', binary, source], { encoding: 'utf8' })
  assert.equal(compiled.status, 0, compiled.stderr)
  ask = question => spawnSync(binary, { input: `${question}\n`, encoding: 'utf8' }).stdout.trim()
})

after(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
})

const TWO_32 = 2 ** 32

test('a call shorter than the head is copied whole and has no tail', t => {
  if (!requires(t, program('cc'))) return
  assert.equal(ask!('plan 100 256 64 0'), '100 0')
})

test('head and tail of a call do not overlap', t => {
  if (!requires(t, program('cc'))) return
  assert.equal(ask!('plan 300 256 64 0'), '256 44')
  assert.equal(ask!('plan 5000 256 64 0'), '256 64')
})

test('nothing is copied where nothing is asked for', t => {
  if (!requires(t, program('cc'))) return
  assert.equal(ask!('plan 5000 0 0 0'), '0 0')
})

test('a position counts from the first byte of its direction, across the wrap of sequence numbers', t => {
  if (!requires(t, program('cc'))) return
  assert.equal(ask!(`position 1500 1000 200 0`), '300')
  assert.equal(ask!(`position 100 ${TWO_32 - 50} 100 0`), '50')
})

test('a FIN that was consumed with the last bytes does not move the position', t => {
  if (!requires(t, program('cc'))) return
  assert.equal(ask!('position 1501 1000 200 1'), '300')
})

test('only an opener has its SYN among the acknowledged bytes', t => {
  if (!requires(t, program('cc'))) return
  assert.equal(ask!('opened 501 0 500 0'), '1', 'all acknowledged')
  assert.equal(ask!('opened 301 200 500 0'), '1', 'some on the way')
  assert.equal(ask!('opened 500 0 500 0'), '0')
  assert.equal(ask!('opened 501 0 500 1'), '0', 'the one more is the FIN')
  assert.equal(ask!('opened 502 0 500 1'), '1')
})
