import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openCapture } from '../../src/capture/open-capture.js'
import { createRecordingWriter, type RecordingWriter } from '../../src/capture/recording-writer.js'
import { createCounters } from '../../src/telemetry/counters.js'
import { canCapture } from '../capture/live/watch.js'
import { pythonModule, requires } from '../support/requirements.js'
import { runPipeline } from '../support/run-pipeline.js'
import { runService, services, type Verdict } from './service-run.js'

const CALLS_A_REQUEST = 8

function assertAllRight(verdict: Verdict, requests: number): void {
  assert.equal(verdict.answered, requests)
  assert.equal(verdict.wrong, 0)
  assert.ok(verdict.background > 0)
  assert.equal(verdict.right, CALLS_A_REQUEST * requests)
  assert.equal(verdict.calls, CALLS_A_REQUEST * requests)
}

const NEEDED = { aiohttp: ['aiohttp'], asyncio: ['aiohttp', 'uvicorn'], uvloop: ['aiohttp', 'uvicorn', 'uvloop'] }

for (const kind of ['aiohttp', 'asyncio', 'uvloop'] as const) {
  test(`calls of tasks, child tasks and threads belong to their request: ${kind}, 50 at a time`, async t => {
    if (!canCapture(t, 'python3') || !requires(t, ...NEEDED[kind].map(pythonModule))) return
    const command = ['/usr/bin/python3', services('tasks.py'), kind, 'PORT', 'BACKEND']
    const verdict = await runService(t, { command, concurrency: 50, requests: 200, keepAlive: true })
    assertAllRight(verdict, 200)
    assert.equal(verdict.carriers[0]?.state, 'resolved')
    assert.equal(verdict.carriers[0]?.counts?.mismatches, 0)
  })
}

test('a recording holds carriers and births: its replay links as the capture did', async t => {
  if (!canCapture(t, 'python3') || !requires(t, pythonModule('aiohttp'))) return
  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'recording')
  let writer: RecordingWriter | undefined
  const live = await runService(t, {
    command: ['/usr/bin/python3', services('tasks.py'), 'aiohttp', 'PORT', 'BACKEND'],
    ...{ concurrency: 10, requests: 50, keepAlive: false },
    tap: (batch, origin) => {
      writer ??= createRecordingWriter(path, origin)
      writer.write(batch)
    },
  })
  writer!.close()
  const replayed = await runPipeline(await openCapture(path, createCounters()), { quietMillis: 300 })
  const links = (spans: Verdict['spans']): string[] =>
    spans.map(span => `${span.spanId} ${span.parentSpanId} ${span.link?.evidence}`).sort()
  assert.ok(live.right > 0)
  assert.deepEqual(links(replayed.spans), links(live.spans))
})
