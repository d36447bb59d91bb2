import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createQueue } from '../../src/traces/queue.js'

test('What was taken out of the queue does not come out, and the rest comes out in order', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('push', 'shift', 'remove'), { maxLength: 5_000 }), fc.nat(), (steps, seed) => {
      const queue = createQueue<number>()
      const expected = new Map<number, number>()
      let next = 0
      let random = seed
      for (const step of steps) {
        random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0
        if (step === 'push') {
          expected.set(queue.push(next), next)
          next++
        } else if (step === 'shift') {
          const first = expected.keys().next()
          const value = first.done === true ? undefined : expected.get(first.value)
          if (first.done !== true) expected.delete(first.value)
          assert.equal(queue.peek(), value)
          assert.equal(queue.shift(), value)
        } else if (next > 0) {
          const place = random % next
          expected.delete(place)
          queue.remove(place)
        }
      }
      const left: number[] = []
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) left.push(item)
      assert.deepEqual(left, [...expected.values()])
    }),
    { numRuns: 50 },
  )
})
