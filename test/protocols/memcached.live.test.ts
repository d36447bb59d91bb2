import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Attribute } from '../../src/protocols/attribute-names.js'
import { memcached } from '../../src/protocols/memcached/index.js'
import { type CacheServer, startMemcached } from '../support/cache-servers.js'
import { type RecordedConnection, type RecordingProxy, startRecordingProxy } from '../support/recording-proxy.js'
import { program, pythonModule, requires } from '../support/requirements.js'
import { type Call, drive, type Observation, recut, seeded } from './harness.js'

const run = promisify(execFile)

/** pymemcache; each line of what it prints is a command with what came of it, as the client saw it. */
const PYMEMCACHE = `
import sys
from pymemcache.client.base import Client
c = Client(('127.0.0.1', int(sys.argv[1])), default_noreply=False)
def did(*words): print(*words)
assert c.set('k', b'secret'); did('set')
assert c.get('k') == b'secret'; did('get', 'true')
assert c.get('nope') is None; did('get', 'false')
big = b'secret' * 100000
assert c.set('big', big); did('set')
assert c.get('big') == big; did('get', 'true')
c.set_many({'key:%d' % i: b'v' * i for i in range(100)}); [did('set') for i in range(100)]
assert len(c.get_many(['key:%d' % i for i in range(100)] + ['nope'])) == 100; did('get', 'false', 100)
assert not c.add('k', b'x'); did('add', 'NOT_STORED')
assert c.replace('k', b'y'); did('replace')
assert c.append('k', b'z'); did('append')
assert c.prepend('k', b'x'); did('prepend')
value, cas = c.gets('k'); did('gets', 'true')
assert c.cas('k', b'n', cas); did('cas')
assert c.cas('k', b'n', cas) is False; did('cas', 'EXISTS')
assert c.cas('nope', b'n', cas) is None; did('cas', 'NOT_FOUND')
c.set('n', b'5'); did('set')
assert c.incr('n', 2) == 7; did('incr')
assert c.decr('n', 1) == 6; did('decr')
assert c.incr('nope', 1) is None; did('incr', 'NOT_FOUND')
assert c.touch('n', 60); did('touch')
assert c.delete('n'); did('delete')
assert not c.delete('n'); did('delete', 'NOT_FOUND')
try: c.incr('k', 1)
except Exception as e: did('incr', 'CLIENT_ERROR')
try: c.set('huge', b'x' * 2000000)
except Exception as e: did('set', 'SERVER_ERROR')
c.stats(); did('stats')
c.stats('settings'); did('stats')
c.version(); did('version')
c.set('k', b'secret', noreply=True); did('set', 'message')
c.delete('k', noreply=True); did('delete', 'message')
assert c.get('k') is None; did('get', 'false')
c.flush_all(); did('flush_all')
c.quit(); did('quit', 'message')
`

/** No client for the meta commands is at hand: they are sent as they are, and the answers printed. */
const META = `
import socket, sys
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
f = s.makefile('rb')
def ask(text):
    s.sendall(text.replace('\\n', '\\r\\n').encode() + b'mn\\r\\n')
    answer = b''
    while not answer.endswith(b'MN\\r\\n'): answer += f.readline()
    return answer
assert ask('ms a 6 T0\\nsecret\\n') == b'HD\\r\\nMN\\r\\n'
assert ask('mg a v\\nmg a\\nmg b v\\n') == b'VA 6\\r\\nsecret\\r\\nHD\\r\\nEN\\r\\nMN\\r\\n'
assert ask('mg b v q O1\\nmg a v q O2\\nmg b v q k\\nmg a v q k O77 t\\n') == b'VA 6 O2\\r\\nsecret\\r\\nVA 6 ka O77 t-1\\r\\nsecret\\r\\nMN\\r\\n'
assert ask('ms n 1 q\\n5\\nms n 1 q ME\\n5\\nma n q\\nma n v O5\\nmd zz q\\nme n\\nme zz\\n').startswith(b'NS\\r\\nVA 1 O5\\r\\n7\\r\\n')
assert ask('ms YQ== 1 b k q O9\\n1\\nmg YQ== b k v q O10\\nmg a b O1 q\\n').startswith(b'VA 1 kYQ== b O10\\r\\n1\\r\\nCLIENT_ERROR')
assert ask('gat 0 a\\nget a b n\\nincr n 5\\n') == b'VALUE a 0 1\\r\\n1\\r\\nEND\\r\\nVALUE a 0 1\\r\\n1\\r\\nVALUE n 0 1\\r\\n7\\r\\nEND\\r\\n12\\r\\nMN\\r\\n'
s.close()
`

