import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { defaultFile } from '../../src/config/default-file.js'
import { PROTOCOL_NAMES } from '../../src/config/distribution-schema.js'
import { referencePage } from '../../src/config/reference-page.js'
import { settingTree } from '../../src/config/setting-tree.js'
import { protocolModules } from '../../src/protocols/registry.js'
import { withTrustTable } from '../../src/samples/trust.js'
import { load, settingsFile } from './settings-for-test.js'

test('docs/configuration.md is what the schema says', () => {
  const page = readFileSync('docs/configuration.md', 'utf8')
  assert.equal(page, referencePage(), 'run: node --import tsx scripts/reference-pages.mjs')
})

test('docs/carriers.md has the table of what is trusted that the code has', () => {
  const page = readFileSync('docs/carriers.md', 'utf8')
  assert.match(page, /<!-- trust -->/)
  assert.equal(page, withTrustTable(page), 'run: node --import tsx scripts/reference-pages.mjs')
})

test('the default file has every default and nothing else', t => {
  assert.deepEqual(load({ file: settingsFile(t, defaultFile()) }).settings, load().settings)
})

test('the default file and the page name every setting', () => {
  for (const { path } of settingTree()) {
    const name = path.at(-1)!
    if (name === '*') continue
    assert.match(defaultFile(), new RegExp(`\\b${name}:`), name)
    assert.ok(referencePage().includes(name), name)
  }
})

test('the default file stays valid when its commented settings are put in force', t => {
  const text = defaultFile()
    .split('\n')
    .map(line => line.replace(/^(\s*)# (?=\s*(- )?[a-z0-9_-]+:)/, '$1'))
    .filter(line => /^\s*(- )?[a-z0-9_-]+:/.test(line))
    .join('\n')
    // Of the three exporters only one can be.
    .replace(/^ *otlp_http:\n( {12}.*\n)+ *console:\n/m, '')
    .replaceAll('rules: []', 'rules:')
    .replaceAll(/: # (include|exclude), .*/g, ': include')
    .replaceAll(/: # whole number.*/g, ': 80')
    .replaceAll(': # http(s) URL', ': http://h:1')
    .replaceAll(': # address:port', ': 127.0.0.1:8123')
    .replaceAll(/(_list): # text/g, '$1: a=b')
    .replaceAll(/: # .*/g, ': text')
  const { settings } = load({ file: settingsFile(t, text) })
  assert.equal(settings.export.when, 'always')
  assert.equal(settings.selection.rules.length, 1)
  assert.equal(settings.archive.clickhouse?.url, 'http://h:1')
})

test('descriptions of settings are whole sentences', () => {
  for (const { path, schema } of settingTree()) {
    if (schema.description !== undefined) assert.match(schema.description, /[.)]$/, path.join('.'))
  }
})

test('every protocol module can be switched off by its name', () => {
  assert.deepEqual(protocolModules.map(module => module.name).sort(), [...PROTOCOL_NAMES].sort())
})
