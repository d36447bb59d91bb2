import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { canCapture } from '../capture/live/watch.js'
import { pythonModule, requires } from '../support/requirements.js'
import { runService, type ServiceRun, services, type Verdict } from './service-run.js'

const CALLS_A_REQUEST = 4

async function runGreenlets(
  t: TestContext,
  kind: 'eventlet' | 'gevent',
  load: Pick<ServiceRun, 'concurrency' | 'requests' | 'keepAlive'>,
  { workers = 0, ...more }: { workers?: number } & Partial<ServiceRun> = {},
): Promise<Verdict> {
  const command = ['/usr/bin/python3', services('greenlets.py'), kind, 'PORT', 'BACKEND', String(workers)]
  return runService(t, { command, ...load, ...more })
}

function assertAllRight(verdict: Verdict, requests: number): void {
  assert.equal(verdict.answered, requests)
  assert.equal(verdict.wrong, 0)
  assert.ok(verdict.background > 0)
  assert.equal(verdict.right, CALLS_A_REQUEST * requests)
  assert.equal(verdict.calls, CALLS_A_REQUEST * requests)
}

for (const kind of ['eventlet', 'gevent'] as const) {
  test(`calls of ${kind}'s greenlets, spawned ones too, belong to their request, 50 at a time`, async t => {
    if (!canCapture(t, 'python3') || !requires(t, pythonModule(kind))) return
    const verdict = await runGreenlets(t, kind, { concurrency: 50, requests: 300, keepAlive: false })
    assertAllRight(verdict, 300)
    assert.equal(verdict.carriers[0]?.state, 'resolved')
    assert.equal(verdict.carriers[0]?.counts?.mismatches, 0)
  })
}

test('forked workers have the carriers of their parent from the start', async t => {
  if (!canCapture(t, 'python3') || !requires(t, pythonModule('eventlet'))) return
  const load = { concurrency: 20, requests: 200, keepAlive: true }
  const verdict = await runGreenlets(t, 'eventlet', load, { workers: 2 })
  assertAllRight(verdict, 200)
  assert.equal(verdict.carriers.filter(({ state }) => state === 'resolved').length, 3)
})

test('a service that was there before the capture is known from the first request on', async t => {
  if (!canCapture(t, 'python3') || !requires(t, pythonModule('gevent'))) return
  const verdict = await runGreenlets(t, 'gevent', { concurrency: 10, requests: 100, keepAlive: true }, { before: true })
  assertAllRight(verdict, 100)
})

test('where the kernel shows no carriers context says nothing, and status says why', async t => {
  if (!canCapture(t, 'python3') || !requires(t, pythonModule('eventlet'))) return
  const load = { concurrency: 20, requests: 100, keepAlive: true }
  const verdict = await runGreenlets(t, 'eventlet', load, { source: { carriers: false } })
  assert.equal(verdict.answered, 100)
  assert.equal(verdict.spans.filter(span => span.link?.evidence.includes('context')).length, 0)
  assert.equal(verdict.carriers[0]?.state, 'refused')
  assert.match(verdict.carriers[0]!.reason, /switched off/)
  assert.ok(verdict.counters['samples.context.carrier_unknown']! > 0)
})
