import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goKind } from '../../src/capture/carriers/go.js'
import type { ProcessImage } from '../../src/capture/carriers/process-image.js'
import { withProcessImage } from '../../src/capture/carriers/process-image.js'

const imageWith = (sections: readonly string[]): ProcessImage =>
  ({
    files: [{ name: 'server' }],
    elf: () => ({ section: (name: string) => (sections.includes(name) ? { name } : undefined) }),
  }) as unknown as ProcessImage

test('A Go program is known by what its linker writes, stripped or not, and context is to say nothing of it', () => {
  for (const section of ['.go.buildinfo', '.gopclntab', '.data.rel.ro.gopclntab']) {
    assert.equal(goKind.detect(imageWith(['.text', section])), 'yes', section)
  }
  const { state } = goKind.resolve(imageWith(['.gopclntab']))
  assert.equal(state, 'unsupported')
})

test('Another program, such as this one, is not taken for Go', () => {
  assert.equal(goKind.detect(imageWith(['.text', '.rodata'])), 'no')
  const found = withProcessImage({ pid: process.pid, readThreads: () => [] }, image => goKind.detect(image))
  assert.equal(found, 'no')
})
