import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Comparison, compareTraces } from '../../src/compare/comparison.js'
import { comparisonToJson } from '../../src/compare/comparison-json.js'
import { comparisonText } from '../../src/compare/comparison-text.js'
import { loadOsprofilerTrace } from '../../src/compare/load-osprofiler.js'
import { osprofilerAsTrace } from '../../src/compare/osprofiler-as-trace.js'
import { rebuiltFromJson } from '../../src/compare/rebuilt-span.js'
import { traceToJson } from '../../src/export/span-json.js'
import { fixture, recording, replayed, withoutOsprofilerHeaders } from './recorded-request.js'

const trace = await loadOsprofilerTrace(fixture('token-issue.osprofiler.json'), undefined)
const { traces, spans } = await replayed(recording())
const figures = ({ matched, missing, parentsEqual, traces: count }: Comparison) => ({
  matched: matched.length,
  missing: missing.length,
  parentsEqual,
  traces: count,
})

test('every span of a real OSProfiler trace is found, with the same parent, in one trace', () => {
  const comparison = compareTraces(trace, spans)
  assert.deepEqual(figures(comparison), { matched: 5, missing: 0, parentsEqual: 5, traces: 1 })
  assert.deepEqual(comparison.kinds.wsgi, { spans: 2, matched: 2, parentsEqual: 2 })
  assert.deepEqual(comparison.kinds.db, { spans: 3, matched: 3, parentsEqual: 3 })
  for (const { osprofiler, rebuilt } of comparison.matched) {
    assert.equal(osprofiler.detail.split(' ')[0], rebuilt.name.split(' ')[0])
    assert.equal(rebuilt.service, 'keystone')
  }
  assert.equal(comparison.rebuilt.filter(span => span.parentSpanId === undefined).length, 1)
  const reasons = new Set(comparison.extra.map(({ reason }) => reason))
  assert.ok(reasons.has('OSProfiler has no hook for memcached'))
  assert.ok(reasons.has("OSProfiler's own writing"))
})

test("the reconstruction is the same when OSProfiler's headers are blanked", async () => {
  const blanked = withoutOsprofilerHeaders(recording())
  assert.equal(blanked.length, recording().length)
  assert.ok(recording().includes('X-Trace-Info: eyJ'))
  assert.ok(!blanked.includes('X-Trace-Info: eyJ') && blanked.includes('X-Trace-Info: AAAA'))
  const again = await replayed(blanked)
  assert.deepEqual(again.traces.map(traceToJson), traces.map(traceToJson))
})

test('a lost span, a torn one and another parent are told as such', () => {
  const comparison = compareTraces(trace, spans)
  const [first] = comparison.matched.filter(({ osprofiler }) => osprofiler.name === 'db')
  const lost = compareTraces(
    trace,
    spans.filter(span => span !== first!.rebuilt),
  )
  // Another `SELECT 1` may be near enough to stand for it, but it cannot stand for two.
  assert.deepEqual([lost.matched.length, lost.missing.length], [4, 1])
  const elsewhere = { ...first!.rebuilt, traceId: 'f'.repeat(32), parentSpanId: undefined }
  const torn = compareTraces(
    trace,
    spans.map(span => (span === first!.rebuilt ? elsewhere : span)),
  )
  assert.deepEqual(figures(torn), { matched: 5, missing: 0, parentsEqual: 4, traces: 2 })
  const other = comparison.matched.find(({ osprofiler }) => osprofiler.name === 'wsgi')!.rebuilt
  const wrong = compareTraces(
    trace,
    spans.map(span => (span === first!.rebuilt ? { ...span, parentSpanId: other.spanId } : span)),
  )
  assert.equal(wrong.parentsEqual, 4)
})

test('without a reconstructed trace everything is missing, and the text says so', () => {
  const comparison = compareTraces(trace, [])
  assert.deepEqual(figures(comparison), { matched: 0, missing: 5, parentsEqual: 0, traces: 0 })
  assert.match(comparisonText(comparison), /no trace of the same time/)
  assert.equal(comparisonToJson(comparison)['traceId'], '')
})

test('what `replay --json` prints gives the same comparison', () => {
  const lines = traces.map(each => JSON.stringify(traceToJson(each))).join('\n')
  const read = rebuiltFromJson(lines)!
  assert.deepEqual(comparisonToJson(compareTraces(trace, read)), comparisonToJson(compareTraces(trace, spans)))
  assert.equal(rebuiltFromJson('{"traceId": 1}'), undefined)
  assert.equal(rebuiltFromJson('not json'), undefined)
})

test("OSProfiler's trace as spans has one root, whole parents, and services of its own", () => {
  const { spans: exported, traceId } = osprofilerAsTrace(trace, '1')
  assert.equal(exported.length, trace.spans.length + 1)
  assert.match(traceId, /^[0-9a-f]{32}$/)
  const ids = new Set(exported.map(span => span.spanId))
  assert.equal(ids.size, exported.length)
  const [root, ...others] = exported
  assert.equal(root!.parentSpanId, undefined)
  for (const span of others) {
    assert.ok(ids.has(span.parentSpanId!))
    assert.equal(span.resource.service, 'keystone (osprofiler)')
  }
})
