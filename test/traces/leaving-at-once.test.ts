import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCaptureClock } from '../../src/capture/capture-clock.js'
import type { Connection } from '../../src/capture/connection.js'
import { createSolver } from '../../src/correlate/solver.js'
import { createWireEvidence } from '../../src/correlate/wire-evidence.js'
import type { Sample } from '../../src/samples/sample.js'
import { createServiceNames } from '../../src/samples/service-names.js'
import { createCounters } from '../../src/telemetry/counters.js'
import { createAssembler } from '../../src/traces/assembler.js'
import { createResourceTable } from '../../src/traces/resources.js'
import type { FinishedTrace } from '../../src/traces/span.js'
import { createTraceBuilder } from '../../src/traces/trace-builder.js'
import { ORIGIN } from '../support/capture-builder.js'
import { madeUpConnection, madeUpSample } from '../support/made-up-samples.js'

const SECOND = 1e9

function bench(callsNobody: boolean) {
  const traces: FinishedTrace[] = []
  const wire = createWireEvidence()
  const assembler = createAssembler({
    solver: createSolver([wire]),
    builder: createTraceBuilder({
      clock: createCaptureClock(ORIGIN),
      services: createServiceNames(),
      resources: createResourceTable({ host: 'h', version: '1' }),
    }),
    counters: createCounters(),
    emit: trace => traces.push(trace),
    redundant: () => false,
    forget: sample => wire.forget?.(sample),
    mayBindLater: () => false,
    callsNobody: () => callsNobody,
    quietNs: 2 * SECOND,
    longestNs: 60 * SECOND,
    confidenceFloor: 0.5,
    openLimit: 1_000,
  })
  const whole = (sample: Sample): void => {
    assembler.advance(sample.startNs)
    wire.begin?.(sample)
    assembler.begin(sample)
    sample.complete = true
    assembler.advance(sample.endNs)
    assembler.complete(sample)
  }
  return { traces, assembler, whole }
}

const request = (connection: Connection, startNs: number, overrides: Partial<Sample> = {}): Sample =>
  madeUpSample({ connection, startNs, ...overrides })

test('A request of a service that calls nobody leaves at once when nobody watched asks on its connection', () => {
  const { traces, assembler, whole } = bench(true)
  const connection = madeUpConnection()
  whole(request(connection, 100))
  assembler.advance(0.2 * SECOND)
  assert.equal(traces.length, 0, 'the first one waits: its caller may be watched')
  whole(request(connection, 0.3 * SECOND))
  assert.equal(traces.length, 1)
  assert.equal(assembler.openSamples, 1)
  assembler.advance(3 * SECOND)
  assert.equal(traces.length, 2)
  assert.equal(assembler.openSamples, 0)
})

test('A request of a service that has called somebody waits for what may still belong to it', () => {
  const { traces, assembler, whole } = bench(false)
  const connection = madeUpConnection()
  whole(request(connection, 100))
  assembler.advance(0.2 * SECOND)
  whole(request(connection, 0.3 * SECOND))
  assembler.advance(1 * SECOND)
  assert.equal(traces.length, 0)
})

test('A request whose caller is watched waits for its caller', () => {
  const { traces, assembler, whole } = bench(true)
  const ours = madeUpConnection()
  const theirs = madeUpConnection({ role: 'client', keyLow: ours.keyLow, keyHigh: ours.keyHigh })
  const wire = { wireHigh: 1, wireLow: 2 }
  whole(request(theirs, 90, { side: 'client', kind: 'client', ...wire }))
  whole(request(ours, 100, wire))
  assembler.advance(0.2 * SECOND)
  assert.equal(ours.farEnd, 'seen')
  whole(request(ours, 0.3 * SECOND, { wireHigh: 3, wireLow: 4 }))
  assert.equal(traces.length, 0)
})
