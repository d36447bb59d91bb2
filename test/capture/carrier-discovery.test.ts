import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CarrierDiscovery, createCarrierDiscovery } from '../../src/capture/carriers/carrier-discovery.js'
import type { CarrierKernel } from '../../src/capture/carriers/carrier-kernel.js'
import type { CarrierKind, Resolution } from '../../src/capture/carriers/carrier-kind.js'
import type { CarrierCounts } from '../../src/capture/carriers/carrier-layout.js'
import type { ProcessInfo } from '../../src/capture/process-info.js'
import { createCounters } from '../../src/telemetry/counters.js'

/** A process that is there: discovery looks at its maps. */
const PID = process.pid

const SITE = { program: 'born', path: '/x', fileKey: '1:1', offset: 8, atReturn: false }
const FOUND: Resolution = { state: 'resolved', detail: 'as a test', fill: () => {}, probes: [SITE] }

interface World {
  readonly discovery: CarrierDiscovery
  /** What the kind says; may be changed. */
  found: 'yes' | 'later' | 'no'
  resolution: Resolution
  /** What the kernel was told, and what it says. */
  readonly written: Map<number, Uint8Array>
  counts: CarrierCounts
  refuses: string | undefined
  probes: number
  pass(millis: number): number[]
}

function createWorld(refusal?: string): World {
  let now = 0
  const written = new Map<number, Uint8Array>()
  const kernel: CarrierKernel = {
    refusal,
    attach: () => {
      if (world.refuses !== undefined) return { errno: 1, message: world.refuses }
      return ++world.probes
    },
    detach: () => {
      world.probes--
    },
    write: (pid, config) => void written.set(pid, config),
    remove: pid => void written.delete(pid),
    counts: pid => (written.has(pid) ? world.counts : undefined),
    threads: () => [],
  }
  const kind: CarrierKind = {
    ...{ name: 'greenlet', bit: 1 },
    suspects: info => info.comm === 'python3',
    detect: () => world.found,
    resolve: () => world.resolution,
  }
  const discovery = createCarrierDiscovery({
    ...{ kinds: [kind], kernel, counters: createCounters() },
    now: () => now,
    monotonicNs: () => now * 1e6,
  })
  const world: World = {
    ...{ discovery, found: 'yes', resolution: FOUND, written, refuses: undefined, probes: 0 },
    counts: { lookups: 0, faults: 0, mismatches: 0, births: 0 },
    pass: millis => {
      now += millis
      return discovery.work()
    },
  }
  return world
}

const infoOf = (comm: string, listens: number[] = []): ProcessInfo => ({
  ...{ pid: PID, parent: 1, startNs: 0, comm, exe: `/usr/bin/${comm}`, commandLine: [comm], user: 0, cgroup: '' },
  listens,
})

test('the kernel is told of carriers once their births are probed', () => {
  const world = createWorld()
  world.discovery.met(infoOf('python3'))
  assert.equal(world.probes, 1)
  assert.equal(world.written.get(PID)?.[0], 1)
  assert.deepEqual(world.discovery.carriersOf(PID), { kinds: ['greenlet'], state: 'resolved', reason: '' })
})

test('refused probes: the kernel is told nothing, and the reason is kept', () => {
  const world = createWorld()
  world.refuses = 'Operation not permitted'
  world.discovery.met(infoOf('python3'))
  assert.equal(world.written.size, 0)
  assert.equal(world.discovery.carriersOf(PID)?.state, 'refused')
  assert.match(world.discovery.status()[0]!.reason, /not permitted/)
})

test('a kernel without the programs: refused, with what it said', () => {
  const world = createWorld('the kernel refused the BPF programs')
  world.discovery.met(infoOf('python3'))
  assert.equal(world.discovery.carriersOf(PID)?.state, 'refused')
  assert.equal(world.probes, 0)
})

test('an unknown version is unsupported, with the reason', () => {
  const world = createWorld()
  world.resolution = { state: 'unsupported', reason: 'CPython 3.99 is not known here' }
  world.discovery.met(infoOf('python3'))
  assert.deepEqual(world.discovery.carriersOf(PID), {
    ...{ kinds: ['greenlet'], state: 'unsupported', reason: 'CPython 3.99 is not known here' },
  })
  assert.equal(world.written.size, 0)
})

test('a process that is still being loaded is looked at again until it can be resolved', () => {
  const world = createWorld()
  world.resolution = { state: 'pending', reason: 'being loaded' }
  world.discovery.met(infoOf('python3'))
  assert.equal(world.discovery.carriersOf(PID)?.state, 'pending')
  world.resolution = FOUND
  assert.deepEqual(world.pass(150), [PID])
  assert.equal(world.discovery.carriersOf(PID)?.state, 'resolved')
})

test('an interpreter that may yet import its carriers is believed to have none only after its start', () => {
  const world = createWorld()
  world.found = 'later'
  world.discovery.met(infoOf('python3'))
  assert.equal(world.discovery.carriersOf(PID)?.state, 'pending')
  assert.deepEqual(world.pass(1100), [PID])
  assert.equal(world.discovery.carriersOf(PID), undefined)
  world.found = 'yes'
  assert.deepEqual(world.pass(60_000), [PID])
  assert.equal(world.discovery.carriersOf(PID)?.state, 'resolved')
})

test('memory that does not look as expected: what was told is withdrawn', () => {
  const world = createWorld()
  world.discovery.met(infoOf('python3'))
  world.counts = { lookups: 1000, faults: 5, mismatches: 20, births: 0 }
  assert.deepEqual(world.pass(60_000), [PID])
  assert.equal(world.written.size, 0)
  assert.match(world.discovery.carriersOf(PID)!.reason, /25 of 1000/)
})

test('a forked child has what the kernel copied; what it did not copy is looked for anew', () => {
  const world = createWorld()
  world.discovery.met(infoOf('python3'))
  world.written.set(5, world.written.get(PID)!)
  world.discovery.forked(5, PID)
  assert.equal(world.discovery.carriersOf(5)?.state, 'resolved')
  world.discovery.forked(6, PID)
  assert.equal(world.discovery.carriersOf(6)?.state, 'pending')
})

test('another program voids what was known; an ended process is forgotten and its probe given back', () => {
  const world = createWorld()
  world.discovery.met(infoOf('python3'))
  world.discovery.replaced(PID, infoOf('cat'))
  assert.equal(world.discovery.carriersOf(PID), undefined)
  world.discovery.ended(PID)
  world.pass(10)
  assert.equal(world.probes, 0)
  assert.deepEqual(world.discovery.status(), [])
})

test('a process without carriers is nobody that status speaks of', () => {
  const world = createWorld()
  world.found = 'no'
  world.discovery.met(infoOf('nginx'))
  assert.equal(world.discovery.carriersOf(PID), undefined)
  assert.deepEqual(world.discovery.status(), [])
})
