import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { status } from '@grpc/grpc-js'
import { createBackOff } from '../../src/export/back-off.js'
import { createSpanConverter } from '../../src/export/exported-span.js'
import { createOtlpExporter } from '../../src/export/otlp-exporter.js'
import { retryDelayMillis } from '../../src/export/otlp-failure.js'
import type { OtlpEndpoint } from '../../src/export/otlp-options.js'
import { parseRetryAfter } from '../../src/export/retry-after.js'
import { program, requires } from '../support/requirements.js'
import { span } from './finished-traces.js'
import { startGrpcReceiver, startHttpReceiver } from './otlp-receiver.js'
import { encode } from './otlp-schema.js'

function open(t: TestContext, endpoint: OtlpEndpoint) {
  const exporter = createOtlpExporter({ timeoutMillis: 500, ...endpoint }, '1.0')
  t.after(() => exporter.close())
  return exporter
}

const spans = () => [createSpanConverter({ version: '1.0' }).convert(span())]

test('grpc: RetryInfo in the status says when to come back', async t => {
  const receiver = await startGrpcReceiver({
    answer: () => ({ kind: 'fail', code: status.UNAVAILABLE, details: 'busy', retryAfterSeconds: 7.25 }),
  })
  t.after(() => receiver.close())
  const result = await open(t, { url: receiver.url }).send(spans())
  assert.deepEqual(result, { kind: 'retry', reason: 'UNAVAILABLE: busy', afterMillis: 7_250 })
})

test('http: a Retry-After longer than the timeout is for the next attempt', async t => {
  const receiver = await startHttpReceiver({ answer: () => ({ kind: 'fail', code: 503, retryAfterSeconds: 7 }) })
  t.after(() => receiver.close())
  const exporter = open(t, { url: receiver.url, protocol: 'http/protobuf' })
  const result = await exporter.send(spans())
  assert.equal(result.kind, 'retry')
  assert.equal(result.kind === 'retry' && result.afterMillis, 7_000)
  assert.equal(receiver.headers.length, 1)
})

test('nobody listens: both transports say so and may be asked again', async t => {
  const receiver = await startHttpReceiver()
  await receiver.close()
  const http = await open(t, { url: receiver.url, protocol: 'http/json' }).send(spans())
  assert.equal(http.kind, 'retry')
  assert.match(http.kind === 'retry' ? http.reason : '', /ECONNREFUSED/)
  const grpc = await open(t, { url: `http://127.0.0.1:${receiver.port}` }).send(spans())
  assert.equal(grpc.kind, 'retry')
  assert.match(grpc.kind === 'retry' ? grpc.reason : '', /ECONNREFUSED/)
})

for (const protocol of ['grpc', 'http/protobuf'] as const) {
  test(`${protocol}: TLS with an authority of one's own; without it the receiver is not trusted`, async t => {
    if (!requires(t, program('openssl'))) return
    const tls = selfSigned(t)
    const receiver = await (protocol === 'grpc' ? startGrpcReceiver({ tls }) : startHttpReceiver({ tls }))
    t.after(() => receiver.close())
    const trusting = open(t, { url: receiver.url, protocol, timeoutMillis: 10_000, tls: { authorities: tls.cert } })
    assert.deepEqual(await trusting.send(spans()), { kind: 'sent' })
    const strict = await open(t, { url: receiver.url, protocol, timeoutMillis: 10_000 }).send(spans())
    assert.match(strict.kind === 'sent' ? '' : strict.reason, /self-signed|DEPTH_ZERO/)
    assert.equal(receiver.requests.length, 1)
  })
}

function selfSigned(t: TestContext): { cert: Buffer; key: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-tls-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const what = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert]
  const whom = ['-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync('openssl', ['req', '-x509', ...what, ...whom], { stdio: 'ignore' })
  return { cert: readFileSync(cert), key: readFileSync(key) }
}

test('the back-off doubles up to its limit, jittered by a half, and starts over after a success', () => {
  const upper = createBackOff({ firstMillis: 100, longestMillis: 1_000, random: () => 1 })
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6].map(() => upper.failed(undefined)),
    [100, 200, 400, 800, 1_000, 1_000],
  )
  upper.succeeded()
  assert.equal(upper.failed(undefined), 100)
  const lower = createBackOff({ firstMillis: 100, longestMillis: 1_000, random: () => 0 })
  assert.deepEqual(
    [1, 2, 3].map(() => lower.failed(undefined)),
    [50, 100, 200],
  )
  assert.equal(lower.failed(5_000), 5_000, "the receiver's wish")
  assert.equal(lower.failed(1e9), 600_000, 'but not forever')
})

test('Retry-After is read in seconds and as a date', () => {
  const now = Date.parse('Sun, 23 Nov 2025 14:00:00 GMT')
  assert.equal(parseRetryAfter('120', now), 120_000)
  assert.equal(parseRetryAfter('Sun, 23 Nov 2025 14:00:30 GMT', now), 30_000)
  assert.equal(parseRetryAfter('Sun, 23 Nov 2025 13:00:00 GMT', now), 0)
  assert.equal(parseRetryAfter('soon', now), undefined)
  assert.equal(parseRetryAfter(undefined, now), undefined)
})

test('RetryInfo: no prefix and no mutation of a status makes the reader throw', () => {
  const value = encode('RetryInfo', { retryDelay: { seconds: 3, nanos: 5e8 } })
  const whole = encode('RpcStatus', { code: 14, details: [{ typeUrl: 'x/google.rpc.RetryInfo', value }] })
  assert.equal(retryDelayMillis(whole), 3_500)
  for (let length = 0; length < whole.length; length++) retryDelayMillis(whole.subarray(0, length))
  for (let at = 0; at < whole.length; at++) {
    for (const byte of [0, 1, 0x7f, 0x80, 0xff]) {
      const mutated = Buffer.from(whole)
      mutated[at] = byte
      retryDelayMillis(mutated)
    }
  }
})
