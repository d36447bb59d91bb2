import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CarrierStatus } from '../../src/capture/carriers/carrier-discovery.js'
import { carrierLines } from '../../src/cli/carrier-lines.js'

const COUNTS = { lookups: 40, faults: 1, mismatches: 2, births: 7 }
const resolved = (pid: number): CarrierStatus => ({
  ...{ pid, program: 'nova-api', kinds: ['greenlet'], state: 'resolved', reason: '', detail: '', counts: COUNTS },
})

test('status sums up the processes whose carriers are seen', () => {
  assert.deepEqual(carrierLines([resolved(1), resolved(2)]), [
    'greenlet in 2 processes: 80 calls looked up, 14 births, 6 failed',
  ])
})

test('status names each process whose carriers are not seen, with the reason', () => {
  const unsupported: CarrierStatus = {
    ...{ pid: 9, program: 'python3', kinds: ['asyncio'], state: 'unsupported' },
    ...{ reason: 'CPython 3.14 is not known here', detail: '', counts: undefined },
  }
  assert.deepEqual(carrierLines([unsupported]), [
    'pid 9 (python3): asyncio unsupported: CPython 3.14 is not known here; no links by context there',
  ])
  const many = carrierLines(Array.from({ length: 12 }, (_, pid) => ({ ...unsupported, pid })))
  assert.equal(many.length, 11)
  assert.match(many[10]!, /2 processes more/)
})
