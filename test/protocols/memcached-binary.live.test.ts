import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Attribute } from '../../src/protocols/attribute-names.js'
import { memcachedBinary } from '../../src/protocols/memcached-binary/index.js'
import { startMemcached } from '../support/cache-servers.js'
import { startRecordingProxy } from '../support/recording-proxy.js'
import { program, pythonModule, requires } from '../support/requirements.js'
import { drive, type Observation, recut, seeded } from './harness.js'

const run = promisify(execFile)

/** Each line of what it prints is an operation with what came of it, as the client saw it. */
const PYLIBMC = `
import sys, pylibmc
c = pylibmc.Client(['127.0.0.1:' + sys.argv[1]], binary=True)
def did(*words): print(*words)
assert c.set('k', 'secret'); did('set')
assert c.get('k') == 'secret'; did('get', 'true')
assert c.get('nope') is None; did('get', 'false')
assert not c.add('k', 'x'); did('add', 'EXISTS')
assert c.add('n', 5); did('add')
assert c.incr('n', 2) == 7; did('incr')
assert c.decr('n', 1) == 6; did('decr')
try: c.replace('nope', 'x')
except pylibmc.NotFound: did('replace', 'NOT_FOUND')
assert c.touch('n', 60); did('touch')
assert c.set('big', 'secret' * 20000); did('set')
assert c.get('big') == 'secret' * 20000; did('get', 'true')
assert sorted(c.get_multi(['k', 'nope', 'n'])) == ['k', 'n']; did('get', 'true'); did('get', 'false'); did('get', 'true')
assert c.delete('k'); did('delete')
assert not c.delete('k'); did('delete', 'NOT_FOUND')
c.flush_all(); did('flush_all')
`

const outcome = ({ exchange: { name, attributes } }: Observation): string => {
  const said = attributes[Attribute.ghostspanCacheHit] ?? attributes[Attribute.dbResponseStatusCode]
  return said === undefined ? name : `${name} ${said}`
}

test('pylibmc in binary mode against a real memcached: every operation and what came of it', async t => {
  if (!requires(t, program('memcached'), pythonModule('pylibmc'))) return
  const server = await startMemcached()
  t.after(() => server.stop())
  const proxy = await startRecordingProxy(server.port)
  t.after(() => proxy.close())
  const { stdout } = await run('/usr/bin/python3', ['-c', PYLIBMC, String(proxy.port)])
  const limit = Date.now() + 30_000
  while (!proxy.connections.every(({ closed }) => closed)) {
    assert.ok(Date.now() < limit, 'connections are still open')
    await sleep(20)
  }
  const told = proxy.connections.flatMap(({ calls }) => {
    const { observations, failed, counters } = drive(memcachedBinary, calls)
    assert.equal(failed, false)
    assert.equal(counters.snapshot()['protocols.memcached_binary.unexpected_answer'], undefined)
    const random = seeded(3)
    const pieces = recut(calls, () => 1 + random(3000))
    assert.deepEqual(drive(memcachedBinary, pieces).observations.map(outcome), observations.map(outcome))
    return observations.filter(({ exchange }) => !exchange.housekeeping)
  })
  for (const { exchange, abandoned } of told) assert.ok(!abandoned && !exchange.truncated, exchange.name)
  assert.equal(told.map(outcome).join('\n'), stdout.trim())
  assert.ok(!JSON.stringify(told.map(({ exchange }) => exchange)).includes('secret'))
})
