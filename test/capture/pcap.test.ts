import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PcapError } from '../../src/capture/pcap-error.js'
import { createPcapSource } from '../../src/capture/pcap-source.js'
import { wireKey } from '../../src/samples/wire-key.js'
import { seeded } from '../protocols/harness.js'
import {
  ACK,
  be,
  ethernet,
  FIN,
  frames,
  glue,
  handshake,
  ipv4,
  ipv6,
  pcap,
  readCapture,
  type Segment,
  START_SECONDS,
  SYN,
  temporaryFile,
  text,
} from './pcap-builder.js'

const exchange: Segment[] = [
  ...handshake(),
  { from: 'client', sequence: 1001, acknowledged: 5001, payload: 'request' },
  { from: 'server', sequence: 5001, acknowledged: 1008, payload: 'answer' },
  { from: 'client', sequence: 1008, acknowledged: 5007, flags: ACK | FIN },
  { from: 'server', sequence: 5007, acknowledged: 1009, flags: ACK | FIN },
  { from: 'client', sequence: 1009, acknowledged: 5008 },
]

test('a connection is told as the kernel of the serving host would tell it', t => {
  const { ends, processes, source, counters } = readCapture(temporaryFile(t, pcap(frames(exchange))))
  assert.equal(ends.length, 1)
  const [end] = ends
  const { connection } = end!
  assert.equal(connection.role, 'server')
  assert.equal(connection.midlife, false)
  assert.deepEqual(connection.local, { address: '10.0.0.1', port: 80 })
  assert.deepEqual(connection.remote, { address: '10.0.0.5', port: 40_000 })
  assert.deepEqual([connection.keyLow, connection.keyHigh, connection.ownsLow], [1000, 5000, false])
  assert.deepEqual(end!.story, ['r7', 's6', 'eof', 'close'])
  assert.equal(text(end!.received), 'request')
  assert.equal(text(end!.sent), 'answer')
  assert.equal(end!.received[0]!.position, 0)
  assert.equal(end!.received[0]!.timeNs, 3000, 'the fourth packet, 3 µs after the first')
  assert.equal(processes.length, 1)
  assert.equal(processes[0]!.comm, '10.0.0.1:80')
  assert.deepEqual(processes[0]!.listens, [80])
  assert.equal(source.kind, 'pcap')
  assert.equal(source.origin.wallBaseNs, BigInt(START_SECONDS) * 1_000_000_000n)
  assert.equal(counters.snapshot()['capture.pcap.packets'], 8)
  assert.equal(counters.snapshot()['capture.pcap.missing_bytes'], undefined)
})

test('both ends of a connection have one key and one wire key', t => {
  const { ends, processes } = readCapture(temporaryFile(t, pcap(frames(exchange))), { ends: 'both' })
  assert.deepEqual(
    ends.map(({ connection }) => connection.role),
    ['client', 'server'],
  )
  const [client, server] = ends
  assert.notEqual(client!.connection.id, server!.connection.id)
  const keys = ends.map(({ connection: { keyLow, keyHigh, ownsLow, role } }) =>
    wireKey(keyLow, keyHigh, ownsLow === (role === 'client'), 0),
  )
  assert.deepEqual({ ...keys[0] }, { ...keys[1] })
  assert.equal(text(client!.sent), text(server!.received))
  assert.equal(text(client!.received), text(server!.sent))
  assert.deepEqual(client!.story, ['s7', 'r6', 'eof', 'close'])
  assert.deepEqual(
    processes.map(({ comm }) => comm),
    ['10.0.0.5', '10.0.0.1:80'],
  )
})

test('the calling end alone', t => {
  const { ends } = readCapture(temporaryFile(t, pcap(frames(exchange))), { ends: 'client' })
  assert.deepEqual(
    ends.map(({ connection }) => connection.role),
    ['client'],
  )
})

test('a client has one process for all its connections, a server one for each port', t => {
  const second = [
    ...handshake(3000, 9000, 40_001).map(segment => ({ ...segment, serverPort: 81 })),
    { from: 'client', sequence: 3001, acknowledged: 9001, payload: 'x', clientPort: 40_001, serverPort: 81 } as const,
  ]
  const { ends } = readCapture(temporaryFile(t, pcap(frames([...exchange, ...second]))), { ends: 'both' })
  const pids = ends.map(({ connection }) => connection.process.pid)
  assert.equal(pids[0], pids[2])
  assert.notEqual(pids[1], pids[3])
})

for (const littleEndian of [true, false]) {
  for (const nanoseconds of [true, false]) {
    const what = `${littleEndian ? 'little' : 'big'} endian, ${nanoseconds ? 'ns' : 'µs'}`
    test(`a pcap file, ${what}`, t => {
      const path = temporaryFile(t, pcap(frames(exchange), { littleEndian, nanoseconds }))
      const { ends, source } = readCapture(path)
      assert.equal(text(ends[0]!.received), 'request')
      assert.equal(ends[0]!.sent[0]!.timeNs, 4000)
      assert.equal(source.origin.wallBaseNs, BigInt(START_SECONDS) * 1_000_000_000n)
    })
  }
}

