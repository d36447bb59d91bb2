import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ProcessInfo } from '../../src/capture/process-info.js'
import { createRecordingSource } from '../../src/capture/recording-source.js'
import { createRecordingWriter } from '../../src/capture/recording-writer.js'
import { createPipeline } from '../../src/create-pipeline.js'
import { protocolModules } from '../../src/protocols/registry.js'
import { redactProcess } from '../../src/redaction/process-redaction.js'
import { createRedactor } from '../../src/redaction/redactor.js'
import { createCounters } from '../../src/telemetry/counters.js'
import type { FinishedSpan } from '../../src/traces/span.js'

/** The recording of the demo, which comes with the package: five protocols, both ends, with holes. */
const RECORDING = 'src/demo/recording/demo.gspn.gz'

async function spansOf(path: string): Promise<Map<string, FinishedSpan>> {
  const spans = new Map<string, FinishedSpan>()
  const sink = {
    accept: (trace: { spans: readonly FinishedSpan[] }) => {
      for (const span of trace.spans) spans.set(span.spanId, span)
    },
    flush: async () => {},
    close: async () => {},
  }
  const source = createRecordingSource(path)
  await createPipeline({ source, sinks: [sink], counters: createCounters() }).run()
  await source.close()
  return spans
}

test('a redacted recording gives the same spans, and no value of the requests is left in it', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-redact-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'redacted.gspan')
  const source = createRecordingSource(RECORDING)
  const writer = createRecordingWriter(path, source.origin, { redacted: true })
  const redactor = createRedactor({ origin: source.origin, modules: protocolModules, key: [0x5eed5eed, 0x0ddba11] })
  const before: Buffer[] = []
  const after: Buffer[] = []
  while (!source.ended) {
    const batch = source.read()
    if (batch === undefined) continue
    before.push(Buffer.from(batch))
    const redacted = redactor.redact(batch)
    after.push(Buffer.from(redacted))
    writer.write(redacted)
  }
  writer.close()
  await source.close()

  const original = Buffer.concat(before).toString('latin1')
  const shown = Buffer.concat(after).toString('latin1')
  for (const secret of [
    /"quantity": ?\d/,
    /Authorization: (?!x+\r)\S/i,
    /PLAIN\0\0\0.{1,2}\0\w+\0\w+/s,
    /VALUES \((?![0, ']+x*)/,
  ]) {
    assert.doesNotMatch(shown, secret)
  }
  assert.match(original, /"quantity": ?\d/, 'the original has something to hide')

  const [plain, redacted] = [await spansOf(RECORDING), await spansOf(path)]
  assert.ok(plain.size > 1_000)
  // Hashes of keys are of other keys now; everything else is the same.
  const comparable = ({ attributes, ...span }: FinishedSpan) => {
    const { 'ghostspan.db.key_hash': _, ...rest } = attributes
    return { ...span, attributes: rest }
  }
  assert.deepEqual([...redacted.keys()].sort(), [...plain.keys()].sort())
  for (const [id, span] of plain) assert.deepEqual(comparable(redacted.get(id)!), comparable(span))
})

test('a command line keeps what the process is called by, not its secrets', () => {
  const info = (commandLine: string[]): ProcessInfo => ({
    pid: 1,
    parent: 0,
    startNs: 0,
    comm: 'c',
    exe: '/e',
    commandLine,
    user: 0,
    cgroup: '',
    listens: [],
  })
  const shown = (...commandLine: string[]) => redactProcess(info(commandLine)).commandLine
  assert.deepEqual(shown('gunicorn', 'web:app', '--port', '80'), ['gunicorn', 'web:app', '--port', '80'])
  assert.deepEqual(shown('x', '--db-password=abc', '--token', 'abc', 'y'), [
    'x',
    '--db-password=xxxx',
    '--token',
    'xxxx',
    'y',
  ])
  assert.deepEqual(shown('mysql', '-pabc', '-p8080'), ['mysql', '-pxxxx', '-p8080'])
  assert.deepEqual(shown('w', 'amqp://guest:abc@h:5672/v'), ['w', 'amqp://guest:xxxx@h:5672/v'])
  assert.deepEqual(shown('w', 'API_KEY=abc'), ['w', 'API_KEY=xxxx'])
})
