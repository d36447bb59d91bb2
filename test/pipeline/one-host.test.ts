import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CaptureBuilder } from '../support/capture-builder.js'
import { outline, runPipeline } from '../support/run-pipeline.js'

const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: shop\r\n\r\n`
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const REDIS_GET = '*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n'
const REDIS_VALUE = '$5\r\nvalue\r\n'

const browser = { pid: 5 }
const nginx = { pid: 10 }
const redis = { pid: 40 }

/** nginx, one thread, in front of a service with native threads that uses Redis. */
function shop(): { capture: CaptureBuilder; worker: (tid: number) => { pid: number; tid: number } } {
  const capture = new CaptureBuilder()
    .process(nginx.pid, ['nginx: worker process'], { exe: '/usr/sbin/nginx', listens: [80] })
    .process(20, ['/usr/bin/python3', '/usr/bin/gunicorn', 'web:app'], { exe: '/usr/bin/python3.11', listens: [8000] })
    .process(redis.pid, ['redis-server'], { exe: '/usr/bin/redis-server', listens: [6379] })
    .process(browser.pid, ['curl'], { exe: '/usr/bin/curl' })
  return { capture, worker: tid => ({ pid: 20, tid }) }
}

test('Two requests that overlap in an event loop and in threads come out as two whole traces', async () => {
  const { capture, worker } = shop()
  const outer = [capture.connect(browser, nginx, 80), capture.connect(browser, nginx, 80)] as const
  const threads = [worker(21), worker(22)] as const
  // Both requests are read and sent on before either is answered; the answers come in the other order.
  capture.request(outer[0], undefined, nginx, GET('/a'))
  const first = capture.connect(nginx, threads[0], 8000)
  capture.request(first, nginx, threads[0], GET('/a'))
  capture.request(outer[1], undefined, nginx, GET('/b'))
  const second = capture.connect(nginx, threads[1], 8000)
  capture.request(second, nginx, threads[1], GET('/b'))
  const pool = [capture.connect(threads[0], redis, 6379), capture.connect(threads[1], redis, 6379)] as const
  capture.request(pool[0], threads[0], redis, REDIS_GET).request(pool[1], threads[1], redis, REDIS_GET)
  capture.respond(pool[1], redis, threads[1], REDIS_VALUE).respond(pool[0], redis, threads[0], REDIS_VALUE)
  capture.respond(second, threads[1], nginx, OK).respond(outer[1], nginx, undefined, OK)
  capture.respond(first, threads[0], nginx, OK).respond(outer[0], nginx, undefined, OK)

  const { traces, counters } = await runPipeline(capture.source())
  const expected = (path: string): string[] => [
    `nginx server GET ${path}`,
    `  nginx client GET ${path} (context 1)`,
    `    web server GET ${path} (wire 1)`,
    '      web client GET (context 1)',
  ]
  assert.deepEqual(traces.map(outline).sort(), [expected('/a'), expected('/b')])
  assert.equal(counters['samples.far_end_of_leaf'], 2)
})

test('The same capture gives the same traces, whatever the batches', async () => {
  const build = (): CaptureBuilder => {
    const { capture, worker } = shop()
    const thread = worker(21)
    const outer = capture.connect(browser, thread, 8000)
    const pool = capture.connect(thread, redis, 6379)
    for (let i = 0; i < 20; i++) {
      capture.at(i * 700_000)
      capture.request(outer, browser, thread, GET(`/items/${i}`))
      capture.request(pool, thread, redis, REDIS_GET).respond(pool, redis, thread, REDIS_VALUE)
      capture.respond(outer, thread, browser, OK)
    }
    return capture
  }
  const whole = JSON.stringify((await runPipeline(build().source())).traces)
  assert.equal(JSON.stringify((await runPipeline(build().source())).traces), whole)
  const piecemeal = await runPipeline(build().source(1))
  const ids = (text: string): string[] => [...text.matchAll(/"spanId":"(\w+)"/g)].map(match => match[1]!).sort()
  assert.deepEqual(ids(JSON.stringify(piecemeal.traces)), ids(whole))
  assert.equal(piecemeal.traces.length, 20)
})

test('A connection whose first half was never seen gives spans from the next message on', async () => {
  const { capture, worker } = shop()
  const thread = worker(21)
  const outer = capture.connect(browser, thread, 8000)
  capture.request(outer, browser, undefined, GET('/lost'))
  capture.respond(outer, undefined, browser, OK)
  capture.request(outer, browser, thread, GET('/seen')).respond(outer, thread, browser, OK)
  const { spans } = await runPipeline(capture.source())
  assert.ok(spans.some(span => span.kind === 'server' && span.name === 'GET /seen'))
  assert.ok(!spans.some(span => span.kind === 'server' && span.name === 'GET /lost'))
})

test('A request that is never answered is a span that says so', async () => {
  const { capture, worker } = shop()
  const thread = worker(21)
  const outer = capture.connect(browser, thread, 8000)
  capture.request(outer, browser, thread, GET('/hangs'))
  capture.at(5_000_000).close(outer, browser, thread)
  const { spans } = await runPipeline(capture.source())
  assert.equal(spans.length, 2)
  for (const span of spans) {
    assert.equal(span.attributes['ghostspan.response.observed'], false)
    assert.equal(span.durationNs > 4e9, true)
  }
})

test('A connection that changes its protocol is read as the new one', async () => {
  const { capture, worker } = shop()
  const thread = worker(21)
  const pair = capture.connect(thread, redis, 6379)
  const upgrade = 'GET /chat HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: redis\r\n\r\n'
  capture.request(pair, thread, redis, upgrade)
  capture.respond(
    pair,
    redis,
    thread,
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: redis\r\nConnection: Upgrade\r\n\r\n',
  )
  capture.request(pair, thread, redis, REDIS_GET).respond(pair, redis, thread, REDIS_VALUE)
  const { spans } = await runPipeline(capture.source())
  assert.deepEqual(
    [...new Set(spans.filter(span => span.kind === 'client').map(span => span.sample.protocol))],
    ['http', 'redis'],
  )
})

test('What stands behind the answer that switches protocols, in the same call, is read as the new one', async () => {
  const { capture, worker } = shop()
  const pair = capture.connect(worker(21), redis, 6379)
  capture.request(
    pair,
    worker(21),
    redis,
    'GET /chat HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
  )
  const second = GET('/second')
  capture.respond(
    pair,
    redis,
    worker(21),
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
  )
  capture.request(pair, worker(21), redis, second).respond(pair, redis, worker(21), OK)
  const { spans } = await runPipeline(capture.source())
  assert.ok(spans.some(span => span.kind === 'client' && span.name === 'GET /second'))
})

test('Bytes of no known protocol make no span, and the connection is left alone', async () => {
  const { capture, worker } = shop()
  const thread = worker(21)
  const pair = capture.connect(thread, redis, 9_999)
  for (let i = 0; i < 50; i++) capture.request(pair, thread, redis, '\u0001\u0002\u00ff\u0000binary')
  const { spans, counters } = await runPipeline(capture.source())
  assert.equal(spans.length, 0)
  assert.equal(counters['samples.connections.unrecognised'], 2)
})

test('Lost records are counted from what the capture says', async () => {
  const { capture } = shop()
  const { status, counters } = await runPipeline(capture.lost('ring_full', 7).lost('ring_full', 2).source())
  assert.equal(status.lostEvents, 9)
  assert.equal(counters['capture.lost.ring_full'], 9)
})

test('A protocol that is switched off is not read', async () => {
  const { capture, worker } = shop()
  const pair = capture.connect(worker(21), redis, 6379)
  capture.request(pair, worker(21), redis, REDIS_GET).respond(pair, redis, worker(21), REDIS_VALUE)
  const { spans } = await runPipeline(capture.source(), { disabledProtocols: ['redis'] })
  assert.equal(spans.length, 0)
})

test('Rules of the operator name a service', async () => {
  const { capture, worker } = shop()
  const pair = capture.connect(browser, worker(21), 8000)
  capture.request(pair, browser, worker(21), GET('/')).respond(pair, worker(21), browser, OK)
  const serviceRules = [{ name: 'storefront', port: 8000 }]
  const { spans } = await runPipeline(capture.source(), { serviceRules })
  assert.equal(spans.find(span => span.kind === 'server')?.resource.service, 'storefront')
})

test('Both ends of a Unix connection are joined although the client never learns who its peer was', async () => {
  const { capture, worker } = shop()
  const thread = worker(21)
  const pair = { clientId: 901, serverId: 902, clientPosition: 0, serverPosition: 0 }
  // nginx writes before its peer is accepted, and reads the answer when its peer is gone.
  capture.unixEnd(nginx, 901, 'opened', 5_001, 0).request(pair, nginx, undefined, GET('/a'))
  pair.clientPosition = 0
  capture.unixEnd(thread, 902, 'accepted', 5_002, 5_001).request(pair, undefined, thread, GET('/a'))
  capture.respond(pair, thread, nginx, OK)
  const { traces } = await runPipeline(capture.source())
  assert.deepEqual(traces.map(outline), [['nginx client GET /a', '  web server GET /a (wire 1)']])
})

test('A Unix connection whose client is told of its peer later is joined as well', async () => {
  const { capture, worker } = shop()
  const thread = worker(21)
  const pair = { clientId: 901, serverId: 902, clientPosition: 0, serverPosition: 0 }
  capture.unixEnd(nginx, 901, 'opened', 5_001, 0).request(pair, nginx, undefined, GET('/a'))
  capture.unixEnd(nginx, 901, 'opened', 5_001, 5_002)
  pair.clientPosition = 0
  capture.unixEnd(thread, 902, 'accepted', 5_002, 5_001).request(pair, undefined, thread, GET('/a'))
  capture.at(900_000).respond(pair, thread, nginx, OK)
  const { traces } = await runPipeline(capture.source())
  assert.deepEqual(traces.map(outline), [['nginx client GET /a', '  web server GET /a (wire 1)']])
})

test('A glob of a service rule means what it means in a rule of selection', async () => {
  const { capture, worker } = shop()
  const pair = capture.connect(browser, worker(21), 8000)
  capture.request(pair, browser, worker(21), GET('/')).respond(pair, worker(21), browser, OK)
  const nameWith = async (executable: string): Promise<string | undefined> =>
    (await runPipeline(capture.source(), { serviceRules: [{ name: 'named', executable }] })).spans.find(
      span => span.kind === 'server',
    )?.resource.service
  assert.equal(await nameWith('python3*'), 'named')
  assert.equal(await nameWith('/**/python3*'), 'named')
  assert.equal(await nameWith('/*/python3*'), 'web')
})
