import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { probeOtlpEndpoint } from '../../src/export/probe-otlp-endpoint.js'

test('an endpoint that listens is found, by address, by name and as a socket file', async t => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  for (const url of [`http://127.0.0.1:${port}`, `http://localhost:${port}/v1/traces`, `127.0.0.1:${port}`]) {
    assert.deepEqual(await probeOtlpEndpoint(url, 10_000), { listening: true }, url)
  }

  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-probe-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const local = createServer()
  await new Promise<void>(resolve => local.listen(join(folder, 'otlp.sock'), resolve))
  t.after(() => local.close())
  assert.deepEqual(await probeOtlpEndpoint(`unix://${folder}/otlp.sock`, 10_000), { listening: true })
})

test('an endpoint where nobody listens, and one that is none, say why', async () => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  const closed = await probeOtlpEndpoint(`http://127.0.0.1:${port}`, 10_000)
  assert.deepEqual(closed, { listening: false, reason: 'ECONNREFUSED' })
  assert.deepEqual(await probeOtlpEndpoint('http://'), { listening: false, reason: 'not a URL: http://' })
})
