import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FinishedSpan } from '../../src/traces/span.js'
import { calibrationOf } from './calibration.js'
import { scoreTraces } from './score.js'
import { buildTruth } from './truth.js'

const SECONDS = 1_700_000_000

interface Told {
  readonly id: string
  readonly parent?: string
  readonly kind: 'server' | 'client'
  readonly local: number
  readonly remote: number
  readonly position: number
  readonly confidence?: number
  /** A guess below the floor. */
  readonly guess?: { readonly spanId: string; readonly confidence: number }
}

/** What the scorer looks at of a span. */
function span(told: Told): FinishedSpan {
  const link = told.confidence === undefined ? undefined : { evidence: 'context', confidence: told.confidence }
  const guess = told.guess && {
    spanId: told.guess.spanId,
    attributes: { 'ghostspan.link.confidence': told.guess.confidence, 'ghostspan.link.evidence': 'time' },
  }
  return {
    spanId: told.id,
    parentSpanId: told.parent,
    name: 'GET',
    kind: told.kind,
    start: [SECONDS, 0],
    link,
    links: guess === undefined ? [] : [guess],
    sample: {
      local: `127.0.0.1:${told.local}`,
      remote: `127.0.0.1:${told.remote}`,
      requestPosition: told.position,
      tid: 1,
      carrier: 0,
    },
  } as unknown as FinishedSpan
}

const at = SECONDS * 1_000
const notes = {
  load: [
    { marker: 'R1', from: 40_001, to: 80, position: 0, at },
    { marker: 'R2', from: 40_002, to: 80, position: 0, at },
  ],
  backend: [
    { marker: 'R1', from: 50_000, to: 90, position: 0, at },
    { marker: 'R2', from: 50_000, to: 90, position: 100, at },
    { marker: 'R2', from: 50_000, to: 90, position: 200, at },
    { marker: 'B1', from: 50_000, to: 90, position: 300, at },
    { marker: 'R9', from: 50_000, to: 90, position: 400, at },
  ],
}
const requests = [
  span({ id: 'r1', kind: 'server', local: 80, remote: 40_001, position: 0 }),
  span({ id: 'r2', kind: 'server', local: 80, remote: 40_002, position: 0 }),
]
const call = (id: string, position: number, more: Partial<Told>): FinishedSpan =>
  span({ id, kind: 'client', local: 50_000, remote: 90, position, ...more })

function score(...calls: FinishedSpan[]) {
  const spans = [...requests, ...calls]
  return scoreTraces([{ traceId: 't', spans, late: false, incomplete: false }], buildTruth(notes), 0.9)
}

test('a call under its own request is right, under another one wrong, under none unlinked', () => {
  const { links, precision, recall } = score(
    call('a', 0, { parent: 'r1', confidence: 1 }),
    call('b', 100, { parent: 'r1', confidence: 1 }),
    call('c', 200, {}),
  )
  assert.deepEqual(links, { expected: 3, right: 1, wrong: 1, unlinked: 1 })
  assert.equal(precision, 0.5)
  assert.equal(recall, 0.333333)
})

test('a call of nobody that is given to a request is wrong', () => {
  const { links, background } = score(call('a', 300, { parent: 'r1', confidence: 1 }))
  assert.equal(links.wrong, 1)
  assert.deepEqual(background, { calls: 1, linked: 1 })
})

test('calls of a request that was not answered are not counted', () => {
  const { links } = score(call('a', 400, { parent: 'r1', confidence: 1 }))
  assert.deepEqual(links, { expected: 3, right: 0, wrong: 1, unlinked: 3 })
})

test('a call without a span is unseen and unlinked', () => {
  const { links, unseen } = score(call('a', 0, { parent: 'r1', confidence: 1 }))
  assert.equal(links.unlinked, 2)
  assert.equal(unseen, 2)
})

test('the nearest request above counts, and a chain is as sure as the product of its links', () => {
  const between = span({ id: 'm', parent: 'r2', kind: 'client', local: 1, remote: 2, position: 3, confidence: 0.9 })
  const { links, sure, calibration } = score(between, call('b', 100, { parent: 'm', confidence: 0.9 }))
  assert.equal(links.right, 1)
  assert.equal(sure.recall, 0)
  assert.equal(calibration.bins[0]?.said, 0.81)
})

test('a guess below the floor is no link, but its confidence is judged', () => {
  const { links, calibration } = score(call('a', 0, { guess: { spanId: 'r2', confidence: 0.4 } }))
  assert.equal(links.right + links.wrong, 0)
  assert.deepEqual(calibration.bins, [{ from: 0, to: 0.5, said: 0.4, was: 0, n: 1 }])
})

test('a connection of the same ports at another time is another one', () => {
  const later = { marker: 'R2', from: 50_000, to: 90, position: 0, at: at + 60_000 }
  const truth = buildTruth({ ...notes, backend: [...notes.backend, later] })
  const spans = [...requests, call('a', 0, { parent: 'r1', confidence: 1 })]
  const { links } = scoreTraces([{ traceId: 't', spans, late: false, incomplete: false }], truth, 0)
  assert.equal(links.right, 1)
})

test('a band of confidence is judged only where it holds a hundred links', () => {
  const many = Array.from({ length: 100 }, (_, i) => ({ confidence: 0.9, right: i < 80 }))
  assert.equal(calibrationOf([...many, { confidence: 0.6, right: false }]).maxError, 0.1)
})
