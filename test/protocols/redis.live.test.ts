import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Attribute } from '../../src/protocols/attribute-names.js'
import { redis } from '../../src/protocols/redis/index.js'
import { type CacheServer, startRedis } from '../support/cache-servers.js'
import { type RecordedConnection, type RecordingProxy, startRecordingProxy } from '../support/recording-proxy.js'
import { program, pythonModule, requires } from '../support/requirements.js'
import { type Call, drive, type Observation, recut, seeded } from './harness.js'

const run = promisify(execFile)

/** redis-py, with every command that leaves it noted: its name and how many arguments, socket by socket. */
const REDIS_PY = `
import redis, sys, json, threading, time
sent = {}
def note(connection, *args):
    words = (args[0].encode() if isinstance(args[0], str) else args[0]).split() + list(args[1:])
    kept.append(connection._sock); sent.setdefault(id(connection._sock), []).append([words[0].decode().upper(), len(words) - 1])
kept = []
pack = redis.connection.Connection.pack_command
def pack_command(self, *args):
    note(self, *args); return pack(self, *args)
redis.connection.Connection.pack_command = pack_command
port = int(sys.argv[1])
errors = []
def failing(f, *a):
    try: f(*a)
    except redis.exceptions.ResponseError as e: errors.append(type(e).__name__ + ' ' + str(e))
    else: raise SystemExit('no error')
r = redis.Redis(port=port, db=3, client_name='ghost')
big = b'secret' * 200000
r.set('big', big); assert r.get('big') == big
r.set('k', 'v', ex=60); assert r.get('nope') is None
r.mset({'key:%d' % i: 'value %d' % i for i in range(200)})
assert len(r.mget(['key:%d' % i for i in range(200)])) == 200
r.rpush('list', *range(5000)); assert len(r.lrange('list', 0, -1)) == 5000
r.hset('hash', mapping={'f%d' % i: i for i in range(50)}); assert len(r.hgetall('hash')) == 50
r.zadd('z', {'a': 1.5, 'b': 2}); r.zrange('z', 0, -1, withscores=True); r.zunion(['z', 'nope'])
r.eval("return {1, {2, {3, 'secret'}}, redis.call('get', KEYS[1])}", 1, 'k', 'arg')
failing(r.lpush, 'k', 'x'); failing(r.execute_command, 'NOSUCH', 'secret'); failing(r.evalsha, 'f' * 40, 0)
p = r.pipeline(transaction=False)
for i in range(300): p.incr('n'); p.get('key:%d' % (i % 200))
p.execute()
p = r.pipeline(transaction=True); p.set('t', 1); p.lrange('list', 0, 100); p.incr('t'); p.execute()
r.xadd('stream', {'a': 1}); r.xread({'stream': 0}); r.xgroup_create('stream', 'g'); r.blpop('nolist', timeout=1)
r.scan(); r.keys('key:1*'); r.config_get('max*'); r.info(); r.object('encoding', 'k'); r.memory_usage('k')
s = r.pubsub(); s.subscribe('news', 'other'); s.psubscribe('n*')
for _ in range(3): assert s.get_message(timeout=5)['type'].endswith('subscribe')
for i in range(20): r.publish('news', 'secret %d' % i)
got = 0
while got < 40:
    m = s.get_message(timeout=5)
    assert m['type'].endswith('message'); got += 1
s.unsubscribe('news'); s.punsubscribe(); s.get_message(timeout=5); s.get_message(timeout=5); s.close()
def work(n):
    for i in range(50): r.set('thread:%d' % n, 'x' * (i * 37)); assert len(r.get('thread:%d' % n)) == i * 37
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
r.connection_pool.disconnect()
print(json.dumps({'sent': list(sent.values()), 'errors': errors}))
`

/** Everything that RESP 3 has and Redis can be asked to say. */
const CLI = `HELLO 3
SET k v
GET k
HSET h a 1 b 2
HGETALL h
SADD s a b c
SMEMBERS s
ZADD z 1.5 a
ZSCORE z a
GET nope
INCR k
DEBUG PROTOCOL double
DEBUG PROTOCOL verbatim
DEBUG PROTOCOL true
DEBUG PROTOCOL null
DEBUG PROTOCOL map
DEBUG PROTOCOL set
DEBUG PROTOCOL push
MULTI
GET k
EXEC
CLIENT TRACKING ON
GET k
SET k w
GET k
`

