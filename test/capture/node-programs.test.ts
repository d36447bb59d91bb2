import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNodeKind } from '../../src/capture/carriers/node.js'
import { type ProcessImage, withProcessImage } from '../../src/capture/carriers/process-image.js'

const lookAt = <Result>(look: (image: ProcessImage) => Result): Result =>
  withProcessImage({ pid: process.pid, readThreads: () => [] }, look)

test('In this very process the phases of the loop are found, each at an instruction of its own', () => {
  const kind = createNodeKind()
  lookAt(image => {
    assert.equal(kind.detect(image), 'yes')
    const found = kind.resolve(image)
    assert.equal(found.state, 'resolved', found.state === 'resolved' ? '' : found.reason)
    if (found.state !== 'resolved') return
    const marks = found.probes.filter(({ program }) => program === 'phase_begun')
    assert.ok(marks.length >= 3)
    assert.equal(new Set(found.probes.map(({ offset }) => offset)).size, found.probes.length)
  })
})

test('Of a build without the symbols for them nothing is claimed', () => {
  const stripped = {
    files: [],
    find: () => ({ path: '/usr/bin/node', key: 'stripped' }),
    elf: () => ({
      symbols: () => new Map([['_ZN4node11Environment9RunTimersEP10uv_timer_s', { address: 1, bytes: 1 }]]),
    }),
  } as unknown as ProcessImage
  const found = createNodeKind().resolve(stripped)
  assert.equal(found.state, 'unsupported')
})
