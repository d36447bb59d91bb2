import assert from 'node:assert/strict'
import { test } from 'node:test'
import { overheadOf } from '../../bench/openstack/overhead.js'
import { scoreCalls } from '../../bench/openstack/score-calls.js'
import { tempestCalls } from '../../bench/openstack/tempest-calls.js'
import type { Turn, Variant } from '../../bench/openstack/turns.js'
import type { RebuiltSpan } from '../../src/compare/rebuilt-span.js'

/** Lines as Tempest 33 wrote them in the lab. */
const LOG = `2026-11-25 07:38:10.421 12304 INFO tempest.lib.common.rest_client [req-29c6ea86-288a-440d-89ea-52570bf7628f req-29c6ea86-288a-440d-89ea-52570bf7628f ] Request (TokensV3Test:setUpClass): 201 POST http://127.0.0.1:5000/v3/auth/tokens 0.058s
2026-11-25 07:38:10.421 12304 DEBUG tempest.lib.common.rest_client [req-29c6ea86-288a-440d-89ea-52570bf7628f req-29c6ea86-288a-440d-89ea-52570bf7628f ] Request - Headers: {'Content-Type': 'application/json'}
2026-11-25 07:38:10.581 12304 INFO tempest.lib.common.rest_client [req-06cdf73f-d3ac-48c6-9585-c8227f00d67e req-06cdf73f-d3ac-48c6-9585-c8227f00d67e ] Request (TokensV3Test:setUpClass): 200 GET http://127.0.0.1:5000/v3/domains?name=Default 0.089s
`
const calls = tempestCalls(LOG)

function span(fields: Partial<RebuiltSpan>, call = calls[0]!): RebuiltSpan {
  return {
    traceId: 'a',
    spanId: '1',
    parentSpanId: undefined,
    service: 'tempest',
    kind: 'client',
    protocol: 'http',
    name: 'x',
    startUs: call.endUs - call.durationUs,
    endUs: call.endUs,
    attributes: {
      'process.pid': call.pid,
      'http.request.method': call.method,
      'url.path': call.path,
      'http.response.status_code': call.status,
    },
    ...fields,
  }
}
const first = span({})
const second = span({ traceId: 'b', spanId: '2' }, calls[1])
const figures = (spans: readonly RebuiltSpan[]) => {
  const { traced, oneRoot, merged } = scoreCalls(calls, spans)
  return { traced, oneRoot, merged }
}

test("Tempest's log gives its calls, without their queries", () => {
  assert.deepEqual(
    calls.map(({ pid, method, path, status, port, durationUs }) => ({ pid, method, path, status, port, durationUs })),
    [
      { pid: 12304, method: 'POST', path: '/v3/auth/tokens', status: 201, port: 5000, durationUs: 58_000 },
      { pid: 12304, method: 'GET', path: '/v3/domains', status: 200, port: 5000, durationUs: 89_000 },
    ],
  )
  assert.equal(calls[1]!.endUs - calls[0]!.endUs, 160_000)
})

test('a call is whole when its span is the only root and no parent is missing', () => {
  assert.deepEqual(figures([first, second]), { traced: 2, oneRoot: 2, merged: 0 })
  const server = span({ kind: 'server', spanId: '3', parentSpanId: '1' })
  assert.deepEqual(figures([first, server, second]), { traced: 2, oneRoot: 2, merged: 0 })
  assert.deepEqual(figures([first, { ...server, parentSpanId: 'gone' }, second]), { traced: 2, oneRoot: 1, merged: 0 })
  assert.deepEqual(figures([first, { ...server, parentSpanId: undefined }, second]), {
    traced: 2,
    oneRoot: 1,
    merged: 0,
  })
})

test('a call without a span, and two calls in one trace, are told', () => {
  assert.deepEqual(figures([first]), { traced: 1, oneRoot: 1, merged: 0 })
  assert.deepEqual(figures([first, { ...second, traceId: 'a', parentSpanId: '1' }]), {
    traced: 2,
    oneRoot: 1,
    merged: 1,
  })
  const late = { ...first, endUs: first.endUs + 1e6 }
  assert.deepEqual(figures([late, second]), { traced: 1, oneRoot: 1, merged: 0 })
  const ofAnother = { ...first, attributes: { ...first.attributes, 'process.pid': 1 } }
  assert.deepEqual(figures([ofAnother, second]), { traced: 1, oneRoot: 1, merged: 0 })
})

test('overhead is taken pair by pair, and one pair has no interval', () => {
  const turn = (variant: Variant, pair: number, durationS: number, servicesCpuMs: number): Turn => ({
    variant,
    suite: 'smoke',
    concurrency: 1,
    pair,
    passed: 1,
    failed: 0,
    durationS,
    servicesCpuMs,
    backEndsCpuMs: 0,
    machineBusyMs: 0,
    calls: 1,
    p50Ms: 10,
    p95Ms: 10,
    p99Ms: 10,
  })
  const turns = [turn('off', 1, 100, 1_000), turn('osprofiler', 1, 110, 1_200), turn('osprofiler', 2, 50, 1)]
  const one = overheadOf(turns, 'osprofiler', 2)!
  assert.deepEqual(
    [one.pairs, one.durationShare, one.servicesCpuShare, one.machineCpuShare, one.ci95['durationShare']],
    [1, 0.1, 0.2, 0.00091, null],
  )
  const two = overheadOf([...turns, turn('off', 2, 50, 1)], 'osprofiler', 2)!
  assert.equal(two.pairs, 2)
  assert.ok(two.ci95['durationShare']! > 0)
  assert.equal(overheadOf(turns, 'ghostspan', 2), undefined)
})
