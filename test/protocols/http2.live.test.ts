import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import grpc from '@grpc/grpc-js'
import { http2 } from '../../src/protocols/http2/index.js'
import { type RecordingProxy, startRecordingProxy } from '../support/recording-proxy.js'
import { program, requires } from '../support/requirements.js'
import { accepts, freePort, startServerProcess } from '../support/server-process.js'
import { type Call, drive, type Observation } from './harness.js'

const run = promisify(execFile)

/** What is compared of an exchange: `GET /path 200`, or `package.Service/Method OK`, with its bodies' lengths. */
function told({ exchange, abandoned }: Observation): string {
  const { attributes, name } = exchange
  const status = attributes['rpc.status_code'] ?? attributes['http.response.status_code'] ?? '-'
  const doubt = `${exchange.truncated ? ' truncated' : ''}${abandoned ? ' abandoned' : ''}`
  return `${name} ${status} ${exchange.requestBodyBytes} ${exchange.responseBodyBytes}${doubt}`
}
const read = (calls: readonly Call[], head?: number, tail?: number): string[] =>
  drive(http2, calls, { ...(head === undefined ? {} : { head }), ...(tail === undefined ? {} : { tail }) })
    .observations.map(told)
    .sort()

async function startNghttpd(t: TestContext): Promise<RecordingProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'ghostspan-http2-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'small.txt'), 'small\n')
  await writeFile(join(folder, 'large.txt'), 'all work and no play\n'.repeat(20_000))
  const port = await freePort()
  const args = ['--no-tls', '--address=127.0.0.1', '-d', folder, '--trailer', 'x-end: yes', String(port)]
  const server = await startServerProcess({ command: 'nghttpd', args, cwd: folder, ready: () => accepts(port) })
  t.after(() => server.stop())
  const proxy = await startRecordingProxy(port)
  t.after(() => proxy.close())
  return proxy
}

test('exchanges with a real nghttpd are what nghttp asked for, whole and as far as they are copied', async t => {
  if (!requires(t, program('nghttpd'), program('nghttp'))) return
  const proxy = await startNghttpd(t)
  const url = (path: string): string => `http://127.0.0.1:${proxy.port}${path}`
  const paths = ['/small.txt', '/large.txt', '/missing', '/small.txt?again', '/large.txt?again']
  await run('nghttp', ['-n', '--continuation', '--padding=30', ...paths.map(url)])
  await run('nghttp', ['-n', '--no-dep', '--header-table-size=0', '-H', 'x-a: b', ...paths.map(url)])
  await run('nghttp', ['-n', '--header-table-size=16384', '--encoder-header-table-size=100', ...paths.map(url)])
  const sizes: Record<string, number> = { '/small.txt': 6, '/large.txt': 420_000 }
  const expected = paths
    .map(path => path.split('?')[0]!)
    .map(path => ({ path, size: sizes[path] }))
    .map(({ path, size }) => (size === undefined ? `GET ${path} 404` : `GET ${path} 200 0 ${size}`))
    .sort()
  assert.equal(proxy.connections.length, 3)
  for (const { calls } of proxy.connections) {
    const withoutSizeOfErrors = read(calls).map(line => line.replace(/ 404 0 \d+$/, ' 404'))
    assert.deepEqual(withoutSizeOfErrors, expected)
  }
  // A block of 16 KiB is not copied, and what the same call holds behind it is lost; but nothing is made up.
  const name = (line: string): string => line.split(' ').slice(0, 2).join(' ')
  for (const [index, { calls }] of proxy.connections.entries()) {
    const names = read(calls, 1024, http2.wants.serverTail).map(name)
    if (index > 0) assert.deepEqual(names, expected.map(name))
    else assert.ok(names.length > 0 && names.every(each => expected.map(name).includes(each)))
  }
})

test('every request of h2load is told, with many open at once', async t => {
  if (!requires(t, program('nghttpd'), program('h2load'))) return
  const proxy = await startNghttpd(t)
  await run('h2load', ['-n', '400', '-c', '4', '-m', '20', `http://127.0.0.1:${proxy.port}/small.txt`])
  const lines = proxy.connections.flatMap(({ calls }) => read(calls))
  assert.equal(lines.length, 400)
  assert.deepEqual(new Set(lines), new Set(['GET /small.txt 200 0 6']))
})

