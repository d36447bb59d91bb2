import assert from 'node:assert/strict'
import { get, request } from 'node:http'
import { type TestContext, test } from 'node:test'
import { createHealthServer, type HealthServerOptions } from '../../src/telemetry/health-server.js'
import { createProcessGauges } from '../../src/telemetry/process-gauges.js'

async function serve(t: TestContext, options: Partial<HealthServerOptions> = {}) {
  const server = await createHealthServer({
    host: '127.0.0.1',
    port: 0,
    metrics: () => [{ name: 'm', type: 'gauge', help: 'M.', samples: [{ value: 1 }] }],
    readiness: () => ({ ready: true, reasons: [] }),
    status: () => ({ spans: 5 }),
    calls: () => ({ groups: [] }),
    ...options,
  })
  t.after(() => server.close())
  return server
}

test('metrics, health, readiness and status are served', async t => {
  const { url } = await serve(t)
  const metrics = await fetch(`${url}/metrics`)
  assert.match(metrics.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/)
  assert.equal(await metrics.text(), '# HELP m M.\n# TYPE m gauge\nm 1\n')
  assert.equal((await fetch(`${url}/healthz`)).status, 200)
  assert.equal((await fetch(`${url}/readyz?verbose`)).status, 200)
  assert.deepEqual(await (await fetch(`${url}/status`)).json(), { spans: 5 })
  assert.deepEqual(await (await fetch(`${url}/calls`)).json(), { groups: [] })
})

test('while it is not ready it says why', async t => {
  const { url } = await serve(t, { readiness: () => ({ ready: false, reasons: ['export fails', 'no archive'] }) })
  const response = await fetch(`${url}/readyz`)
  assert.equal(response.status, 503)
  assert.equal(await response.text(), 'not ready\nexport fails\nno archive\n')
  assert.equal((await fetch(`${url}/healthz`)).status, 200)
})

test('other paths and methods are refused', async t => {
  const { url } = await serve(t)
  assert.equal((await fetch(`${url}/other`)).status, 404)
  assert.equal((await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })).status, 405)
  assert.equal((await fetch(`${url}/metrics`, { method: 'HEAD' })).status, 200)
})

test('a web page cannot read it through a name of its own', async t => {
  const { port } = await serve(t)
  const status = (host: string) =>
    new Promise<number>((resolve, reject) => {
      get({ port, host: '127.0.0.1', path: '/status', headers: { host }, agent: false }, response => {
        response.resume()
        resolve(response.statusCode!)
      }).on('error', reject)
    })
  assert.equal(await status(`evil.example:${port}`), 403)
  assert.equal(await status(`localhost:${port}`), 200)
  assert.equal(await status(`127.0.0.1:${port}`), 200)
  assert.equal(await status(`[::1]:${port}`), 200)
})

test('a port that is taken is an error that says so', async t => {
  const { port } = await serve(t)
  await assert.rejects(serve(t, { port }), { code: 'EADDRINUSE' })
})

test('closing does not wait for somebody who keeps a connection', async t => {
  const server = await serve(t)
  const socket = await new Promise<{ destroyed: boolean }>(resolve => {
    const open = request({ port: server.port, host: '127.0.0.1', path: '/healthz' }, response => response.resume())
    open.on('socket', socket => socket.once('connect', () => resolve(socket)))
    open.on('error', () => {})
    open.write('')
  })
  await server.close()
  await new Promise<void>(resolve => {
    const look = (): void => (socket.destroyed ? resolve() : void setTimeout(look, 10))
    look()
  })
})

test('our own CPU, memory and event loop are gauges', t => {
  const gauges = createProcessGauges()
  t.after(() => gauges.close())
  const byName = new Map(gauges.metrics().map(metric => [metric.name, metric.samples[0]!.value]))
  assert.ok(byName.get('process_cpu_seconds_total')! > 0)
  assert.ok(byName.get('process_resident_memory_bytes')! > 1e6)
  assert.ok(byName.has('ghostspan_event_loop_delay_seconds'))
})
