import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeCommand } from '../../src/traces/client-command.js'

const shown = (line: string): [string, string] => {
  const [program, ...args] = line.split(' ')
  const { name, commandLine } = describeCommand(program!, args)
  return [name, commandLine]
}

test('What a command is to do is told, what it is about is not', () => {
  assert.deepEqual(shown('openstack server list'), ['openstack server list', 'openstack server list'])
  assert.deepEqual(shown('openstack --debug network agent show 3f2a'), [
    'openstack network agent show',
    'openstack --debug network agent show ?',
  ])
  assert.deepEqual(shown('openstack --os-cloud prod token issue'), [
    'openstack token issue',
    'openstack --os-cloud ? token issue',
  ])
  assert.deepEqual(shown('glance image-list --limit 5'), ['glance image-list', 'glance image-list --limit ?'])
  assert.deepEqual(shown('nova boot --flavor m1 my-server'), ['nova boot', 'nova boot --flavor ? ?'])
})

test('Nothing that may be a secret is shown, however it is given', () => {
  for (const line of [
    'openstack --os-password=hunter server list',
    'openstack --os-password hunter server list',
    'openstack -phunter server list',
    'openstack server create --property token=hunter hunter',
    'openstack hunter',
    'curl -H X-Token:hunter http://hunter@host/',
    'openstack --=hunter',
    'openstack ---hunter',
    'openstack -=hunter',
    'openstack --hunter!=1',
  ]) {
    assert.doesNotMatch(shown(line).join(' '), /hunter/, line)
  }
})

test('A word that is no command makes no name', () => {
  assert.equal(shown('openstack hunter')[0], 'openstack')
  assert.equal(shown('curl http://host/list')[0], 'curl')
  assert.equal(shown('openstack')[0], 'openstack')
})

test('A very long command line is cut', () => {
  const { commandLine } = describeCommand(
    'openstack',
    Array.from({ length: 1000 }, () => 'x'),
  )
  assert.ok(commandLine.length < 100)
  assert.match(commandLine, /…$/)
})