const META_EXPECTED = [
  ['ms'],
  ['mg true', 'mg true', 'mg false'],
  ['mg false', 'mg true', 'mg false', 'mg true'],
  ['ms message', 'ms message', 'ma message', 'ma', 'md message', 'me', 'me'],
  ['ms message', 'mg true', 'mg CLIENT_ERROR'],
  ['gat true', 'get false 2', 'incr'],
].flatMap(group => [...group, 'mn'])

describe('memcached against a real server', () => {
  let server: CacheServer | undefined
  let proxy: RecordingProxy
  const wanted = [program('memcached'), pythonModule('pymemcache')]
  before(async () => {
    if (!wanted.every(requirement => requirement.met())) return
    server = await startMemcached()
    proxy = await startRecordingProxy(server.port)
  })
  after(async () => {
    if (server === undefined) return
    await proxy.close()
    await server.stop()
  })
  /** What a script prints, and the connections that it opens, once they are closed. */
  const record = async (script: string): Promise<{ stdout: string; connections: readonly RecordedConnection[] }> => {
    const from = proxy.connections.length
    const { stdout } = await run('/usr/bin/python3', ['-c', script, String(proxy.port)])
    const connections = proxy.connections.slice(from)
    const limit = Date.now() + 30_000
    while (!connections.every(({ closed }) => closed)) {
      assert.ok(Date.now() < limit, 'connections are still open')
      await sleep(20)
    }
    return { stdout, connections }
  }

  test('pymemcache: every command and what came of it', async t => {
    if (!requires(t, ...wanted)) return
    // pymemcache closes the connection after an error and opens another.
    const { stdout, connections } = await record(PYMEMCACHE)
    const observations = connections.flatMap(({ calls }) => whole(calls))
    assert.equal(observations.map(outcome).join('\n'), stdout.trim())
    assert.ok(!JSON.stringify(observations.map(({ exchange }) => exchange)).includes('secret'))
    for (const { calls } of connections) checkCuts(calls)
  })

  test('meta commands, loud and quiet, and what came of them', async t => {
    if (!requires(t, ...wanted)) return
    const { connections } = await record(META)
    assert.deepEqual(connections.flatMap(({ calls }) => whole(calls)).map(outcome), META_EXPECTED)
    for (const { calls } of connections) checkCuts(calls)
  })
})

/** `get True`, `set NOT_STORED`, `set message`: the command, hit or miss or what was said, how many were found. */
function outcome({ exchange: { name, shape, attributes } }: Observation): string {
  const said = attributes[Attribute.ghostspanCacheHit] ?? attributes[Attribute.dbResponseStatusCode]
  const found = attributes[Attribute.ghostspanCacheHits]
  return [name, shape === 'message' ? shape : said, found].filter(word => word !== undefined).join(' ')
}

function whole(calls: readonly Call[]): Observation[] {
  const { observations, failed, counters } = drive(memcached, calls)
  assert.equal(failed, false)
  let client = 0
  let server = 0
  for (const { exchange, begin, requestEnd, end, abandoned } of observations) {
    assert.equal(abandoned, false, exchange.name)
    assert.equal(exchange.truncated, false, exchange.name)
    assert.equal(begin, client)
    client = requestEnd!
    if (exchange.shape === 'call') server = end!
  }
  const sizes = { client: 0, server: 0 }
  for (const call of calls) sizes[call.sender] += call.bytes.length
  assert.deepEqual([client, server], [sizes.client, sizes.server])
  assert.equal(counters.snapshot()['protocols.memcached.lost_place'], undefined)
  assert.equal(counters.snapshot()['protocols.memcached.unexpected_answer'], undefined)
  return observations
}

/** The same conversation in other pieces, and copied in part. */
function checkCuts(calls: readonly Call[]): void {
  const story = (observations: readonly Observation[]): unknown =>
    observations.map(observation => [observation.begin, observation.end, outcome(observation)])
  const observations = drive(memcached, calls).observations
  const random = seeded(3)
  const pieces = recut(calls, () => 1 + random(3000))
  assert.deepEqual(story(drive(memcached, pieces).observations), story(observations))
  const names = new Map(observations.map(({ exchange, begin }) => [begin, exchange.name]))
  for (const head of [64, 128, 1024]) {
    for (const { exchange, begin, end } of drive(memcached, calls, { head }).observations) {
      if (end !== undefined && !exchange.truncated) assert.equal(exchange.name, names.get(begin), `head ${head}`)
    }
  }
}
