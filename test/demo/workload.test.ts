import assert from 'node:assert/strict'
import { test } from 'node:test'
import { workload } from '../../src/demo/workload.js'

test('the same count and seed give the same requests', () => {
  assert.deepEqual(workload(300, 7), workload(300, 7))
  assert.notDeepEqual(workload(300, 7), workload(300, 8))
})

test('every request has an id of its own, and the load visits every route', () => {
  const requests = workload(400, 16)
  assert.equal(new Set(requests.map(each => each.id)).size, 400)
  const routes = new Set(requests.map(each => `${each.method} ${each.path.replace(/\d+/g, '{id}')}`))
  assert.deepEqual([...routes].sort(), [
    'DELETE /sessions/{id}',
    'GET /fail',
    'GET /health',
    'GET /items',
    'GET /items/{id}',
    'GET /items/{id}/stock',
    'GET /orders/{id}',
    'GET /reports/daily',
    'HEAD /items/{id}',
    'POST /orders',
  ])
})

test('the first request is an order that is placed', () => {
  const [first] = workload(1, 99)
  assert.equal(first!.method, 'POST')
  assert.equal(first!.path, '/orders')
})
