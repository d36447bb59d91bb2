import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createCaptureClock } from '../../src/capture/capture-clock.js'
import { decodeConnection } from '../../src/capture/connection-record.js'
import { type EventHandler, EventReader } from '../../src/capture/event-reader.js'
import { CaptureBuilder, ORIGIN } from '../support/capture-builder.js'

const handler = (on: Partial<EventHandler>): EventHandler => ({
  data: () => {},
  connection: () => {},
  close: () => {},
  process: () => {},
  taskBirth: () => {},
  text: () => {},
  ...on,
})

const conversation = (): CaptureBuilder => {
  const builder = new CaptureBuilder()
  const client = { pid: 10, tid: 11 }
  const server = { pid: 20 }
  const pair = builder.at(5).connect(client, server, 80)
  return builder.request(pair, client, server, 'hello').close(pair, client, server)
}

test('Records come with times relative to the base, process, thread and payload', () => {
  const reader = new EventReader(createCaptureClock(ORIGIN))
  const seen: unknown[] = []
  reader.read(
    conversation().batch(),
    handler({
      data: r => {
        const text = Buffer.from(r.bytes.subarray(r.payload, r.payload + r.headLength)).toString()
        seen.push([r.op, r.timeNs, r.pid, r.tid, r.connection, r.position, r.length, text])
      },
    }),
  )
  assert.deepEqual(seen, [
    [1, 8_000, 10, 11, 1, 0, 5, 'hello'],
    [2, 9_000, 20, 20, 2, 0, 5, 'hello'],
  ])
})

test('Both ends of a connection get the same key, and only one of them owns its lower half', () => {
  const reader = new EventReader(createCaptureClock(ORIGIN))
  const process = { pid: 0, info: undefined, comm: '', generation: 0, endedNs: undefined }
  const seen: ReturnType<typeof decodeConnection>[] = []
  reader.read(conversation().batch(), handler({ connection: r => seen.push(decodeConnection(r, process)) }))
  const [asked, client, server] = seen
  assert.equal(asked?.keyHigh, 0, 'connect() is told before the peer has a sequence number')
  assert.deepEqual([client?.keyLow, client?.keyHigh], [server?.keyLow, server?.keyHigh])
  assert.notEqual(client?.ownsLow, server?.ownsLow)
  assert.deepEqual([client?.role, server?.role], ['client', 'server'])
  assert.deepEqual(client?.local, server?.remote)
})

test('A batch that is cut short is read up to the cut', () => {
  const batch = conversation().batch()
  const whole = new EventReader(createCaptureClock(ORIGIN)).read(batch, handler({}))
  for (let length = 0; length < batch.length; length++) {
    const reader = new EventReader(createCaptureClock(ORIGIN))
    assert.ok(reader.read(batch.slice(0, length), handler({})) < whole)
  }
})

test('No batch of bytes makes it throw or read outside', () => {
  const batch = conversation().batch()
  fc.assert(
    fc.property(fc.integer({ min: 0, max: batch.length - 1 }), fc.integer({ min: 0, max: 255 }), (at, value) => {
      const damaged = batch.slice()
      damaged[at] = value
      new EventReader(createCaptureClock(ORIGIN)).read(
        damaged,
        handler({ data: r => assert.ok(r.payload + r.headLength + r.tailLength <= r.bytes.length) }),
      )
    }),
    { numRuns: 2_000 },
  )
})

test('A batch at an odd address is read like any other', () => {
  const batch = conversation().batch()
  const odd = new Uint8Array(batch.length + 3).subarray(3)
  odd.set(batch)
  const reader = new EventReader(createCaptureClock(ORIGIN))
  assert.equal(reader.read(odd, handler({})), new EventReader(createCaptureClock(ORIGIN)).read(batch, handler({})))
})

test('Times are exact on a machine that has been up for years', () => {
  const monotonicBaseNs = 300_000_000_000_000_007n
  const clock = createCaptureClock({ ...ORIGIN, monotonicBaseNs })
  const at = monotonicBaseNs + 123_456_789n
  assert.equal(clock.relative(Number(at & 0xffffffffn), Number(at >> 32n)), 123_456_789)
  assert.equal(clock.wallNs(123_456_789), ORIGIN.wallBaseNs + 123_456_789n)
  assert.deepEqual(clock.wallTime(1_999_999_999), [1_700_000_001, 999_999_999])
  assert.deepEqual(createCaptureClock({ ...ORIGIN, wallBaseNs: 999_999_999n }).wallTime(1), [1, 0])
})