describe('redis against a real server', () => {
  let server: CacheServer | undefined
  let proxy: RecordingProxy
  const wanted = [program('redis-server'), program('redis-cli'), pythonModule('redis')]
  before(async () => {
    if (!wanted.every(requirement => requirement.met())) return
    server = await startRedis()
    proxy = await startRecordingProxy(server.port)
  })
  after(async () => {
    if (server === undefined) return
    await proxy.close()
    await server.stop()
  })
  /** Connections that were opened since `from`, once both their ends have closed. */
  const closedSince = async (from: number): Promise<readonly RecordedConnection[]> => {
    const limit = Date.now() + 30_000
    while (!proxy.connections.slice(from).every(({ closed }) => closed)) {
      assert.ok(Date.now() < limit, 'connections are still open')
      await sleep(20)
    }
    return proxy.connections.slice(from)
  }

  test('redis-py: every command of every connection, and nothing else', async t => {
    if (!requires(t, ...wanted)) return
    const from = proxy.connections.length
    const { stdout } = await run('/usr/bin/python3', ['-c', REDIS_PY, String(proxy.port)], { maxBuffer: 1 << 24 })
    const did = JSON.parse(stdout) as { sent: [string, number][][]; errors: string[] }
    const connections = await closedSince(from)
    const seen = connections.map(({ calls }) => whole(calls))
    const lines = (of: readonly (readonly (readonly [string, number])[])[]): string[] =>
      of.map(list => list.map(([name, count]) => `${name} ${count}`).join('\n')).sort()
    const placeholders = (text: unknown): number => String(text).split(' ').length - 1
    const said = lines(
      seen.map(observations =>
        observations.map(({ exchange: { name, attributes } }) => [
          name,
          placeholders(attributes[Attribute.dbQueryText]),
        ]),
      ),
    )
    // Texts show at most eight arguments and one mark that there are more.
    const sent = lines(did.sent.map(list => list.map(([name, count]) => [name, Math.min(count, 9)])))
    assert.equal(said.length, sent.length)
    for (const [index, list] of sent.entries()) assert.equal(said[index], list)
    const failures = seen.flat().flatMap(({ exchange }) => exchange.clientError ?? [])
    assert.deepEqual(failures, ['WRONGTYPE', 'ERR', 'NOSCRIPT'])
    assert.equal(did.errors.length, 3)
    const main = seen.find(observations => observations.some(({ exchange }) => exchange.name === 'EVAL'))
    const get = main?.find(({ exchange }) => exchange.name === 'GET')
    assert.equal(get?.exchange.attributes[Attribute.dbNamespace], '3')
    for (const { calls } of connections) checkCuts(calls)
    assert.ok(!JSON.stringify(seen.flat().map(({ exchange }) => exchange)).includes('secret'))
  })

  test('redis-cli speaking RESP 3', async t => {
    if (!requires(t, ...wanted)) return
    const from = proxy.connections.length
    await speak(spawn('redis-cli', ['-p', String(proxy.port)]), CLI)
    const connections = await closedSince(from)
    const observations = connections.flatMap(({ calls }) => whole(calls))
    const names = CLI.trim()
      .split('\n')
      .map(line => line.split(' ')[0]!)
    // redis-cli asks for the server's commands before it begins, by itself.
    const own = observations.filter(({ exchange }) => exchange.name !== 'COMMAND').map(({ exchange }) => exchange.name)
    assert.deepEqual(own, names)
    const failed = observations.filter(({ exchange }) => exchange.clientError !== undefined)
    assert.deepEqual(
      failed.map(({ exchange }) => [exchange.name, exchange.clientError]),
      [['INCR', 'ERR']],
    )
    for (const { calls } of connections) checkCuts(calls)
  })

  test('inline commands, and the types that redis-cli cannot read: attributes and big numbers', async t => {
    if (!requires(t, ...wanted)) return
    const from = proxy.connections.length
    const socket = connect(proxy.port, '127.0.0.1')
    socket.resume()
    socket.end('HELLO 3\r\nSET k v\r\n\r\nDEBUG PROTOCOL attrib\r\nDEBUG PROTOCOL bignum\r\nGET k\r\nQUIT\r\n')
    await once(socket, 'close')
    const observations = (await closedSince(from)).flatMap(({ calls }) => drive(redis, calls).observations)
    assert.deepEqual(
      observations.map(({ exchange, abandoned }) => [exchange.name, exchange.clientError, abandoned]),
      ['HELLO', 'SET', 'DEBUG', 'DEBUG', 'GET', 'QUIT'].map(name => [name, undefined, false]),
    )
    const [get, quit] = observations.slice(-2)
    assert.deepEqual([get!.end! - get!.responseBegin!, quit!.end! - quit!.responseBegin!], [7, 5])
  })

  test('redis-cli watching with MONITOR', async t => {
    if (!requires(t, ...wanted)) return
    const from = proxy.connections.length
    const monitor = spawn('redis-cli', ['-p', String(proxy.port), 'MONITOR'])
    await once(monitor.stdout, 'data')
    await speak(spawn('redis-cli', ['-p', String(server!.port)]), 'SET a 1\nGET a\n')
    const limit = Date.now() + 30_000
    const bytes = (): number => proxy.connections.at(-1)!.calls.reduce((sum, call) => sum + call.bytes.length, 0)
    while (bytes() < 150 && Date.now() < limit) await sleep(20)
    monitor.kill()
    const observations = (await closedSince(from)).flatMap(({ calls }) => drive(redis, calls).observations)
    assert.deepEqual(
      observations.map(({ exchange }) => exchange.name),
      ['MONITOR'],
    )
  })
})

