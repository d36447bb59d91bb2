import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createDistinctSketch } from '../../src/sketches/distinct-sketch.js'
import { createFrequentItems } from '../../src/sketches/frequent-items.js'
import { createQuantileSketch, QUANTILE_ERROR, quantileSketchOf } from '../../src/sketches/quantile-sketch.js'
import { createRandom } from '../archive/synthetic-traces.js'

const SHARES = [0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1]

describe('a quantile sketch', () => {
  it('is within its error at every quantile, also after merges in any order', () => {
    const random = createRandom(3)
    const values = Array.from({ length: 20_000 }, () => Math.max(1, Math.round(Math.exp(5 + 15 * random()))))
    const bulk = createQuantileSketch()
    const parts = Array.from({ length: 7 }, () => createQuantileSketch())
    values.forEach((value, i) => {
      bulk.add(value)
      parts[(i * 31) % 7]!.add(value)
    })
    const backwards = createQuantileSketch()
    for (const part of parts.reverse()) assert.ok(backwards.merge(part))
    assert.deepEqual(backwards.bins(), bulk.bins())
    values.sort((a, b) => a - b)
    for (const share of SHARES) {
      const truth = values[Math.floor(share * (values.length - 1))]!
      assert.ok(Math.abs(bulk.quantile(share) - truth) <= truth * QUANTILE_ERROR * 1.000001, `${share}`)
    }
  })

  it('counts zero, what is no number and what is too large without growing', () => {
    const sketch = createQuantileSketch()
    for (const value of [0, -5, Number.NaN, Number.POSITIVE_INFINITY, 0.5, Number.MAX_SAFE_INTEGER]) sketch.add(value)
    assert.equal(sketch.count(), 6)
    assert.equal(sketch.quantile(0), 0)
    assert.ok(sketch.bins().indexes.at(-1)! < 1900)
  })

  it('refuses to merge with one of another error, and is unchanged', () => {
    const fine = createQuantileSketch(0.01)
    fine.add(100)
    const coarse = createQuantileSketch(0.02)
    coarse.add(100)
    assert.equal(fine.merge(coarse), false)
    assert.equal(fine.count(), 1)
  })

  it('comes back from its bins', () => {
    const sketch = createQuantileSketch()
    for (const value of [3, 77, 77, 1e9]) sketch.add(value)
    assert.deepEqual(quantileSketchOf(sketch.bins()).bins(), sketch.bins())
  })
})

describe('a distinct count', () => {
  for (const size of [1, 50, 3_000, 200_000]) {
    it(`is within three standard errors for ${size}`, () => {
      const sketch = createDistinctSketch()
      for (let i = 0; i < size; i++) sketch.add(`caller-${i}`)
      for (let i = 0; i < Math.min(size, 500); i++) sketch.add(`caller-${i}`)
      assert.ok(Math.abs(sketch.estimate() - size) <= Math.max(0.5, size * 3 * 0.01625), `${sketch.estimate()}`)
    })
  }

  it('is the same merged in any order as in bulk, and refuses another precision', () => {
    const bulk = createDistinctSketch()
    const parts = [createDistinctSketch(), createDistinctSketch(), createDistinctSketch()]
    for (let i = 0; i < 9_000; i++) {
      bulk.add(`${i}`)
      parts[i % 3]!.add(`${i}`)
      parts[(i + 1) % 3]!.add(`${i}`)
    }
    const merged = createDistinctSketch()
    for (const part of parts.reverse()) merged.merge(part)
    assert.deepEqual(merged.registers(), bulk.registers())
    assert.equal(merged.merge(createDistinctSketch(10)), false)
  })
})

describe('frequent items', () => {
  it('name what is frequent within the bound, count the rest, and stay bounded among a million names', () => {
    const items = createFrequentItems()
    let total = 0
    for (let i = 0; i < 1_000_000; i++) {
      items.add(`junk-${i}`)
      total++
      if (i % 10 === 0) {
        items.add('GET /orders')
        total++
      }
    }
    assert.equal(items.total(), total)
    assert.ok(items.items().length <= items.capacity)
    assert.ok(items.error() <= total / (items.capacity + 1))
    const [first] = items.items()
    assert.equal(first!.item, 'GET /orders')
    assert.ok(first!.count <= 100_000 && first!.count >= 100_000 - items.error())
  })

  it('keep their bound after merges in any order', () => {
    const truth = new Map<string, number>()
    const parts = Array.from({ length: 5 }, () => createFrequentItems(16))
    const random = createRandom(5)
    for (let i = 0; i < 50_000; i++) {
      const name = `item-${Math.floor(1 / (random() + 1e-4))}`
      truth.set(name, (truth.get(name) ?? 0) + 1)
      parts[i % 5]!.add(name)
    }
    for (const order of [parts, [...parts].reverse()]) {
      const merged = createFrequentItems(16)
      for (const part of order) assert.ok(merged.merge(part))
      assert.equal(merged.total(), 50_000)
      assert.ok(merged.error() <= 50_000 / 17)
      for (const { item, count } of merged.items()) {
        assert.ok(count <= truth.get(item)! && count >= truth.get(item)! - merged.error())
      }
    }
    assert.equal(createFrequentItems(16).merge(createFrequentItems(32)), false)
  })
})
