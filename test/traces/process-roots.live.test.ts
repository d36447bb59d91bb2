import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { program, requires } from '../support/requirements.js'
import { accepts, freePort, startServerProcess } from '../support/server-process.js'
import { liveCapture, traceLive } from '../support/trace-live.js'

/** Answers late enough for the client to be looked at in /proc, as every command-line client of a cloud is. */
const SERVER =
  "require('http').createServer((_, r) => setTimeout(() => r.end('hello'), 300)).listen(+process.argv[1], '127.0.0.1')"

test('A real short-lived client that a rule names is the root over its requests', async t => {
  if (!requires(t, ...liveCapture, program('curl'))) return
  const port = await freePort()
  // A process of its own: what we are connected to ourselves is never traced.
  const server = await startServerProcess({
    command: process.execPath,
    args: ['-e', SERVER, String(port)],
    cwd: tmpdir(),
    ready: () => accepts(port),
  })
  t.after(() => server.stop())
  const marker = `X-Marker: m${process.pid}`
  const tracing = await traceLive(
    t,
    {
      // All but ours is left out by a rule, not by default: a new process is watched until it is looked at.
      selection: { rules: [{ action: 'exclude', commandLine: `^(?!.*${marker})` }], otherwise: 'include' },
    },
    { processRoots: { programs: ['curl'], commandLines: [] } },
  )
  await sleep(200)
  const url = (path: string): string => `http://127.0.0.1:${port}/${path}`
  for (let i = 0; i < 2; i++) {
    await new Promise<void>((resolve, reject) => {
      execFile('curl', ['-s', '-H', marker, '-u', 'user:hidden', url('first'), url('second')], problem =>
        problem === null ? resolve() : reject(problem),
      )
    })
  }
  await sleep(200)
  await tracing.stop()
  const { traces } = tracing
  assert.equal(traces.length, 2)
  for (const { spans } of traces) {
    assert.deepEqual(
      spans.map(span => `${span.kind} ${span.name}`),
      ['internal curl', 'client GET /first', 'client GET /second'],
    )
    const [command, first, second] = spans
    assert.ok(first!.parentSpanId === command!.spanId && second!.parentSpanId === command!.spanId)
    assert.equal(command!.attributes['process.command_line'], 'curl -s -H ? -u ? ? ?')
    assert.ok(command!.durationNs > 0 && command!.durationNs < 60e9)
  }
  assert.notEqual(traces[0]!.traceId, traces[1]!.traceId)
})