const cooked = (ip: Uint8Array): Uint8Array => glue(new Uint8Array(14), be(2, ip[0]! >> 4 === 4 ? 0x0800 : 0x86dd), ip)
const links: [string, number, (ip: Uint8Array) => Uint8Array][] = [
  ['Ethernet', 1, ip => ethernet(ip)],
  ['Ethernet with a VLAN tag', 1, ip => ethernet(ip, 0x8100)],
  ['Ethernet with two VLAN tags', 1, ip => ethernet(ip, 0x88a8, 0x8100)],
  ['Linux cooked', 113, cooked],
  ['Linux cooked, version 2', 276, ip => glue(be(2, 0x0800), new Uint8Array(18), ip)],
  ['raw IP', 101, ip => ip],
  ['BSD loopback', 0, ip => glue([ip[0]! >> 4 === 4 ? 2 : 30, 0, 0, 0], ip)],
  ['OpenBSD loopback', 108, ip => glue([0, 0, 0, 2], ip)],
]
for (const [name, linkType, wrap] of links) {
  test(`packets of ${name}, IPv4 and IPv6`, t => {
    for (const ip of [ipv4, ipv6]) {
      const packets = exchange.map(segment => ({ bytes: wrap(ip(segment)) }))
      const { ends } = readCapture(temporaryFile(t, pcap(packets, { linkType })))
      assert.equal(ends.length, 1)
      assert.equal(text(ends[0]!.received), 'request')
      assert.equal(text(ends[0]!.sent), 'answer')
      assert.equal(ends[0]!.connection.remote.address, ip === ipv4 ? '10.0.0.5' : '2001:db8::5')
    }
  })
}

test('IPv6 extension headers are passed, a fragment that is the whole packet is none', t => {
  const hopByHop = [44, 0, 0, 0, 0, 0, 0, 0]
  const whole = [60, 0, 0, 0, 0, 0, 0, 1]
  const options = [6, 0, 0, 0, 0, 0, 0, 0]
  const packets = exchange.map(segment => ({ bytes: ethernet(ipv6(segment, 0, [...hopByHop, ...whole, ...options])) }))
  const { ends, processes } = readCapture(temporaryFile(t, pcap(packets)))
  assert.equal(text(ends[0]!.received), 'request')
  assert.equal(processes[0]!.comm, '[2001:db8::1]:80')
})

test('fragments and what is no TCP over IP are counted, not read', t => {
  const icmp = ipv4(exchange[3]!)
  icmp[9] = 1
  const packets = [
    ...frames(exchange),
    { bytes: ethernet(ipv4({ from: 'client', sequence: 1008, payload: 'gone' }, 0x2000)) },
    { bytes: ethernet(ipv6({ from: 'client', sequence: 1008, payload: 'gone' }, 44, [6, 0, 0, 9, 0, 0, 0, 1])) },
    { bytes: ethernet(icmp) },
    { bytes: glue(new Uint8Array(12), [8, 6], new Uint8Array(28)) },
    { bytes: new Uint8Array(9) },
  ]
  const { ends, counters } = readCapture(temporaryFile(t, pcap(packets)))
  assert.equal(text(ends[0]!.received), 'request')
  const { 'capture.pcap.fragment': fragments, 'capture.pcap.not_tcp': others } = counters.snapshot()
  assert.deepEqual([fragments, others], [2, 2])
  assert.equal(counters.snapshot()['capture.pcap.too_short'], 1)
})

test('a link type that is not known is counted, packet by packet', t => {
  const { ends, counters } = readCapture(temporaryFile(t, pcap(frames(exchange), { linkType: 147 })))
  assert.equal(ends.length, 0)
  assert.equal(counters.snapshot()['capture.pcap.unsupported_link'], exchange.length)
})

test('bytes beyond the snap length were moved and not copied', t => {
  const payload = 'x'.repeat(300)
  const packets = frames([
    ...handshake(),
    { from: 'client', sequence: 1001, acknowledged: 5001, payload },
    { from: 'client', sequence: 1301, acknowledged: 5001, payload: 'next' },
  ]).map(packet => ({ ...packet, captured: Math.min(packet.bytes.length, 96) }))
  const { ends } = readCapture(temporaryFile(t, pcap(packets)))
  const [first, second] = ends[0]!.received
  assert.deepEqual([first!.length, first!.bytes.length], [300, 96 - 54])
  assert.deepEqual([second!.position, text([second!])], [300, 'next'])
})

test('a segment longer than a record can hold becomes several', t => {
  const payload = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251)
  const ip = ipv4({ from: 'client', sequence: 1001, acknowledged: 5001, payload })
  // Segmentation offload: the length that does not fit is 0.
  ip.set([0, 0], 2)
  const { ends } = readCapture(temporaryFile(t, pcap([...frames(handshake()), { bytes: ethernet(ip) }])))
  assert.deepEqual(Buffer.concat(ends[0]!.received.map(({ bytes }) => bytes)), Buffer.from(payload))
  assert.ok(ends[0]!.received.length > 3)
})

