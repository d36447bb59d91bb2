import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { conversations } from '../../bench/protocols/conversations/index.js'
import { repositoryPath } from '../accuracy/repository-path.js'

test('every conversation, and every difference from tshark that is explained, stands in the documentation', () => {
  const page = readFileSync(repositoryPath('docs', 'second-opinion.md'), 'utf8')
  for (const { name, explained = [] } of conversations) {
    assert.ok(page.includes(`| \`${name}\` |`), name)
    for (const { why } of explained) assert.ok(page.includes(why), `${name}: ${why}`)
  }
})

test('every conversation is part of the second opinion', () => {
  const folder = repositoryPath('test', 'score')
  const files = readdirSync(folder).filter(file => /^second-opinion-.*[.]live[.]test[.]ts$/.test(file))
  const texts = files.map(file => readFileSync(repositoryPath('test', 'score', file), 'utf8')).join('')
  for (const { name } of conversations) assert.ok(texts.includes(`'${name}'`), name)
})
