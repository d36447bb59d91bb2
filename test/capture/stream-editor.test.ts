import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CONNECTION,
  DATA,
  EventFlag,
  HEADER,
  Op,
  PROCESS,
  WireRole,
  WireTransport,
} from '../../src/capture/event-layout.js'
import type { ProcessInfo } from '../../src/capture/process-info.js'
import type { ProcessTracker } from '../../src/capture/process-tracker.js'
import { createStreamEditor } from '../../src/capture/stream-editor.js'

const info = (pid: number): ProcessInfo => ({
  ...{ pid, parent: 1, startNs: 0, comm: 'x', exe: '/x', commandLine: [], user: 0, cgroup: '', listens: [] },
})

/** Knows whom it met; traces all but pid 66. */
function fakeTracker(): ProcessTracker {
  const known = new Set<number>()
  const learn = (pid: number): ProcessInfo => {
    known.add(pid)
    return info(pid)
  }
  return {
    scan: () => {},
    addOwn: () => {},
    isKnown: pid => known.has(pid),
    meet: learn,
    replaced: pid => (pid === 66 ? { traced: false, info: undefined } : { traced: true, info: learn(pid) }),
    listens: (pid, port) => (port === 0 || known.has(pid) ? undefined : learn(pid)),
    forked: () => {},
    describe: () => undefined,
    lookUp: () => undefined,
    ended: pid => known.delete(pid),
  }
}

const SIZES: Readonly<Record<number, number>> = {
  [Op.send]: DATA.bytes + 5,
  [Op.receive]: DATA.bytes,
  [Op.connection]: CONNECTION.bytes,
  [Op.exec]: PROCESS.bytes,
  [Op.exit]: PROCESS.bytes,
  [Op.listen]: PROCESS.bytes,
}

function batchOf(
  ...records: readonly [op: number, pid: number, fill?: (view: DataView, at: number) => void][]
): Uint8Array {
  const bytes = new Uint8Array(4096)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const [op, pid, fill] of records) {
    view.setUint32(at + HEADER.size, SIZES[op]!, true)
    view.setUint8(at + HEADER.op, op)
    view.setUint32(at + HEADER.pid, pid, true)
    fill?.(view, at)
    at += (SIZES[op]! + 7) & ~7
  }
  return bytes.subarray(0, at)
}

/** `op pid` of all records in all pieces. */
function edit(
  batch: Uint8Array,
  tracker = fakeTracker(),
  older = new Set<number>(),
): { names: string[]; pieces: number } {
  const pieces: Uint8Array[] = []
  createStreamEditor({ tracker, olderUnixSockets: older }).edit(batch, pieces)
  const names: string[] = []
  for (const piece of pieces) {
    const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength)
    for (let at = 0; at < piece.length; at += (view.getUint32(at, true) + 7) & ~7) {
      const op = Object.entries(Op).find(([, value]) => value === view.getUint8(at + HEADER.op))![0]
      names.push(`${op} ${view.getUint32(at + HEADER.pid, true)}`)
    }
  }
  return { names, pieces: pieces.length }
}

test('a process is described before its first call, once', () => {
  const { names } = edit(batchOf([Op.send, 5], [Op.send, 6], [Op.receive, 5], [Op.send, 6]))
  assert.deepEqual(names, ['processInfo 5', 'send 5', 'processInfo 6', 'send 6', 'receive 5', 'send 6'])
})

test('a batch of processes that are known is handed on as one piece', () => {
  const tracker = fakeTracker()
  edit(batchOf([Op.send, 5], [Op.send, 6]), tracker)
  assert.equal(edit(batchOf([Op.send, 5], [Op.send, 6], [Op.receive, 5]), tracker).pieces, 1)
})

test('a process that became another program is described after that', () => {
  const { names } = edit(batchOf([Op.exec, 5], [Op.send, 5]))
  assert.deepEqual(names, ['exec 5', 'processInfo 5', 'send 5'])
})

test('what happens to processes that are not traced is left out', () => {
  const { names } = edit(batchOf([Op.exec, 66], [Op.send, 5], [Op.exit, 66]))
  assert.deepEqual(names, ['processInfo 5', 'send 5'])
})

test('listening is answered with a description and not handed on', () => {
  const { names } = edit(
    batchOf([Op.listen, 5, (view, at) => view.setUint32(at + PROCESS.parent, 80, true)], [Op.send, 5]),
  )
  assert.deepEqual(names, ['processInfo 5', 'send 5'])
})

test('a pid that is used again is described again', () => {
  const { names } = edit(batchOf([Op.send, 5], [Op.exit, 5], [Op.send, 5]))
  assert.deepEqual(names, ['processInfo 5', 'send 5', 'exit 5', 'processInfo 5', 'send 5'])
})

test('a Unix socket that is older than the capture is marked', () => {
  const connection = (inode: number): [number, number, (view: DataView, at: number) => void] => [
    Op.connection,
    5,
    (view, at) => {
      view.setUint8(at + CONNECTION.transport, WireTransport.unix)
      view.setUint8(at + CONNECTION.role, WireRole.opened)
      view.setBigUint64(at + CONNECTION.localIdentity, BigInt(inode), true)
    },
  ]
  const batch = batchOf(connection(7), connection(8))
  edit(batch, fakeTracker(), new Set([7]))
  assert.equal(batch[HEADER.flags]! & EventFlag.midlife, EventFlag.midlife)
  assert.equal(batch[CONNECTION.bytes + HEADER.flags]! & EventFlag.midlife, 0)
})
