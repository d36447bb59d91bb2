// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the references of settings files look like them
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SettingsError } from '../../src/config/settings-error.js'
import { parseSettingsFile } from '../../src/config/settings-file.js'
import { substitute } from '../../src/config/substitution.js'

const parse = (text: string, environment: Record<string, string> = {}) =>
  parseSettingsFile('ghostspan.yaml', text, environment).content

function refusal(text: string, environment: Record<string, string> = {}): string {
  try {
    parse(text, environment)
  } catch (error) {
    if (error instanceof SettingsError) return error.message
    throw error
  }
  throw new Error('the file was accepted')
}

// The table of OpenTelemetry's configuration data model, "Environment variable substitution".
const standard = {
  STRING_VALUE: 'value',
  BOOL_VALUE: 'true',
  INT_VALUE: '1',
  FLOAT_VALUE: '1.1',
  HEX_VALUE: '0xdeadbeef',
  INVALID_MAP_VALUE: 'value\nkey:value',
  DO_NOT_REPLACE_ME: 'Never use this value',
  REPLACE_ME: '${DO_NOT_REPLACE_ME}',
  VALUE_WITH_ESCAPE: 'value$$',
}
const cases: readonly (readonly [written: string, read: unknown])[] = [
  ['${STRING_VALUE}', 'value'],
  ['${BOOL_VALUE}', true],
  ['${INT_VALUE}', 1],
  ['${FLOAT_VALUE}', 1.1],
  ['${HEX_VALUE}', 3735928559],
  ['"${STRING_VALUE}"', 'value'],
  ['"${BOOL_VALUE}"', 'true'],
  ['"${INT_VALUE}"', '1'],
  ['"${FLOAT_VALUE}"', '1.1'],
  ['"${HEX_VALUE}"', '0xdeadbeef'],
  ['${env:STRING_VALUE}', 'value'],
  ['foo ${STRING_VALUE} ${FLOAT_VALUE}', 'foo value 1.1'],
  ['${INVALID_MAP_VALUE}', 'value\nkey:value'],
  ['${UNDEFINED_KEY:-fallback}', 'fallback'],
  ['${STRING_VALUE:-fallback}', 'value'],
  ['"${UNDEFINED_KEY}"', ''],
  ['${REPLACE_ME}', '${DO_NOT_REPLACE_ME}'],
  ['${UNDEFINED_KEY:-${STRING_VALUE}}', '${STRING_VALUE}'],
  ['$${STRING_VALUE}', '${STRING_VALUE}'],
  ['$$${STRING_VALUE}', '$value'],
  ['$$$${STRING_VALUE}', '$${STRING_VALUE}'],
  ['$${STRING_VALUE:-fallback}', '${STRING_VALUE:-fallback}'],
  ['a $$ b', 'a $ b'],
  ['a $ b', 'a $ b'],
  ['${VALUE_WITH_ESCAPE}', 'value$$'],
]
for (const [written, read] of cases) {
  test(`a value written ${written} is read as the standard says`, () => {
    assert.deepEqual(parse(`key: ${written}`, standard), { key: read })
  })
}

test('an undefined variable alone leaves a plain setting out', () => {
  assert.deepEqual(parse('key: ${UNDEFINED_KEY}\nother: 1'), { other: 1 })
})

test('names of settings are never substituted', () => {
  assert.deepEqual(parse('${STRING_VALUE}: value', standard), { '${STRING_VALUE}': 'value' })
})

for (const wrong of ['${1NAME}', '${STRING_VALUE:?error}', '${STRING_VALUE', '${}', '${a b}', '${env:}']) {
  test(`the reference ${wrong} is refused with line and column`, () => {
    assert.match(
      refusal(`a: 1\nkey: ${wrong}`, standard),
      /^ghostspan\.yaml:2:6: \$\{.* is not a valid substitution; write/,
    )
  })
}

test('text without a reference is left alone', () => {
  assert.deepEqual(substitute('a {b} $c', {}), { text: 'a {b} $c' })
})

test('broken YAML is refused with line and column', () => {
  assert.match(refusal('a: 1\nb: [1, 2\nc: 3'), /^ghostspan\.yaml:\d:\d+: is not valid YAML: /)
  assert.match(refusal('a: 1\na: 2'), /^ghostspan\.yaml:2:1: is not valid YAML: Map keys must be unique/)
  assert.match(refusal('a: 1\n---\nb: 2'), /^ghostspan\.yaml:\d:1: is not valid YAML: /)
})

test('aliases that multiply themselves are refused', () => {
  const row = (name: string, of: string) => `${name}: &${name} [${Array(10).fill(`*${of}`).join(', ')}]`
  const bomb = ['a: &a [x]', row('b', 'a'), row('c', 'b'), row('d', 'c'), row('e', 'd'), row('f', 'e')].join('\n')
  assert.match(refusal(bomb), /cannot be read: /)
})

test('a name that means something to JavaScript is a name like any other', () => {
  const content = parse('__proto__: { polluted: true }') as Record<string, unknown>
  assert.deepEqual(Object.keys(content), ['__proto__'])
  assert.equal((content as { polluted?: unknown }).polluted, undefined)
})

test('the place of a setting is its line and column, of a missing one its surroundings', () => {
  const file = parseSettingsFile('f.yaml', 'a:\n  b:\n    - c: 1\n    - d: 2\n', {})
  assert.equal(file.placeOf(['a', 'b', 1, 'd']), 'f.yaml:4:7')
  assert.equal(file.placeOf(['a', 'b', 1, 'missing']), 'f.yaml:4:7')
  assert.equal(file.placeOf(['a', 'x', 'y']), 'f.yaml:1:1')
})
