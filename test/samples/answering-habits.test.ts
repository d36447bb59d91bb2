import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAnsweringHabits } from '../../src/samples/answering-habits.js'
import { madeUpSample } from '../support/made-up-samples.js'

const request = madeUpSample({ startNs: 1e9 })
const AFTER = 2e9
const BEFORE = 0

test('Threads that do whole jobs are believed, whatever the number of calls is', () => {
  const habits = createAnsweringHabits()
  for (let i = 0; i < 60; i++) habits.answered(request, 2 + (i % 2), AFTER)
  assert.equal(habits.settled, true)
  assert.ok(habits.trust > 0.99)
})

test('Answers from a cache do not raise doubts', () => {
  const habits = createAnsweringHabits()
  for (let i = 0; i < 60; i++) habits.answered(request, i % 4 === 0 ? 0 : 3, AFTER)
  assert.ok(habits.trust > 0.99)
})

test('Something done after an answer now and then is forgiven', () => {
  const habits = createAnsweringHabits()
  for (let i = 0; i < 200; i++) habits.answered(request, 3, i % 100 === 50 ? BEFORE : AFTER)
  assert.ok(habits.trust > 0.99)
})

test('Calls that are older than the request they would belong to show that jobs are done in parts', () => {
  const habits = createAnsweringHabits()
  for (let i = 0; i < 60; i++) habits.answered(request, 3, i % 5 === 0 ? BEFORE : AFTER)
  assert.ok(habits.trust < 0.5)
})

test('Jobs done in parts by whichever thread is free are known by how the numbers of calls scatter', () => {
  const habits = createAnsweringHabits()
  // Two calls a request, four parts, one of which answers: geometric.
  let state = 1
  const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
  for (let i = 0; i < 60; i++) {
    let calls = 0
    while (random() < 2 / 3) calls++
    habits.answered(request, calls, AFTER)
  }
  assert.ok(habits.trust < 0.5)
})
