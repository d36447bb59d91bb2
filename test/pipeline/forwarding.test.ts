import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CaptureBuilder, type OpenPair, type Side } from '../support/capture-builder.js'
import { outline, runPipeline } from '../support/run-pipeline.js'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const request = (path: string, headers = ''): string => `GET ${path} HTTP/1.1\r\nHost: shop\r\n${headers}\r\n`

const browser: Side = { pid: 5 }
const proxy: Side = { pid: 10 }
const shop: Side = { pid: 20 }

function servers(): CaptureBuilder {
  return new CaptureBuilder()
    .process(proxy.pid, ['haproxy'], { exe: '/usr/sbin/haproxy', listens: [80] })
    .process(shop.pid, ['shop'], { exe: '/usr/bin/shop', listens: [8000] })
    .process(browser.pid, ['curl'], { exe: '/usr/bin/curl' })
}

/** Reads all requests before it passes the first one on, in the order given. */
function passOn(capture: CaptureBuilder, paths: readonly string[], order: readonly number[]): void {
  const outer = paths.map(() => capture.connect(browser, proxy, 80))
  const inner = order.map(() => capture.connect(proxy, shop, 8000))
  paths.forEach((path, i) => void capture.request(outer[i]!, undefined, proxy, request(path)))
  order.forEach((i, k) => void capture.request(inner[k]!, proxy, undefined, request(paths[i]!, 'X-Via: proxy\r\n')))
  order.forEach((i, k) => {
    capture.respond(inner[k]!, undefined, proxy, OK)
    capture.respond(outer[i]!, proxy, undefined, OK)
  })
}

test('A proxy that reads requests in batches passes on what has their method and target', async () => {
  const capture = servers()
  capture.at(1_000_000)
  passOn(capture, ['/a?x=1', '/b', '/c?x=1'], [2, 0, 1])
  capture.at(5_000_000).exit({ pid: 99 })
  const { traces } = await runPipeline(capture.source())
  const pairs = traces.map(({ spans }) => spans.map(span => span.attributes['url.path']))
  assert.deepEqual(pairs.sort(), [
    ['/a', '/a'],
    ['/b', '/b'],
    ['/c', '/c'],
  ])
  assert.ok(traces.every(({ spans }) => spans[1]?.link?.evidence === 'content'))
})

test('Of equal requests that are open together none is guessed', async () => {
  const capture = servers()
  capture.at(1_000_000)
  passOn(capture, ['/same', '/same', '/same', '/same'], [2, 0, 3, 1])
  capture.at(5_000_000).exit({ pid: 99 })
  const { spans } = await runPipeline(capture.source())
  const links = spans.flatMap(({ link }) => (link === undefined ? [] : [link]))
  assert.ok(links.every(({ strengths }) => strengths.content === 0))
})

test('The first of two equal requests, passed on before the second came, leaves the second to the second call', async () => {
  const capture = servers()
  capture.at(1_000_000)
  const outer = [capture.connect(browser, proxy, 80), capture.connect(browser, proxy, 80)] as const
  const inner: OpenPair[] = []
  for (const pair of outer) {
    capture.request(pair, undefined, proxy, request('/same'))
    const onward = capture.connect(proxy, shop, 8000)
    inner.push(onward)
    capture.request(onward, proxy, undefined, request('/same'))
  }
  for (const [index, onward] of inner.entries()) {
    capture.respond(onward, undefined, proxy, OK).respond(outer[index]!, proxy, undefined, OK)
  }
  capture.at(5_000_000).exit({ pid: 99 })
  const { spans } = await runPipeline(capture.source())
  const contents = spans.flatMap(({ link }) => (link === undefined ? [] : [link.strengths.content]))
  assert.equal(contents.length, 2)
  assert.ok(contents.every(strength => strength > 0.8))
})

test('What is passed on gets surer with every request that is', async () => {
  const capture = servers()
  for (let i = 0; i < 200; i++) {
    capture.at(1_000_000 + i * 10_000)
    passOn(capture, [`/item/a${i}`, `/item/b${i}`], [1, 0])
  }
  capture.at(9_000_000).exit({ pid: 99 })
  const { traces, spans } = await runPipeline(capture.source())
  assert.ok(traces.every(trace => trace.spans.length === 2))
  const right = traces.every(trace => trace.spans[0]!.attributes['url.path'] === trace.spans[1]!.attributes['url.path'])
  assert.ok(right)
  const sure = spans.map(({ link }) => link?.confidence ?? 1)
  assert.ok(Math.min(...sure) < 0.95 && Math.max(...sure.filter(each => each < 1)) > 0.99)
})

test('A service that asks for what it was asked for now and then is no proxy: what its threads do counts', async () => {
  const capture = servers()
  const thread = (tid: number): Side => ({ pid: proxy.pid, tid })
  const outer = [capture.connect(browser, thread(11), 80), capture.connect(browser, thread(12), 80)] as const
  const inner = [capture.connect(thread(11), shop, 8000), capture.connect(thread(12), shop, 8000)] as const
  // Many requests that lead to other ones, each on its own thread …
  for (let i = 0; i < 40; i++) {
    capture.at(1_000_000 + i * 10_000)
    capture.request(outer[0], undefined, thread(11), request(`/page/${i}`))
    capture.request(inner[0], thread(11), undefined, request(`/part/${i}`))
    capture.respond(inner[0], undefined, thread(11), OK).respond(outer[0], thread(11), undefined, OK)
  }
  // … and one that asks for what another thread is being asked for.
  capture.request(outer[0], undefined, thread(11), request('/health'))
  capture.request(outer[1], undefined, thread(12), request('/page/x'))
  capture.request(inner[1], thread(12), undefined, request('/health'))
  capture.respond(inner[1], undefined, thread(12), OK).respond(outer[1], thread(12), undefined, OK)
  capture.respond(outer[0], thread(11), undefined, OK)
  capture.at(5_000_000).exit({ pid: 99 })
  const { traces } = await runPipeline(capture.source())
  const last = traces.find(({ spans }) => spans.some(span => span.attributes['url.path'] === '/page/x'))
  assert.deepEqual(outline(last), ['haproxy server GET /page/x', '  haproxy client GET /health (context 0.9998)'])
})
