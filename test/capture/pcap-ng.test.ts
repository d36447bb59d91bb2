import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PcapError } from '../../src/capture/pcap-error.js'
import {
  ethernet,
  glue,
  handshake,
  ipv4,
  readCapture,
  type Segment,
  START_SECONDS,
  temporaryFile,
  text,
} from './pcap-builder.js'

/** Writes pcapng blocks in one byte order. */
function blocks(little: boolean) {
  const number = (size: 2 | 4 | 8, value: number | bigint): Uint8Array => {
    const view = new DataView(new ArrayBuffer(size))
    if (size === 2) view.setUint16(0, Number(value), little)
    else if (size === 4) view.setUint32(0, Number(value), little)
    else view.setBigUint64(0, BigInt(value), little)
    return new Uint8Array(view.buffer)
  }
  const block = (type: number, ...parts: Uint8Array[]): Uint8Array => {
    const body = glue(...parts)
    const padded = glue(body, new Uint8Array(-body.length & 3))
    const length = number(4, padded.length + 12)
    return glue(number(4, type), length, padded, length)
  }
  return {
    number,
    block,
    section: () => block(0x0a0d0d0a, number(4, 0x1a2b3c4d), number(2, 1), number(2, 0), number(8, 2n ** 64n - 1n)),
    interface: (linkType: number, options: Uint8Array = new Uint8Array(0), snapLength = 0) =>
      block(1, number(2, linkType), number(2, 0), number(4, snapLength), options),
    resolution: (value: number) => glue(number(2, 9), number(2, 1), [value, 0, 0, 0]),
    timeOffset: (seconds: number) => glue(number(2, 14), number(2, 8), number(8, seconds)),
    comment: () => glue(number(2, 1), number(2, 3), [0x61, 0x62, 0x63, 0]),
    enhanced: (id: number, units: bigint, packet: Uint8Array, captured = packet.length) =>
      block(
        6,
        number(4, id),
        number(4, units >> 32n),
        number(4, units & 0xffffffffn),
        number(4, captured),
        number(4, packet.length),
        packet.subarray(0, captured),
      ),
    simple: (packet: Uint8Array, captured = packet.length) =>
      block(3, number(4, packet.length), packet.subarray(0, captured)),
    obsolete: (id: number, units: bigint, packet: Uint8Array) =>
      block(
        2,
        number(2, id),
        number(2, 0),
        number(4, units >> 32n),
        number(4, units & 0xffffffffn),
        number(4, packet.length),
        number(4, packet.length),
        packet,
      ),
  }
}

const segments: Segment[] = [
  ...handshake(),
  { from: 'client', sequence: 1001, acknowledged: 5001, payload: 'request' },
  { from: 'server', sequence: 5001, acknowledged: 1008, payload: 'answer' },
]
const packets = segments.map(segment => ethernet(ipv4(segment)))
const micros = (i: number): bigint => BigInt(START_SECONDS) * 1_000_000n + BigInt(i)

for (const little of [true, false]) {
  test(`enhanced packets, ${little ? 'little' : 'big'} endian, between blocks that are not known`, t => {
    const ng = blocks(little)
    const file = glue(
      ng.section(),
      ng.interface(1, glue(ng.comment(), ng.number(2, 0), ng.number(2, 0))),
      ng.block(0x0bad, new Uint8Array(16)),
      ...packets.map((packet, i) => ng.enhanced(0, micros(i), packet)),
      ng.block(5, new Uint8Array(12)),
    )
    const { ends, source, error } = readCapture(temporaryFile(t, file))
    assert.equal(error, undefined)
    assert.equal(text(ends[0]!.received), 'request')
    assert.equal(text(ends[0]!.sent), 'answer')
    assert.equal(ends[0]!.sent[0]!.timeNs, 4000)
    assert.equal(source.origin.wallBaseNs, BigInt(START_SECONDS) * 1_000_000_000n)
  })
}