async function speak(child: ChildProcessWithoutNullStreams, text: string): Promise<void> {
  child.stdin.end(text)
  child.stdout.resume()
  child.stderr.resume()
  await once(child, 'close')
}

/** What is read of a connection when everything is copied: all answered, and no byte of the server's left over. */
function whole(calls: readonly Call[]): Observation[] {
  const { observations, failed, counters } = drive(redis, calls)
  assert.equal(failed, false)
  const sizes = { client: 0, server: 0 }
  for (const call of calls) sizes[call.sender] += call.bytes.length
  const isPlain = !observations.some(({ exchange }) => /SUBSCRIBE|CLIENT|DEBUG/.test(exchange.name))
  let client = 0
  let server = 0
  for (const { exchange, begin, requestEnd, responseBegin, end, abandoned } of observations) {
    assert.equal(abandoned, false, exchange.name)
    assert.equal(exchange.truncated, false, exchange.name)
    assert.equal(begin, client)
    client = requestEnd!
    // Pushes stand between answers.
    if (isPlain) assert.equal(responseBegin, server)
    server = end!
  }
  assert.equal(client, sizes.client)
  if (isPlain) assert.equal(server, sizes.server)
  assert.equal(counters.snapshot()['protocols.redis.lost_place'], undefined)
  assert.equal(counters.snapshot()['protocols.redis.unexpected_answer'], undefined)
  return observations
}

/** The same conversation in other pieces, and copied in part. */
function checkCuts(calls: readonly Call[]): void {
  const story = (observations: readonly Observation[]): unknown =>
    observations.map(({ exchange, begin, end }) => [exchange.name, begin, end, exchange.clientError])
  const expected = story(drive(redis, calls).observations)
  const random = seeded(3)
  const pieces = recut(calls, () => 1 + random(3000))
  assert.deepEqual(story(drive(redis, pieces).observations), expected)
  const names = new Map(drive(redis, calls).observations.map(({ exchange, begin }) => [begin, exchange.name]))
  for (const head of [64, 128, 1024]) {
    for (const { exchange, begin, end } of drive(redis, calls, { head }).observations) {
      if (end !== undefined && !exchange.truncated) assert.equal(exchange.name, names.get(begin), `head ${head}`)
    }
  }
}
