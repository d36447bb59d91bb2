import assert from 'node:assert/strict'
import { test } from 'node:test'
import { momentOption } from '../../src/cli/option-values.js'
import { createProgram } from '../../src/cli/program.js'
import { selectionRule } from '../../src/cli/settings-options.js'
import { ghostspan } from './ghostspan-process.js'

const COMMANDS = [
  'run',
  'record',
  'replay',
  'traces',
  'show',
  'explain',
  'status',
  'doctor',
  'demo',
  'config',
  'map',
  'shapes',
  'stats',
  'top',
  'compare',
]

test('the commands are those that are documented', () => {
  assert.deepEqual(
    createProgram()
      .commands.map(command => command.name())
      .sort(),
    [...COMMANDS].sort(),
  )
})

for (const command of createProgram().commands) {
  test(`${command.name()} has help with examples, and --json`, () => {
    let text = ''
    command.configureOutput({ writeOut: more => (text += more) })
    command.outputHelp()
    assert.match(text, /^Usage: ghostspan /)
    assert.match(text, /\nExamples:\n {2}(sudo )?ghostspan /)
    const options = [command, ...command.commands].flatMap(one => one.options.map(option => option.long))
    assert.ok(options.includes('--json'), 'no --json')
  })
}

test('every option says what it does in help', () => {
  for (const command of createProgram().commands.flatMap(one => [one, ...one.commands])) {
    for (const option of command.options) assert.notEqual(option.description, '', `${command.name()} ${option.flags}`)
  }
})

test('the help of the program is quick, on standard output, and ends with 0', async t => {
  const { code, stdout, stderr } = await ghostspan(t, ['--help'])
  assert.deepEqual([code, stderr], [0, ''])
  for (const command of COMMANDS) assert.match(stdout, new RegExp(`^  ${command}\\b`, 'm'))
  assert.match(stdout, /Exit codes: 0 .*1 .*2 /)
})

const wrong: readonly (readonly [string[], RegExp])[] = [
  [[], /Usage: ghostspan/],
  [['rnu'], /unknown command 'rnu'\n\(Did you mean run\?\)/],
  [['run', '--prnt'], /unknown option '--prnt'\n\(Did you mean --print\?\)/],
  [['run', '--print', 'xml'], /Allowed choices are tree, json, none/],
  [['replay'], /missing required argument 'files'/],
  [['traces', '--limit', '0'], /whole number from 1/],
  [['traces', '--since', 'yesterday'], /It must be a time such as/],
  [['run', '--duration', '5'], /It must be a duration/],
  [['run', '--include', 'colour=red'], /--include: 'colour=red' is no criterion; write executable=…, command_line=…/],
  [['run', '--listen', 'here'], /--listen: .*must be an address and a port.*not 'here'/],
  [['run', '--otlp', 'ftp://x'], /--otlp: .*must be a URL/],
  [['config', 'validate', '/nowhere.yaml'], /\/nowhere\.yaml: cannot be read/],
  [['doctor', '--force'], /--force works with --build only/],
]
for (const [args, message] of wrong) {
  test(`wrong arguments end with 2 and say what would be right: ghostspan ${args.join(' ')}`, async t => {
    const { code, stdout, stderr } = await ghostspan(t, args)
    assert.equal(code, 2, stderr)
    assert.equal(stdout, '')
    assert.match(stderr, message)
    assert.doesNotMatch(stderr, /\n\s+at /, 'a stack')
  })
}

test('a rule of a flag may name several criteria, and values may hold commas and equals signs', () => {
  assert.deepEqual(selectionRule('executable=/usr/sbin/nginx,port=80,user=33,command_line=a=b,c', 'include'), {
    action: 'include',
    executable: '/usr/sbin/nginx',
    port: 80,
    user: 33,
    command_line: 'a=b,c',
  })
})

test('moments are dates, local times, times with a zone, or how long ago', () => {
  const now = () => Date.UTC(2030, 0, 2, 12)
  assert.equal(momentOption('90m', now), BigInt(Date.UTC(2030, 0, 2, 10, 30)) * 1_000_000n)
  assert.equal(momentOption('2030-01-02T12:00:00Z', now), BigInt(Date.UTC(2030, 0, 2, 12)) * 1_000_000n)
  assert.equal(momentOption('2030-01-02T12:00', now), BigInt(new Date(2030, 0, 2, 12).getTime()) * 1_000_000n)
  assert.equal(momentOption('2030-01-02', now), BigInt(new Date(2030, 0, 2).getTime()) * 1_000_000n)
  assert.throws(() => momentOption('soon', now), /It must be a time/)
})
