import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HEADER, Op, RECORD_ALIGNMENT } from '../../src/capture/event-layout.js'
import type { EventSource } from '../../src/capture/event-source.js'
import { createRecordingSource, NO_CONTROL } from '../../src/capture/recording-source.js'
import { demoRecordingPath } from '../../src/demo/recording-path.js'
import type { FinishedSpan } from '../../src/traces/span.js'
import { runPipeline } from '../support/run-pipeline.js'

/** The records of the demo's recording, one by one. */
function records(): { records: Uint8Array[]; source: EventSource } {
  const source = createRecordingSource(demoRecordingPath())
  const all: Uint8Array[] = []
  for (let batch = source.read(); batch !== undefined; batch = source.read()) {
    for (let at = 0; at < batch.length; ) {
      const view = new DataView(batch.buffer, batch.byteOffset + at)
      const size = view.getUint32(HEADER.size, true)
      const next = at + ((size + RECORD_ALIGNMENT - 1) & ~(RECORD_ALIGNMENT - 1))
      all.push(batch.slice(at, next))
      at = next
    }
  }
  return { records: all, source }
}

const original = records()

function replay(part: readonly Uint8Array[]): EventSource {
  const batches: Uint8Array[] = []
  for (let i = 0; i < part.length; i += 500) batches.push(new Uint8Array(Buffer.concat(part.slice(i, i + 500))))
  return {
    kind: 'recording',
    origin: original.source.origin,
    control: NO_CONTROL,
    read: () => batches.shift(),
    get ended() {
      return batches.length === 0
    },
    close: async () => {},
  }
}

/** Mulberry32: the same numbers every time. */
function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** As the kernel does it: what follows a lost record carries another loss epoch. */
function withLosses(share: number, random: () => number): Uint8Array[] {
  let epoch = 0
  const kept: Uint8Array[] = []
  for (const record of original.records) {
    // A connection that could not be announced is announced at its next call, so that record is never missing.
    if (record[HEADER.op]! <= Op.close && record[HEADER.op] !== Op.connection && random() < share) {
      epoch++
      continue
    }
    const copy = record.slice()
    new DataView(copy.buffer).setUint16(HEADER.lossEpoch, epoch, true)
    kept.push(copy)
  }
  return kept
}

const parents = (spans: readonly FinishedSpan[]): Map<string, string | undefined> =>
  new Map(spans.map(span => [span.spanId, span.parentSpanId]))

test('The demo as recorded: every span once, every parent in the same trace', async () => {
  const { spans, traces } = await runPipeline(replay(original.records))
  assert.equal(new Set(spans.map(span => span.spanId)).size, spans.length)
  for (const trace of traces) {
    const ids = new Set(trace.spans.map(span => span.spanId))
    assert.equal(trace.spans.filter(span => span.parentSpanId === undefined).length, 1)
    for (const span of trace.spans) assert.ok(span.parentSpanId === undefined || ids.has(span.parentSpanId))
  }
})

for (const share of [0.001, 0.01, 0.1]) {
  test(`Of ${share * 100} % lost records come missing links, no wrong ones and no duplicates`, async () => {
    const truth = parents((await runPipeline(replay(original.records))).spans)
    let links = 0
    for (let seed = 1; seed <= 4; seed++) {
      const { spans } = await runPipeline(replay(withLosses(share, seeded(seed))))
      assert.equal(new Set(spans.map(span => span.spanId)).size, spans.length, 'no span twice')
      for (const span of spans) {
        const right = truth.get(span.spanId)
        if (
          span.parentSpanId === undefined ||
          !truth.has(span.spanId) ||
          span.attributes['ghostspan.capture.truncated'] === true
        )
          continue
        links++
        assert.equal(span.parentSpanId, right, `${span.resource.service} ${span.kind} ${span.name}, seed ${seed}`)
      }
    }
    assert.ok(links > 1_000)
  })
}

test('Damaged bytes anywhere never throw, and never make more spans than messages', async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const random = seeded(seed)
    const damaged = original.records.map(record => {
      if (random() > 0.2) return record
      const copy = record.slice()
      for (let n = 0; n < 4; n++) copy[8 + Math.floor(random() * (copy.length - 8))] = Math.floor(random() * 256)
      return copy
    })
    const { spans, status } = await runPipeline(replay(damaged))
    assert.ok(spans.length <= status.samples)
    assert.equal(status.openSamples, 0)
  }
})

test('Neighbouring records in the wrong order change no link for the worse', async () => {
  const truth = parents((await runPipeline(replay(original.records))).spans)
  const random = seeded(5)
  const shuffled = [...original.records]
  for (let i = 1; i < shuffled.length; i++) {
    const [a, b] = [shuffled[i - 1]!, shuffled[i]!]
    // Two processors hand over in either order; one thread's own records stay in order.
    const thread = (record: Uint8Array): number => new DataView(record.buffer).getUint32(HEADER.tid, true)
    if (thread(a) !== thread(b) && a[HEADER.op]! <= Op.receive && b[HEADER.op]! <= Op.receive && random() < 0.3) {
      shuffled[i - 1] = b
      shuffled[i] = a
    }
  }
  const { spans } = await runPipeline(replay(shuffled))
  for (const span of spans) {
    if (span.parentSpanId === undefined || !truth.has(span.spanId)) continue
    assert.equal(span.parentSpanId, truth.get(span.spanId), `${span.resource.service} ${span.kind} ${span.name}`)
  }
})
