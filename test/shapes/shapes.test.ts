import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Layout } from '../../src/shapes/layouts.js'
import { durationOf, roundBits, roundDuration, valueOfBits } from '../../src/shapes/thin-trace.js'
import { decodeTrace } from '../../src/shapes/trace-decoder.js'
import { createTraceEncoder, type StoredNode, type TraceEncoder } from '../../src/shapes/trace-encoder.js'
import type { FinishedTrace } from '../../src/traces/span.js'
import { syntheticTraces } from '../archive/synthetic-traces.js'
import { comparable, strangeTraces } from './trace-values.js'

const START = 1_700_000_000_000_000_000n

function coder(): {
  encode: TraceEncoder['encode']
  there: (trace: FinishedTrace) => FinishedTrace
  nodes: Map<string, StoredNode>
} {
  const encoder = createTraceEncoder()
  const layouts = new Map<string, Layout>()
  const nodes = new Map<string, StoredNode>()
  return {
    encode: encoder.encode,
    nodes,
    there: trace => {
      const encoded = encoder.encode(trace)!
      for (const layout of encoded.layouts) layouts.set(layout.id, layout)
      for (const node of encoded.nodes) nodes.set(node.id, node)
      return decodeTrace(encoded.row, { layout: id => layouts.get(id), node: id => nodes.get(id) })
    },
  }
}

describe('a trace as a row of its shape', () => {
  it('comes back equal in every field, whatever is in it', () => {
    const { there } = coder()
    fc.assert(
      fc.property(strangeTraces, trace => {
        assert.deepEqual(comparable(there(trace)), comparable(trace))
      }),
      { numRuns: 400 },
    )
  })

  it('gives parents before children, and children by their start', () => {
    const { there } = coder()
    for (const trace of syntheticTraces({ count: 50, startNs: START })) {
      const { spans } = there(trace)
      const seen = new Set<string>()
      let last = new Map<string, number>()
      for (const span of spans) {
        assert.ok(span.parentSpanId === undefined || seen.has(span.parentSpanId))
        seen.add(span.spanId)
        const start = (span.start[0] % 1000) * 1e9 + span.start[1]
        assert.ok(start >= (last.get(span.parentSpanId ?? '') ?? 0))
        last = last.set(span.parentSpanId ?? '', start)
      }
    }
  })

  it('has the shape of every other with the same operations, whatever the values', () => {
    const shapes = new Set<string>()
    const { encode } = coder()
    for (const trace of syntheticTraces({ count: 200, startNs: START })) {
      if (trace.spans.every(span => span.status.code === 'unset')) shapes.add(encode(trace)!.row.shape)
    }
    // The synthetic calls overlap by chance: of those in parallel the order must not matter.
    assert.ok(shapes.size <= 20, `${shapes.size} shapes`)
  })

  it('has a shape that another process gives as well, and folds repeats', () => {
    const [trace] = [...syntheticTraces({ count: 1, startNs: START })]
    const leaf = trace!.spans[4]!
    const copies = (count: number): FinishedTrace => ({
      ...trace!,
      spans: [
        ...trace!.spans,
        ...Array.from({ length: count }, (_, i) => ({
          ...leaf,
          spanId: `00000000000000${(16 + i).toString(16)}`,
          start: [leaf.start[0] + 1, i * 1_000] as [number, number],
          end: [leaf.start[0] + 1, i * 1_000 + 500] as [number, number],
          durationNs: 500,
        })),
      ],
    })
    const first = coder().encode(copies(3))!
    const second = coder().encode(copies(9))!
    assert.equal(first.row.shape, second.row.shape)
    assert.notEqual(first.row.shape, coder().encode(copies(1))!.row.shape)
    assert.deepEqual(second.row.repeats, [9])
  })

  it('refuses what is no tree', () => {
    const [trace] = [...syntheticTraces({ count: 1, startNs: START })]
    const { encode } = coder()
    assert.equal(encode({ ...trace!, spans: [...trace!.spans, trace!.spans[3]!] }), undefined)
    assert.equal(encode({ ...trace!, spans: [] }), undefined)
  })
})

describe('thinned times', () => {
  it('are within 0.5 % for durations, and 12.5 % for gaps of either sign', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), value => {
        const size = Math.abs(value)
        assert.ok(Math.abs(durationOf(roundDuration(size)) - size) <= size * 0.00501 + 0.5)
        assert.ok(Math.abs(valueOfBits(roundBits(value, 2), 2) - value) <= size / 8)
      }),
    )
    const { scale, digits } = roundDuration(Number.MAX_SAFE_INTEGER)
    assert.ok(scale < 128 && digits < 64)
  })
})
