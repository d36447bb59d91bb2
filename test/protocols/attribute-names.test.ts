import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { Attribute } from '../../src/protocols/attribute-names.js'

const directory = dirname(createRequire(import.meta.url).resolve('@opentelemetry/semantic-conventions'))

/** Key → whether the conventions call it deprecated, read from the package's type declarations. */
function conventions(): Map<string, boolean> {
  const keys = new Map<string, boolean>()
  for (const file of ['stable_attributes.d.mts', 'experimental_attributes.d.mts']) {
    const text = readFileSync(join(directory, file), 'utf8')
    for (const [, comment, key] of text.matchAll(
      /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*declare const ATTR_\w+: "([^"]+)"/g,
    )) {
      keys.set(key!, comment!.includes('@deprecated'))
    }
  }
  return keys
}

test('every attribute key outside our own namespace is a current one of the installed semantic conventions', () => {
  const known = conventions()
  assert.ok(known.size > 300, 'the declarations were read')
  for (const key of Object.values(Attribute)) {
    if (key.startsWith('ghostspan.')) continue
    assert.ok(known.has(key), `${key} is not in the conventions`)
    assert.equal(known.get(key), false, `${key} is deprecated`)
  }
})