test('several interfaces, each with its link type, resolution and offset', t => {
  const ng = blocks(true)
  const ip = segments.map(segment => ipv4(segment))
  const seconds = BigInt(START_SECONDS)
  const file = glue(
    ng.section(),
    ng.interface(1),
    ng.interface(101, ng.resolution(9)),
    ng.interface(101, ng.resolution(0x80 | 10)),
    ng.interface(101, glue(ng.resolution(3), ng.timeOffset(START_SECONDS))),
    ng.enhanced(0, micros(0), packets[0]!),
    ng.enhanced(1, seconds * 1_000_000_000n + 250_000_001n, ip[1]!),
    ng.enhanced(2, seconds * 1024n + 512n, ip[2]!),
    ng.enhanced(3, 750n, ip[3]!),
    ng.enhanced(1, seconds * 1_000_000_000n + 999_999_999n, ip[4]!),
  )
  const { ends } = readCapture(temporaryFile(t, file))
  assert.equal(ends[0]!.received[0]!.timeNs, 750_000_000)
  assert.equal(ends[0]!.sent[0]!.timeNs, 999_999_999)
})

test('simple packets have no time and are cut at the snap length', t => {
  const ng = blocks(true)
  const file = glue(
    ng.section(),
    ng.interface(1, new Uint8Array(0), 58),
    ...packets.slice(0, 3).map(packet => ng.simple(packet, Math.min(packet.length, 58))),
    ng.simple(packets[3]!, 58),
  )
  const { ends } = readCapture(temporaryFile(t, file))
  assert.equal(text(ends[0]!.received), 'requ...')
})

test('packets of the obsolete kind', t => {
  const ng = blocks(false)
  const file = glue(ng.section(), ng.interface(1), ...packets.map((packet, i) => ng.obsolete(0, micros(i), packet)))
  assert.equal(text(readCapture(temporaryFile(t, file)).ends[0]!.sent), 'answer')
})

test('a second section of another byte order has interfaces of its own', t => {
  const [first, second] = [blocks(true), blocks(false)]
  const file = glue(
    first.section(),
    first.interface(101),
    first.interface(1),
    ...packets.slice(0, 3).map((packet, i) => first.enhanced(1, micros(i), packet)),
    second.section(),
    second.interface(1),
    ...packets.slice(3).map((packet, i) => second.enhanced(0, micros(3 + i), packet)),
  )
  assert.equal(text(readCapture(temporaryFile(t, file)).ends[0]!.sent), 'answer')
})

test('damage is named with its place, and all before it is read', t => {
  const ng = blocks(true)
  const good = glue(ng.section(), ng.interface(1), ...packets.map((packet, i) => ng.enhanced(0, micros(i), packet)))
  const wrongEnd = ng.enhanced(0, micros(9), packets[0]!)
  wrongEnd[wrongEnd.length - 4]! += 4
  const oversized = ng.enhanced(0, micros(9), packets[0]!)
  new DataView(oversized.buffer, oversized.byteOffset).setUint32(20, 5000, true)
  const cases: [string, Uint8Array][] = [
    ['a block of 10 bytes', glue(ng.number(4, 6), ng.number(4, 10), new Uint8Array(8))],
    ['a block of 4294967292 bytes', glue(ng.number(4, 6), ng.number(4, 4294967292), new Uint8Array(8))],
    ['a block whose two lengths differ', wrongEnd],
    ['a packet of interface 7, which was not described', ng.enhanced(7, micros(9), packets[0]!)],
    ['a packet of 5000 captured bytes in a block of fewer', oversized],
    ['a section without a byte order', ng.block(0x0a0d0d0a, new Uint8Array(16))],
    ['an interface without a link type', ng.block(1, new Uint8Array(4))],
    ['a packet without a length', ng.block(6, new Uint8Array(8))],
  ]
  for (const [problem, bytes] of cases) {
    const path = temporaryFile(t, glue(good, bytes))
    const { ends, error } = readCapture(path)
    assert.equal(text(ends[0]!.sent), 'answer', problem)
    assert.ok(error instanceof PcapError)
    assert.equal(error.message, `${path}: damaged: ${problem} (at byte ${good.length})`)
  }
})

test('a file that stops inside a block is read up to there', t => {
  const ng = blocks(true)
  const file = glue(ng.section(), ng.interface(1), ...packets.map((packet, i) => ng.enhanced(0, micros(i), packet)))
  for (const missing of [1, 8, 30, 70]) {
    const { error, counters } = readCapture(temporaryFile(t, file.subarray(0, file.length - missing)))
    assert.equal(error, undefined)
    assert.equal(counters.snapshot()['capture.pcap.cut_short'], 1)
  }
})