const IDENTITY = { requestSerialize: (b: Buffer) => b, requestDeserialize: (b: Buffer) => b } as const
const ANSWERS = { responseSerialize: (b: Buffer) => b, responseDeserialize: (b: Buffer) => b } as const
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/ghost.Cart/${name}`,
  requestStream,
  responseStream,
  ...IDENTITY,
  ...ANSWERS,
})
const CART = {
  get: method('Get', false, false),
  fail: method('Fail', false, false),
  watch: method('Watch', false, true),
  chat: method('Chat', true, true),
  never: method('Never', false, false),
}

async function startGrpc(t: TestContext): Promise<{ proxy: RecordingProxy; cart: grpc.Client }> {
  const server = new grpc.Server()
  server.addService(CART, {
    get: (call: { request: Buffer }, done: grpc.sendUnaryData<Buffer>) => done(null, call.request),
    fail: (_: unknown, done: grpc.sendUnaryData<Buffer>) =>
      done({ code: grpc.status.FAILED_PRECONDITION, details: 'no' }, null),
    watch: (call: grpc.ServerWritableStream<Buffer, Buffer>) => {
      for (let n = 0; n < 5; n++) call.write(Buffer.alloc(1000, n))
      call.end()
    },
    chat: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => {
      call.on('data', (each: Buffer) => call.write(each))
      call.on('end', () => call.end())
    },
    never: () => {},
  })
  const port = await promisify(server.bindAsync.bind(server))('127.0.0.1:0', grpc.ServerCredentials.createInsecure())
  t.after(() => server.forceShutdown())
  const proxy = await startRecordingProxy(port)
  t.after(() => proxy.close())
  const cart = new grpc.Client(`127.0.0.1:${proxy.port}`, grpc.credentials.createInsecure())
  t.after(() => cart.close())
  return { proxy, cart }
}

test('gRPC calls of a real client and server, unary, streaming, failing and cancelled, are one exchange each', async t => {
  const { proxy, cart } = await startGrpc(t)
  const same = (b: Buffer): Buffer => b
  const unary = (name: string, body: Buffer, options: grpc.CallOptions = {}): Promise<string> =>
    new Promise(resolve => {
      cart.makeUnaryRequest(`/ghost.Cart/${name}`, same, same, body, options, error =>
        resolve(error === null ? 'OK' : grpc.status[error.code]!),
      )
    })
  assert.equal(await unary('Get', Buffer.alloc(10)), 'OK')
  assert.equal(await unary('Fail', Buffer.alloc(3)), 'FAILED_PRECONDITION')
  assert.equal(await unary('Missing', Buffer.alloc(3)), 'UNIMPLEMENTED')
  assert.equal(await unary('Get', Buffer.alloc(20_000)), 'OK')
  assert.deepEqual(
    await Promise.all(Array.from({ length: 20 }, () => unary('Get', Buffer.alloc(7)))),
    Array.from({ length: 20 }, () => 'OK'),
  )
  const watch = cart.makeServerStreamRequest('/ghost.Cart/Watch', same, same, Buffer.alloc(1))
  watch.resume()
  await once(watch, 'end')
  const chat = cart.makeBidiStreamRequest('/ghost.Cart/Chat', same, same)
  for (let n = 0; n < 3; n++) {
    chat.write(Buffer.alloc(100))
    await once(chat, 'data')
  }
  chat.end()
  chat.resume()
  await once(chat, 'end')
  assert.equal(await unary('Never', Buffer.alloc(1), { deadline: Date.now() + 300 }), 'DEADLINE_EXCEEDED')
  const lines = proxy.connections.flatMap(({ calls }) => read(calls))
  assert.deepEqual(lines, [
    'ghost.Cart/Chat OK 315 315',
    'ghost.Cart/Fail FAILED_PRECONDITION 8 0',
    ...Array.from({ length: 20 }, () => 'ghost.Cart/Get OK 12 12'),
    'ghost.Cart/Get OK 15 15',
    'ghost.Cart/Get OK 20005 20005',
    'ghost.Cart/Missing UNIMPLEMENTED 8 0',
    'ghost.Cart/Never - 6 undefined abandoned',
    'ghost.Cart/Watch OK 6 5025',
  ])
  // Joined in the middle, nothing is told that was not so.
  const [first] = proxy.connections
  const names = new Set(lines.map(line => line.split(' ')[0]))
  for (let from = 1; from < first!.calls.length; from++) {
    for (const { exchange } of drive(http2, first!.calls.slice(from), { joined: true }).observations) {
      assert.ok(exchange.truncated || names.has(exchange.name), `${exchange.name}, joined at call ${from}`)
    }
  }
})

test('trailers, resets and early answers of Node.js own server are told', async t => {
  const server = createServer()
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {})
    if (headers[':path'] === '/reset') return stream.close(2)
    stream.respond({ ':status': headers[':path'] === '/busy' ? 503 : 200 }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-checksum': 'abc' }))
    stream.end('done')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.close())
  const proxy = await startRecordingProxy((server.address() as AddressInfo).port)
  t.after(() => proxy.close())
  if (!requires(t, program('nghttp'))) return
  const urls = ['/a', '/busy', '/reset'].map(path => `http://127.0.0.1:${proxy.port}${path}`)
  await run('nghttp', ['-n', ...urls]).catch(() => undefined)
  const { observations } = drive(http2, proxy.connections[0]!.calls)
  assert.deepEqual(observations.map(told), ['GET /a 200 0 4', 'GET /busy 503 0 4', 'GET /reset - 0 0'])
  assert.equal(observations[2]!.exchange.serverError, 'INTERNAL_ERROR')
})
