import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSamplingSink, WEIGHT_ATTRIBUTE, weightOf } from '../../src/sketches/sampling-sink.js'
import { createTraceSampler, type KeepRule } from '../../src/sketches/trace-sampler.js'
import { createCounters } from '../../src/telemetry/counters.js'
import type { FinishedTrace } from '../../src/traces/span.js'
import { syntheticTraces } from '../archive/synthetic-traces.js'

const START = 1_700_000_000_000_000_000n

function sampled(
  traces: Iterable<FinishedTrace>,
  share: number,
  options: { rules?: KeepRule[]; rareUntil?: number } = {},
) {
  const counters = createCounters()
  let count = 0
  const kept: FinishedTrace[] = []
  const sampler = createTraceSampler({
    ...{ share, rules: options.rules ?? [], counters },
    seen: () => (count++ < (options.rareUntil ?? 0) ? 0 : 1_000),
  })
  const sink = createSamplingSink(sampler, [
    { accept: trace => kept.push(trace), flush: async () => {}, close: async () => {} },
  ])
  for (const trace of traces) sink.accept(trace)
  return { kept, counters: counters.snapshot('sampling.') }
}

const hasError = (trace: FinishedTrace): boolean => trace.spans.some(span => span.status.code === 'error')

describe('sampling of whole traces', () => {
  const traces = [...syntheticTraces({ count: 20_000, seed: 4, startNs: START })]

  it('keeps every trace that failed, for itself alone', () => {
    const { kept } = sampled(traces, 0.05)
    const failed = kept.filter(hasError)
    assert.equal(failed.length, traces.filter(hasError).length)
    assert.ok(failed.every(trace => weightOf(trace) === 1))
  })

  it('keeps the slow ones of each operation', () => {
    const { kept } = sampled(traces, 0.01)
    const ids = new Set(kept.map(trace => trace.traceId))
    const slowest = [...traces].sort((a, b) => b.spans[0]!.durationNs - a.spans[0]!.durationNs).slice(0, 20)
    assert.ok(slowest.filter(trace => ids.has(trace.traceId)).length >= 19)
  })

  it('keeps new and rare shapes, and what a rule names', () => {
    assert.equal(sampled(traces.slice(0, 50), 0, { rareUntil: 50 }).kept.length, 50)
    const named = sampled(traces.slice(0, 500), 0, { rules: [{ service: 'worker', operation: 'process orders' }] })
    assert.equal(named.kept.length, 500)
    const other = sampled(traces.slice(0, 100), 0, { rules: [{ service: 'worker', operation: 'GET' }] })
    assert.ok(other.kept.length < 100)
  })

  it('estimates counts and sums without bias', () => {
    const truth = { spans: 0, nanos: 0, failed: 0 }
    for (const trace of traces) {
      truth.spans += trace.spans.length
      truth.nanos += trace.spans[0]!.durationNs
      if (hasError(trace)) truth.failed++
    }
    for (const share of [0.05, 0.2, 0.5]) {
      const { kept, counters } = sampled(traces, share)
      const sum = (value: (trace: FinishedTrace) => number): number =>
        kept.reduce((total, trace) => total + value(trace) * weightOf(trace), 0)
      const drawn =
        counters['sampling.kept']! + counters['sampling.dropped.drawn']! - kept.filter(t => weightOf(t) === 1).length
      // Four standard errors of a binomial draw, as a share of all.
      const bound = (4 * Math.sqrt((drawn * (1 - share)) / share)) / traces.length
      assert.ok(Math.abs(sum(() => 1) / traces.length - 1) <= bound, `count at ${share}`)
      assert.ok(Math.abs(sum(trace => trace.spans.length) / truth.spans - 1) <= bound, `spans at ${share}`)
      assert.ok(Math.abs(sum(trace => trace.spans[0]!.durationNs) / truth.nanos - 1) <= bound * 1.5, `time at ${share}`)
      assert.equal(
        sum(trace => (hasError(trace) ? 1 : 0)),
        truth.failed,
      )
    }
  })

  it('says on every span of how many it is one, and decides by the id alone', () => {
    const first = sampled(traces.slice(0, 3_000), 0.25).kept
    const again = sampled(traces.slice(0, 3_000), 0.25).kept
    assert.deepEqual(
      first.map(trace => trace.traceId),
      again.map(trace => trace.traceId),
    )
    const drawn = first.find(trace => weightOf(trace) !== 1)!
    assert.ok(drawn.spans.every(span => span.attributes[WEIGHT_ATTRIBUTE] === 4))
  })

  it('lets spans that come late follow their trace', () => {
    const late = traces.map(trace => ({ ...trace, late: true, spans: trace.spans.slice(0, 1) }))
    const { kept } = sampled([...traces.slice(0, 2_000), ...late.slice(0, 2_000)], 0.1)
    const whole = new Set(kept.filter(trace => !trace.late).map(trace => trace.traceId))
    const followed = new Set(kept.filter(trace => trace.late).map(trace => trace.traceId))
    assert.deepEqual(followed, whole)
  })
})