test('times that run backwards between packets never do so inside a connection', t => {
  const packets = frames(exchange).map((packet, i) => ({ ...packet, micros: [500, 400, 300, 200, 100, 0, 1, 2][i]! }))
  const { ends } = readCapture(temporaryFile(t, pcap(packets)))
  const times = [...ends[0]!.received, ...ends[0]!.sent].map(({ timeNs }) => timeNs)
  assert.deepEqual(times, [0, 0])
})

test('a file that stops in the middle of a packet is read up to there', t => {
  const whole = pcap(frames(exchange))
  const { ends, counters, error } = readCapture(temporaryFile(t, whole.subarray(0, whole.length - 10)))
  assert.equal(error, undefined)
  assert.equal(text(ends[0]!.sent), 'answer')
  assert.equal(counters.snapshot()['capture.pcap.cut_short'], 1)
})

test('a damaged file is read up to the damage, and the error names file and place', t => {
  const whole = pcap(frames(exchange))
  const damaged = glue(whole, new Uint8Array(8), [0xff, 0xff, 0xff, 0x7f], new Uint8Array(40))
  const path = temporaryFile(t, damaged)
  const { ends, error, source } = readCapture(path)
  assert.deepEqual(ends[0]!.story, ['r7', 's6', 'eof', 'close'])
  assert.ok(error instanceof PcapError)
  assert.equal(error.message, `${path}: damaged: a packet of 2147483647 captured bytes (at byte ${whole.length})`)
  assert.equal(source.ended, true)
  assert.equal(source.read(), undefined)
})

test('a file that is no capture is refused', t => {
  for (const content of ['', 'ab', 'hello world, this is no capture']) {
    const path = temporaryFile(t, Buffer.from(content))
    assert.throws(
      () => createPcapSource(path),
      (error: unknown) => error instanceof PcapError && error.message.startsWith(`${path}: not a packet capture`),
    )
  }
  assert.throws(() => createPcapSource(temporaryFile(t, pcap([]).subarray(0, 20))), /cut short in its header/)
  assert.throws(() => createPcapSource('/nonexistent/capture.pcap'), /ENOENT/)
})

test('an empty capture ends at once', async t => {
  const source = createPcapSource(temporaryFile(t, pcap([])))
  assert.equal(source.read(), undefined)
  assert.equal(source.ended, true)
  await source.close()
})

test('no change of a byte makes it throw, but for the damage it names', t => {
  const whole = pcap(frames(exchange))
  const random = seeded(7)
  for (let round = 0; round < 300; round++) {
    const mutated = Uint8Array.from(whole)
    for (let i = 0; i < 1 + random(4); i++) mutated[24 + random(whole.length - 24)] = random(256)
    const { error } = readCapture(temporaryFile(t, mutated), { ends: 'both' })
    assert.ok(error === undefined || error instanceof PcapError, String(error))
  }
})

test('the same file gives the same records twice', t => {
  const path = temporaryFile(t, pcap(frames(exchange)))
  const records = (): Buffer => {
    const source = createPcapSource(path, { ends: 'both' })
    const batches: Buffer[] = []
    while (!source.ended) batches.push(Buffer.from(source.read() ?? []))
    return Buffer.concat(batches)
  }
  assert.deepEqual(records(), records())
})

test('many connections cost no more than their bound', t => {
  const segments: Segment[] = []
  for (let port = 0; port < 300; port++) {
    const clientPort = 40_000 + port
    segments.push(...handshake(1000, 5000, clientPort))
    segments.push({ from: 'client', sequence: 1001, acknowledged: 5001, payload: 'x', clientPort })
  }
  segments.push({ from: 'client', sequence: 1002, acknowledged: 5001, payload: 'y', clientPort: 40_000 })
  const { ends, counters } = readCapture(temporaryFile(t, pcap(frames(segments))), { connectionLimit: 100 })
  assert.equal(ends.length, 301, 'what had to be forgotten is met again in mid-life')
  assert.equal(ends.at(-1)!.connection.midlife, true)
  assert.equal(counters.snapshot()['capture.pcap.connections_evicted'], 201)
})

test('a SYN that carries bytes, as TCP Fast Open sends it', t => {
  const { ends } = readCapture(
    temporaryFile(
      t,
      pcap(
        frames([
          { from: 'client', sequence: 1000, flags: SYN, payload: 'early ' },
          { from: 'server', sequence: 5000, acknowledged: 1007, flags: SYN | ACK, payload: 'soon' },
          { from: 'client', sequence: 1007, acknowledged: 5005, payload: 'late' },
        ]),
      ),
    ),
  )
  assert.equal(text(ends[0]!.received), 'early late')
  assert.equal(ends[0]!.received[0]!.position, 0)
  assert.equal(text(ends[0]!.sent), 'soon')
})
