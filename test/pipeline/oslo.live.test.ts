import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { FinishedTrace } from '../../src/traces/span.js'
import { repositoryPath } from '../accuracy/repository-path.js'
import { startRabbitmq } from '../support/rabbitmq-server.js'
import { program, pythonModule, requires } from '../support/requirements.js'
import { accepts, freePort, startServerProcess } from '../support/server-process.js'
import { liveCapture, traceLive } from '../support/trace-live.js'

const PYTHON = '/usr/bin/python3'
const CALLS = 40
const BACKEND = "require('http').createServer((_, r) => r.end('done')).listen(+process.argv[1], '127.0.0.1')"

/** A server of one name, ready to work. */
async function startWorker(t: TestContext, script: string, broker: string, name: string, port: number): Promise<void> {
  const child = spawn(PYTHON, [script, 'server', broker, name, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
}

async function watched(t: TestContext, broker: string, work: () => Promise<void>): Promise<FinishedTrace[]> {
  const tracing = await traceLive(t, {
    selection: { include: [{ commandLine: `oslo_rpc[.]py (client|server) ${broker}` }] },
  })
  await work()
  await sleep(1_000)
  await tracing.stop()
  assert.equal(tracing.status().lostEvents, 0)
  return tracing.traces
}

/** The messages of a trace, each under its cause: `send tasks.one`, `  process tasks.one` … */
function messagesOf({ spans }: FinishedTrace): string[] {
  const depth = new Map<string, number>()
  return spans.flatMap(span => {
    const level = span.parentSpanId === undefined ? 0 : (depth.get(span.parentSpanId) ?? -1) + 1
    depth.set(span.spanId, level)
    const key = String(span.attributes['rabbitmq.destination.routing_key'] ?? '').replace(/[0-9a-f]{32}/, 'ID')
    const exchange = String(span.attributes['messaging.destination.name'] ?? '').replace(/[0-9a-f]{32}/, 'ID')
    if (span.kind !== 'producer' && span.kind !== 'consumer') return []
    return [`${'  '.repeat(level)}${span.kind} ${key === '' ? exchange : key}`]
  })
}

test('Calls, casts and fan-outs over a real broker are one branch each, with bodies of 9 KB', async t => {
  if (!requires(t, ...liveCapture, program('rabbitmq-server'), pythonModule('oslo_messaging'))) return
  const rabbitmq = await startRabbitmq()
  t.after(() => rabbitmq.stop())
  // A process of its own: what we are connected to ourselves is never traced.
  const port = await freePort()
  const backend = await startServerProcess({
    command: process.execPath,
    args: ['-e', BACKEND, String(port)],
    cwd: tmpdir(),
    ready: () => accepts(port),
  })
  t.after(() => backend.stop())
  const broker = `rabbit://guest:guest@127.0.0.1:${rabbitmq.port}/`
  const script = repositoryPath('test', 'pipeline', 'programs', 'oslo_rpc.py')
  await startWorker(t, script, broker, 'one', port)
  await startWorker(t, script, broker, 'two', port)
  const ask = (calls: number): Promise<unknown> =>
    promisify(execFile)(PYTHON, [script, 'client', broker, String(calls)])
  let warm = 0
  const all = await watched(t, broker, async () => {
    // What is known of a port's connections is there from their first byte on, once one of them has been looked at.
    await ask(5)
    await sleep(1_000)
    warm = Date.now() / 1_000
    await ask(CALLS)
  })
  const traces = all.filter(({ spans }) => spans[0]!.start[0] + spans[0]!.start[1] / 1e9 > warm)
  const shapes = new Map<string, number>()
  for (const trace of traces) {
    const messages = messagesOf(trace)
    if (messages.length > 0) shapes.set(messages.join('\n'), (shapes.get(messages.join('\n')) ?? 0) + 1)
  }
  assert.deepEqual(Object.fromEntries(shapes), {
    [CALL]: CALLS,
    [CAST]: CALLS,
    [FANOUT]: CALLS,
  })
  // What a thread of the server's pool asks for is the call's that it answers next.
  const work = traces.flatMap(trace =>
    trace.spans.filter(span => span.name === 'GET /work').map(span => ({ span, trace })),
  )
  assert.equal(work.length, CALLS)
  const linked = work.filter(({ span }) => span.parentSpanId !== undefined)
  assert.ok(linked.length >= 0.9 * CALLS, `${linked.length} of ${CALLS}`)
  for (const { span, trace } of linked) {
    assert.equal(trace.spans.find(({ spanId }) => spanId === span.parentSpanId)?.kind, 'consumer')
    assert.equal(trace.spans.filter(({ name }) => name === 'GET /work').length, 1)
    assert.equal(messagesOf(trace).join('\n'), CALL)
  }
})

const CALL = `producer tasks.one
  consumer tasks.one
    producer reply_ID
      consumer reply_ID`
const CAST = `producer tasks.two
  consumer tasks.two`
const FANOUT = `producer tasks_fanout
  consumer tasks_fanout
  consumer tasks_fanout`
