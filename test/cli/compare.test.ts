import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fixture, recording } from '../compare/recorded-request.js'
import { startGrpcReceiver } from '../export/otlp-receiver.js'
import { ghostspan, temporaryFolder } from './ghostspan-process.js'

const trace = fixture('token-issue.osprofiler.json')

test('compare reads both from files, prints figures, writes the page, and sends the other trace', async t => {
  const folder = temporaryFolder(t)
  const capture = join(folder, 'token.gspan')
  writeFileSync(capture, recording())
  const page = join(folder, 'both.html')
  const receiver = await startGrpcReceiver()
  try {
    const args = ['compare', trace, '--traces', capture, '--html', page, '--otlp', receiver.url, '--json']
    const { code, stdout, stderr } = await ghostspan(t, args)
    assert.equal(code, 0, stderr)
    const { spans, matched, parentsEqual, missing, traces } = JSON.parse(stdout) as Record<string, number>
    assert.deepEqual(
      { spans, matched, parentsEqual, missing, traces },
      { spans: 5, matched: 5, parentsEqual: 5, missing: 0, traces: 1 },
    )
    assert.match(readFileSync(page, 'utf8'), /^<!doctype html>/)
    assert.equal(receiver.spans().length, 6)
  } finally {
    await receiver.close()
  }
  const text = await ghostspan(t, ['compare', trace, '--traces', capture])
  assert.match(text.stdout, /HTTP requests +2 +2 \(100.0 %\) +2 \(100.0 %\)/)
})

test('what cannot be read is told in one line', async t => {
  for (const [args, message] of [
    [['compare', '/nowhere.json'], /nowhere.json cannot be read/],
    [['compare', trace, '--traces', '/nowhere'], /nowhere cannot be read/],
    [['compare', trace, '--traces', trace], /holds no traces/],
    [['compare', '3a6cf6fd-84d7-4e50-b0f3-d5b35d41e2a9'], /--osprofiler/],
  ] as const) {
    const { code, stderr } = await ghostspan(t, args)
    assert.equal(code, 1, stderr)
    assert.match(stderr, message)
    assert.doesNotMatch(stderr, /\n\s+at /)
  }
})
