import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CALL_SKETCH,
  CALL_SKETCH_KEY,
  LATENCY_BUCKETS,
  LATENCY_FIRST_BITS,
  LATENCY_LAST_BITS,
  LATENCY_STEPS_BITS,
} from '../../src/capture/call-sketch-layout.js'
import {
  ASYNCIO_LAYOUT,
  CARRIER_CONFIG,
  CARRIER_COUNTS,
  CarrierBit,
  GREENLET_LAYOUT,
  PYTHON_LAYOUT,
} from '../../src/capture/carriers/carrier-layout.js'
import { HEAD_LIMIT, LOST_CAUSES, POLICY, ProcessDecision, TAIL_LIMIT } from '../../src/capture/control-layout.js'
import {
  CLOSE,
  CONNECTION,
  DATA,
  EventFlag,
  HEADER,
  Op,
  PROCESS,
  TASK,
  WireRole,
  WireTransport,
} from '../../src/capture/event-layout.js'
import { readTypeLayouts, type StructLayout } from '../bpf/type-layouts.js'
import { program, requires } from '../support/requirements.js'

const snake = (name: string): string => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

/** Every offset that TypeScript names is the C member's of the same name; `bytes` is the struct's size. */
function assertLayout(ours: Readonly<Record<string, number>>, theirs: StructLayout | undefined): void {
  assert.ok(theirs !== undefined)
  for (const [name, offset] of Object.entries(ours)) {
    assert.equal(offset, name === 'bytes' ? theirs.bytes : theirs.offsets[snake(name)], name)
  }
}

/** Both sides have the same names (with their prefix in C) and numbers; `except` exists in C alone. */
function assertEnum(
  ours: Readonly<Record<string, number>>,
  theirs: Readonly<Record<string, number>> | undefined,
  prefix: string,
  except: readonly string[] = [],
): void {
  const expected = Object.fromEntries(Object.entries(ours).map(([name, value]) => [`${prefix}${snake(name)}`, value]))
  assert.deepEqual(
    Object.fromEntries(Object.entries(theirs ?? {}).filter(([name]) => !except.includes(name))),
    expected,
  )
}

test('records lie in memory as event-layout.ts says', t => {
  if (!requires(t, program('clang'), program('bpftool'))) return
  const { structs } = readTypeLayouts()
  assertLayout(HEADER, structs['event_header'])
  assertLayout(DATA, structs['data_event'])
  assertLayout(CONNECTION, structs['connection_event'])
  assertLayout(CLOSE, structs['close_event'])
  assertLayout(PROCESS, structs['process_event'])
  assertLayout(TASK, structs['task_event'])
})

test('ops, flags, roles and transports have the same numbers on both sides', t => {
  if (!requires(t, program('clang'), program('bpftool'))) return
  const { enums } = readTypeLayouts()
  assertEnum(Op, enums['event_op'], 'k_op_')
  assertEnum(EventFlag, enums['event_flag'], 'k_flag_')
  assertEnum(WireRole, enums['connection_role'], 'k_role_')
  assertEnum(WireTransport, enums['connection_transport'], 'k_transport_')
})

test('what user space writes into the maps has the same layout and numbers on both sides', t => {
  if (!requires(t, program('clang'), program('bpftool'))) return
  const { structs, enums } = readTypeLayouts()
  assertLayout(POLICY, structs['copy_policy'])
  assertEnum(ProcessDecision, enums['process_decision'], 'k_process_')
  const causes = Object.fromEntries(LOST_CAUSES.map(({ cause }, index) => [`k_lost_${cause}`, index]))
  assert.deepEqual(enums['lost_cause'], { ...causes, k_lost_causes: LOST_CAUSES.length })
  assert.equal(enums['copy_limit']!['k_head_limit'], HEAD_LIMIT)
  assert.equal(enums['copy_limit']!['k_tail_limit'], TAIL_LIMIT)
})

test('what the kernel counts has the same layout on both sides', t => {
  if (!requires(t, program('clang'), program('bpftool'))) return
  const { structs, enums } = readTypeLayouts()
  assertLayout(CALL_SKETCH_KEY, structs['call_sketch_key'])
  assertLayout(CALL_SKETCH, structs['call_sketch'])
  assert.deepEqual(enums['latency_buckets'], {
    k_latency_first_bits: LATENCY_FIRST_BITS,
    k_latency_last_bits: LATENCY_LAST_BITS,
    k_latency_steps_bits: LATENCY_STEPS_BITS,
    k_latency_count: LATENCY_BUCKETS,
  })
})

test('what user space writes about carriers has the same layout and numbers on both sides', t => {
  if (!requires(t, program('clang'), program('bpftool'))) return
  const { structs, enums } = readTypeLayouts()
  assertLayout(CARRIER_CONFIG, structs['carrier_config'])
  assertLayout(CARRIER_COUNTS, structs['carrier_counts'])
  assertLayout(GREENLET_LAYOUT, structs['greenlet_layout'])
  assertLayout(ASYNCIO_LAYOUT, structs['asyncio_layout'])
  assertLayout(PYTHON_LAYOUT, structs['python_layout'])
  assertEnum(CarrierBit, enums['carrier_kind'], 'k_carrier_')
})
