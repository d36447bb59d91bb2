import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { commandsPage } from '../../src/cli/commands-page.js'

test('docs/commands.md is what the command line says', () => {
  const page = readFileSync('docs/commands.md', 'utf8')
  assert.equal(page, commandsPage(), 'run: node --import tsx scripts/reference-pages.mjs')
})
