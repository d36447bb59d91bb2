import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProcessInfo } from '../../src/capture/process-info.js'
import { createSelector, globPattern, type Selection } from '../../src/capture/selection.js'

const info = (change: Partial<ProcessInfo> = {}): ProcessInfo => ({
  pid: 10,
  parent: 1,
  startNs: 0,
  comm: 'nginx',
  exe: '/usr/sbin/nginx',
  commandLine: ['nginx', '-c', '/etc/nginx.conf'],
  user: 33,
  cgroup: '/system.slice/nginx.service',
  listens: [80, 443],
  ...change,
})

const selects = (selection: Selection, process: ProcessInfo = info()): boolean =>
  createSelector({ selection }).selects(process)

test('without rules every process is selected and nobody needs looking at', () => {
  const selector = createSelector({ selection: {} })
  assert.deepEqual([selector.byDefault, selector.hasRules, selector.selects(info())], [true, false, true])
})

test('everything that a rule names must match', () => {
  assert.equal(selects({ include: [{ executable: 'nginx', port: 443 }] }), true)
  assert.equal(selects({ include: [{ executable: 'nginx', port: 8080 }] }), false)
  assert.equal(selects({ include: [{ user: 33 }] }), true)
  assert.equal(selects({ include: [{ cgroup: '/system.slice' }] }), true)
  assert.equal(selects({ include: [{ commandLine: '-c .*\\.conf$' }] }), true)
})

test('exclusion wins over inclusion', () => {
  assert.equal(selects({ include: [{ executable: 'nginx' }], exclude: [{ port: 80 }] }), false)
})

test('a glob without a slash is about the name, one with a slash about the path', () => {
  assert.equal(selects({ include: [{ executable: 'ngin?' }] }), true)
  assert.equal(selects({ include: [{ executable: '/usr/*' }] }), false)
  assert.equal(selects({ include: [{ executable: '/usr/**' }] }), true)
  assert.equal(globPattern('a.b').test('axb'), false)
})

test('a rule that cannot be understood is refused with its reason', () => {
  assert.throws(() => createSelector({ selection: { include: [{}] } }), /names nothing/)
  assert.throws(() => createSelector({ selection: { include: [{ commandLine: '(' }] } }), /regular expression/)
  assert.throws(() => createSelector({ selection: { include: [{ user: 'nobody-has-this-name' }] } }), /no user/)
})
