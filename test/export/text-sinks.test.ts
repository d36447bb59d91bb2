import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createJsonLinesSink } from '../../src/export/json-lines-sink.js'
import { createTerminalSink } from '../../src/export/terminal-sink.js'
import { createBlockingOutput, createStreamOutput } from '../../src/export/text-output.js'
import { createCounters } from '../../src/telemetry/counters.js'
import { numberedTrace } from './finished-traces.js'
import { ordersTrace } from './orders-trace.js'

function collect(): { stream: PassThrough; text: () => string } {
  const stream = new PassThrough()
  const chunks: Buffer[] = []
  stream.on('data', chunk => chunks.push(chunk))
  return { stream, text: () => Buffer.concat(chunks).toString() }
}

test('json: a trace is one line of a fixed shape', async () => {
  const { stream, text } = collect()
  const sink = createJsonLinesSink({ output: createStreamOutput(stream), counters: createCounters() })
  sink.accept(ordersTrace({ late: true }))
  sink.accept(numberedTrace(1, 1))
  await sink.close()

  const [first, second] = text().trimEnd().split('\n')
  const parsed = JSON.parse(first!)
  assert.deepEqual(Object.keys(parsed), ['traceId', 'late', 'incomplete', 'resources', 'spans'])
  assert.equal(parsed.late, true)
  assert.deepEqual(Object.keys(parsed.resources), ['nginx', 'web', 'worker'])
  assert.equal(parsed.spans.length, 7)
  const [root, child] = parsed.spans
  assert.equal(root.parentSpanId, null)
  assert.equal(root.link, null)
  assert.equal(root.startUnixNano, '1763906531337000000')
  assert.equal(root.endUnixNano, '1763906531349400000')
  assert.deepEqual(child.link, {
    evidence: 'context',
    confidence: 1,
    strengths: { wire: 0, context: 1, content: 0, time: 0 },
    alternatives: [],
  })
  assert.deepEqual(
    JSON.parse(second!).spans.map((s: { spanId: string }) => s.spanId),
    ['0000000000002710', '0000000000002711'],
  )
})

test('json: a line a span holds what a trace holds, and its resource', async () => {
  const { stream, text } = collect()
  const counters = createCounters()
  const sink = createJsonLinesSink({ output: createStreamOutput(stream), counters, per: 'span' })
  sink.accept(ordersTrace())
  await sink.flush()
  const spans = text()
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  assert.equal(spans.length, 7)
  assert.equal(spans[6].resource['service.name'], 'worker')
  assert.equal(spans[6].service, 'worker')
  assert.equal(spans[4].status.message, 'WRONGTYPE Operation against a key')
  assert.equal(counters.snapshot()['export.json.lines'], 7)
})

test('a reader that does not read: what may wait is bounded, whole traces are left out and counted', async () => {
  const stuck = new Writable({ write: () => {} })
  const counters = createCounters()
  const output = createStreamOutput(stuck, { limit: 10_000 })
  const json = createJsonLinesSink({ output, counters })
  const terminal = createTerminalSink({ output, counters })
  for (let i = 1; i <= 100; i++) {
    json.accept(numberedTrace(i, 1))
    terminal.accept(numberedTrace(i, 1))
  }
  assert.ok(stuck.writableLength <= 10_000)
  const { 'export.json.lines': lines = 0, 'export.json.dropped.slow_reader': dropped = 0 } = counters.snapshot()
  assert.ok(lines > 0 && dropped > 0)
  assert.equal(lines + dropped, 100)
  const { 'export.terminal.traces': printed = 0, 'export.terminal.dropped.slow_reader': left = 0 } = counters.snapshot()
  assert.equal(printed + left, 100)
  stuck.destroy()
  await json.close()
})

test('the terminal gets a tree and an empty line a trace', async () => {
  const { stream, text } = collect()
  const sink = createTerminalSink({ output: createStreamOutput(stream), counters: createCounters(), timeZone: 'UTC' })
  sink.accept(numberedTrace(1, 1))
  sink.accept(numberedTrace(2, 0))
  await sink.close()
  assert.deepEqual(
    text()
      .split('\n')
      .map(line => line.slice(0, 12).trimEnd()),
    ['000000…  14:', 'web   SERVER', '└ web CLIENT', '', '000000…  14:', 'web SERVER', '', ''],
  )
})

const printer = `
import { createJsonLinesSink } from '${fileURLToPath(new URL('../../src/export/json-lines-sink', import.meta.url))}.__EXT__'
import { createBlockingOutput, createStreamOutput } from '${fileURLToPath(new URL('../../src/export/text-output', import.meta.url))}.__EXT__'
import { createCounters } from '${fileURLToPath(new URL('../../src/telemetry/counters', import.meta.url))}.__EXT__'
import { numberedTrace } from '${fileURLToPath(new URL('./finished-traces', import.meta.url))}.__EXT__'
const onEnd = reason => process.stderr.write('ended ' + reason)
const output = process.argv.includes('blocking')
  ? createBlockingOutput(1, { onEnd })
  : createStreamOutput(process.stdout, { onEnd })
const sink = createJsonLinesSink({ output, counters: createCounters() })
for (let i = 1; i <= 2000 && !output.ended; i++) {
  sink.accept(numberedTrace(i, 9))
  if (i % 50 === 0) await new Promise(resolve => setImmediate(resolve))
}
await sink.close()
process.stderr.write(' bye')
`
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const nodeArguments = [
  ...(extension === 'ts' ? ['--import', 'tsx'] : []),
  '--input-type=module',
  '--eval',
  printer.replaceAll('__EXT__', extension),
]

for (const how of ['blocking', 'stream']) {
  test(`${how}: a reader that closes its end is a clean end`, async () => {
    const child = spawn(process.execPath, [...nodeArguments, how], { stdio: ['ignore', 'pipe', 'pipe'] })
    let errors = ''
    child.stderr.on('data', chunk => {
      errors += chunk
    })
    child.stdout.once('data', () => child.stdout.destroy())
    const code = await new Promise(resolve => child.on('close', resolve))
    assert.equal(errors, 'ended undefined bye')
    assert.equal(code, 0)
  })
}

test('blocking: a slow reader of a full pipe gets every line', () => {
  const shell = `"$0" "$@" | (sleep 0.5; wc -l)`
  const counted = execFileSync('sh', ['-c', shell, process.execPath, ...nodeArguments, 'blocking'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  assert.equal(Number(counted.toString()), 2_000)
})

test('blocking: a file gets every byte, and one that cannot be written says so', t => {
  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-json-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'lines')
  const descriptor = openSync(path, 'w')
  createBlockingOutput(descriptor).write('ä\n')
  closeSync(descriptor)
  assert.equal(readFileSync(path, 'utf8'), 'ä\n')

  const reasons: (string | undefined)[] = []
  const readOnly = openSync(path, 'r')
  const output = createBlockingOutput(readOnly, { onEnd: reason => reasons.push(reason) })
  assert.equal(output.write('x'), false)
  assert.equal(output.write('x'), false)
  closeSync(readOnly)
  assert.equal(reasons.length, 1)
  assert.match(reasons[0]!, /EBADF/)
})
