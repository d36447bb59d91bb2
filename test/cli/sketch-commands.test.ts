import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type MapEdge, mapAsDot, mapAsHtml, mapAsText } from '../../src/cli/service-map.js'
import { callFigures } from '../../src/cli/sketch-figures.js'
import { createQuantileSketch } from '../../src/sketches/quantile-sketch.js'

const durations = (values: readonly number[]) => {
  const sketch = createQuantileSketch()
  for (const value of values) sketch.add(value)
  return {
    ...{ kind: 'operation' as const, service: 'web', name: 'GET /', class: 'server 2xx', calls: values.length },
    ...{ errors: 0, durationNs: values.reduce((sum, value) => sum + value, 0), longestNs: Math.max(...values) },
    ...{ requestBytes: 10, responseBytes: 20, bins: sketch.bins(), registers: { indexes: [], ranks: [] }, items: [] },
  }
}

const edge = (from: string, to: string, errors = 0): MapEdge => ({
  ...{ from, to, protocol: 'http', calls: 10, errors, perSecond: 1, meanNs: 1e6, p50Ns: 1e6, p90Ns: 2e6, p99Ns: 3e6 },
  ...{ longestNs: 4e6, requestBytes: 1, responseBytes: 1 },
})

describe('figures of sketches', () => {
  it('put classes together, and never tell a quantile beyond the longest', () => {
    const { calls, p50Ns, p99Ns, meanNs, longestNs, perSecond } = callFigures(
      [durations([100, 200, 300]), durations([1_000_000])],
      2,
    )
    assert.deepEqual(
      { calls, meanNs, longestNs, perSecond },
      { calls: 4, meanNs: 250_150, longestNs: 1e6, perSecond: 2 },
    )
    assert.ok(Math.abs(p50Ns - 200) <= 2)
    assert.ok(p99Ns <= 1e6)
  })

  it('of nothing are zero', () => {
    assert.equal(callFigures([], 60).p99Ns, 0)
  })
})

describe('the service map', () => {
  const hostile = '"><script>alert(1)</script>\u001b[31m'
  const edges = [edge('', 'nginx'), edge('nginx', 'web', 3), edge('web', hostile), edge('web', 'nginx'), edge('a', 'b')]

  it('as text has every edge once', () => {
    const text = mapAsText(edges)
    assert.equal(text.split('→').length - 1, 5)
    assert.match(text, /30 % failed/)
    assert.equal(text.includes('\u001b'), false)
  })

  it('as DOT quotes names', () => {
    const dot = mapAsDot([edge('a"b', 'c\\d')])
    assert.match(dot, /"a\\"b" -> "c\\\\d"/)
  })

  it('as a page needs nothing else, and runs nothing that a name says', () => {
    const page = mapAsHtml(edges, { since: 0, until: 60 })
    assert.equal(/<script|https?:\/\/|src=|@import/.test(page), false)
    assert.equal((page.match(/<rect/g) ?? []).length, 6)
    assert.equal((page.match(/marker-end/g) ?? []).length, 5)
  })
})
