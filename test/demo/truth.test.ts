import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildTruth, OperationIndex, operationKey, parseTruth } from '../../src/demo/truth.js'
import { notesOf } from './truth-traces.js'

test('every operation belongs to the request that it was done for, in whatever order it was noted', () => {
  const truth = buildTruth(notesOf(3).reverse())
  for (const request of ['r0', 'r1', 'r2']) {
    const labels = truth.operations.filter(each => each.request === request).map(each => each.label)
    assert.equal(labels.length, 9, `${request}: ${labels.join(', ')}`)
  }
})

test('operations that belong to no request are known and expect no parent', () => {
  const [request] = notesOf(1)
  const login = { ...request!, kind: 'client' as const, service: 'web', protocol: 'mysql', request: null, in: null }
  const truth = buildTruth([login])
  assert.equal(truth.operations.length, 1)
  assert.equal(truth.operations[0]!.parent, undefined)
  assert.equal(truth.operations[0]!.request, undefined)
})

test('of two operations on ports that were used twice, the one of the same time is meant', () => {
  const index = new OperationIndex()
  const key = operationKey('out', 40_000, 3306, 0)
  const operation = (atMillis: number) => ({
    label: 'web client mysql',
    name: 'SELECT',
    key,
    atMillis,
    parent: undefined,
    request: undefined,
  })
  const [early, late] = [operation(1_000), operation(60_000)]
  index.add(late)
  index.add(early)
  assert.equal(index.nearest(key, 1_003), early)
  assert.equal(index.nearest(key, 59_990), late)
  assert.equal(index.nearest(operationKey('in', 40_000, 3306, 0), 1_003), undefined)
})

test('a line that is still being written is left out', () => {
  const [record] = notesOf(1)
  const line = JSON.stringify(record)
  assert.deepEqual(parseTruth(`${line}\n${line.slice(0, 20)}`), [record])
})
