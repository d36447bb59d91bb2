import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCaptureClock } from '../../src/capture/capture-clock.js'
import { DATA, HEADER, Op } from '../../src/capture/event-layout.js'
import { EventReader, encodeTextRecord } from '../../src/capture/event-reader.js'
import type { EventSource } from '../../src/capture/event-source.js'
import { createRecordingSource } from '../../src/capture/recording-source.js'
import { protocolModules } from '../../src/protocols/registry.js'
import { createRedactor } from '../../src/redaction/redactor.js'
import type { FinishedSpan } from '../../src/traces/span.js'
import { ORIGIN } from '../support/capture-builder.js'
import { runPipeline } from '../support/run-pipeline.js'
import { KEY, newRedactor, record } from './masked-conversation.js'

/** The recording of the demo, which comes with the package: five protocols, both ends, with holes. */
const RECORDING = 'src/demo/recording/demo.gspn.gz'

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

function redactedSource(path: string, keep: (batch: Uint8Array) => void): EventSource {
  const source = createRecordingSource(path)
  const redactor = createRedactor({ origin: source.origin, modules: protocolModules, key: KEY })
  return {
    kind: source.kind,
    origin: source.origin,
    control: source.control,
    read: () => {
      const batch = source.read()
      if (batch === undefined) return undefined
      const redacted = redactor.redact(batch)
      keep(redacted)
      return redacted
    },
    get ended() {
      return source.ended
    },
    close: () => source.close(),
  }
}

test('a redacted recording gives the same traces: spans, ids, parents, evidence, names and times', async () => {
  const plain = await runPipeline(createRecordingSource(RECORDING))
  let shown = ''
  const redacted = await runPipeline(
    redactedSource(RECORDING, batch => {
      shown += text(batch)
    }),
  )
  // Hashes of keys are of other keys now; everything else is the same.
  const comparable = ({ attributes, ...span }: FinishedSpan) => {
    const { 'ghostspan.db.key_hash': _, ...rest } = attributes
    return { ...span, attributes: rest }
  }
  assert.ok(plain.spans.length > 1_000)
  assert.deepEqual(redacted.spans.map(comparable), plain.spans.map(comparable))
  assert.deepEqual(
    redacted.traces.map(({ traceId }) => traceId),
    plain.traces.map(({ traceId }) => traceId),
  )
  assert.deepEqual(redacted.counters, plain.counters)
  for (const value of [/"quantity": ?\d/, /PLAIN\0/, /quantity - [1-9]/, /state = '[^x]/, /item:\d/]) {
    assert.doesNotMatch(shown, value)
  }
})

test('equal keys stay equal and different ones different', async () => {
  const hashes = async (source: EventSource) => {
    const { spans } = await runPipeline(source)
    return spans.map(({ attributes }) => attributes['ghostspan.db.key_hash'])
  }
  const plain = await hashes(createRecordingSource(RECORDING))
  const redacted = await hashes(redactedSource(RECORDING, () => {}))
  const pairs = new Set(plain.map((hash, index) => `${hash} ${redacted[index]}`))
  assert.equal(pairs.size, new Set(plain).size)
  assert.equal(pairs.size, new Set(redacted).size)
})

test('a process keeps its record, without what its command line gives away', () => {
  const info = {
    pid: 7,
    parent: 1,
    startNs: 5,
    comm: 'web',
    exe: '/web',
    commandLine: ['web', '--password', 'line\n"quoted" s3cret'],
    user: 0,
    cgroup: '',
    listens: [80],
  }
  const batch = encodeTextRecord(Op.processInfo, 1n, 7, info)
  const shown = newRedactor().redact(batch)
  assert.equal(shown.length, batch.length)
  const size = new DataView(shown.buffer).getUint32(HEADER.size, true)
  assert.equal(size, new DataView(batch.buffer).getUint32(HEADER.size, true))
  assert.deepEqual(JSON.parse(text(shown.subarray(HEADER.bytes, size))), {
    ...info,
    commandLine: ['web', '--password', 'x'.repeat(20)],
  })
})

test('losses are still told; texts that say nothing known are blanked', () => {
  const lost = encodeTextRecord(Op.lost, 1n, 0, { cause: 'ring_full', count: 3, more: 's3cret' })
  const shown = newRedactor().redact(lost)
  assert.match(text(shown), /\{"cause":"ring_full","count":3\} +/)
  for (const value of ['s3cret', { cause: 's3cret s3cret', count: 1 }, { pid: 's3cret' }]) {
    for (const op of [Op.lost, Op.processInfo]) {
      assert.doesNotMatch(text(newRedactor().redact(encodeTextRecord(op, 1n, 0, value))), /s3cret/)
    }
  }
})

test('nothing is left behind the end of a record, in records of unknown kinds, and in damaged batches', () => {
  const { bytes, view } = record(Op.send, DATA.bytes + 3, 1)
  bytes.fill(0x41, DATA.bytes)
  view.setInt32(DATA.length, 3, true)
  view.setUint16(DATA.headLength, 3, true)
  assert.deepEqual([...newRedactor().redact(bytes).subarray(DATA.bytes)], [0x40, 0x40, 0x40, 0, 0, 0, 0, 0])

  const unknown = record(99, HEADER.bytes + 8, 1).bytes
  unknown.fill(0x41, HEADER.bytes)
  assert.deepEqual([...newRedactor().redact(unknown).subarray(HEADER.bytes)], new Array(8).fill(0x40))

  const damaged = new Uint8Array([...bytes, ...new Array(64).fill(0x41)])
  const shown = newRedactor().redact(damaged)
  assert.equal(shown.length, damaged.length)
  assert.doesNotMatch(text(shown), /A/)
  const reader = new EventReader(createCaptureClock(ORIGIN))
  const nothing = () => {}
  const handler = {
    data: nothing,
    connection: nothing,
    close: nothing,
    process: nothing,
    taskBirth: nothing,
    text: nothing,
  }
  reader.read(shown, handler)
  assert.deepEqual([reader.events, reader.malformed], [1, 1])
})

test('a copied length that does not fit the record is blanked', () => {
  const { bytes, view } = record(Op.send, DATA.bytes + 8, 1)
  bytes.fill(0x41, DATA.bytes)
  view.setUint16(DATA.headLength, 900, true)
  assert.doesNotMatch(text(newRedactor().redact(bytes)), /A/)
})
