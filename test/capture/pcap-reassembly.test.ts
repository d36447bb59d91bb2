import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import { seeded } from '../protocols/harness.js'
import {
  ACK,
  FIN,
  frames,
  handshake,
  pcap,
  RST,
  readCapture,
  type SeenCapture,
  type Segment,
  SYN,
  type TimedPacket,
  temporaryFile,
  text,
} from './pcap-builder.js'

type Read = (segments: readonly Segment[], packets?: (packets: TimedPacket[]) => TimedPacket[]) => SeenCapture

const reader =
  (t: TestContext): Read =>
  (segments, change = packets => packets) =>
    readCapture(temporaryFile(t, pcap(change(frames(segments)))), { ends: 'both' })

const sends = (sequence: number, payload: string, acknowledged = 5001): Segment => ({
  from: 'client',
  sequence,
  acknowledged,
  payload,
})
const answers = (sequence: number, payload: string, acknowledged: number): Segment => ({
  from: 'server',
  sequence,
  acknowledged,
  payload,
})

test('segments out of order wait for those before them', t => {
  const { ends, counters } = reader(t)([
    ...handshake(),
    sends(1009, 'cc'),
    sends(1005, 'bbbb'),
    sends(1001, 'aaaa'),
    sends(1011, 'd'),
  ])
  assert.equal(text(ends[0]!.sent), 'aaaabbbbccd')
  assert.deepEqual(ends[0]!.story, ['s4', 's4', 's2', 's1'])
  assert.equal(counters.snapshot()['capture.pcap.missing_bytes'], undefined)
})

test('what comes twice counts once', t => {
  const { ends, counters } = reader(t)([
    ...handshake(),
    sends(1001, 'aaaa'),
    sends(1001, 'aaaa'),
    sends(1005, 'bbbb'),
    sends(1001, 'aaaabbbb'),
  ])
  assert.equal(text(ends[0]!.sent), 'aaaabbbb')
  assert.equal(counters.snapshot()['capture.pcap.retransmitted_bytes'], 12)
})

test('where segments overlap the first wins, in order and behind a gap', t => {
  const inOrder = reader(t)([...handshake(), sends(1001, 'aaaa'), sends(1003, 'XXbb')])
  assert.equal(text(inOrder.ends[0]!.sent), 'aaaabb')
  const behindGap = reader(t)([
    ...handshake(),
    sends(1005, 'cc'),
    sends(1009, 'ee'),
    sends(1003, 'bbXXddXXff'),
    sends(1001, 'aaYY'),
  ])
  assert.equal(text(behindGap.ends[0]!.sent), 'aaYYccddeeff')
})

test('a missing segment that the receiver has, as its answer shows, is told as moved before the answer', t => {
  const { ends, counters } = reader(t)([
    ...handshake(),
    sends(1001, 'GET '),
    answers(5001, 'answer', 1011),
    sends(1011, 'next', 5007),
  ])
  assert.deepEqual(ends[1]!.story, ['r4', 'r6', 's6', 'r4'])
  assert.deepEqual(
    ends[1]!.received.map(({ uncopied }) => uncopied),
    [false, true, false],
  )
  assert.equal(text(ends[1]!.received), 'GET ......next')
  assert.equal(counters.snapshot()['capture.pcap.missing_bytes'], 6)
})

test('a segment that is captured after its acknowledgement is still taken', t => {
  const { ends, counters } = reader(t)([
    ...handshake(),
    { from: 'server', sequence: 5001, acknowledged: 1008 },
    sends(1001, 'request'),
    answers(5001, 'answer', 1008),
  ])
  assert.equal(text(ends[0]!.sent), 'request')
  assert.equal(counters.snapshot()['capture.pcap.missing_bytes'], undefined)
})

test('a segment that was acknowledged and does not turn up is given up after a short while', t => {
  const { ends } = reader(t)(
    [
      ...handshake(),
      { from: 'server', sequence: 5001, acknowledged: 1008 },
      { from: 'server', sequence: 5001, acknowledged: 1008 },
      sends(1008, 'next'),
    ],
    packets => packets.map((packet, i) => ({ ...packet, micros: [0, 1, 2, 3, 30_000, 30_001][i]! })),
  )
  assert.equal(text(ends[0]!.sent), '.......next')
  assert.equal(ends[0]!.sent[0]!.timeNs, 30_000_000)
})

test('what waits behind a gap is not kept for longer than the bound', t => {
  const { ends } = reader(t)([...handshake(), sends(1005, 'bbbb'), sends(1009, 'cc')], packets =>
    packets.map((packet, i) => ({ ...packet, micros: [0, 1, 2, 3, 1_500_000][i]! })),
  )
  assert.deepEqual(ends[0]!.story, ['s4', 's4', 's2'])
  assert.equal(text(ends[0]!.sent), '....bbbbcc')
  assert.equal(ends[0]!.sent[0]!.timeNs, 1_500_000_000)
})

test('what waits behind a gap at the end of the capture is told', t => {
  const { ends } = reader(t)([...handshake(), sends(1005, 'bbbb'), sends(1015, 'dd')])
  assert.equal(text(ends[0]!.sent), '....bbbb......dd')
})

test('what waits behind a gap is bounded in bytes', t => {
  const segments = [...handshake()]
  for (let i = 0; i < 3000; i++) segments.push(sends(1002 + i * 1000, 'x'.repeat(1000)))
  const { ends } = reader(t)(segments)
  assert.equal(ends[0]!.sent[0]!.uncopied, true)
  assert.equal(
    ends[0]!.sent.reduce((sum, { length }) => sum + length, 0),
    3_000_001,
  )
  assert.ok(ends[0]!.sent[1]!.timeNs < 1_100_000, 'it did not wait for the end')
})

test('sequence numbers wrap', t => {
  const isn = 2 ** 32 - 4
  const { ends } = reader(t)([
    ...handshake(isn, 5000),
    sends(isn + 1, 'aa'),
    sends(isn + 5, 'cc'),
    sends(isn + 3, 'bb'),
    answers(5001, 'ok', isn + 7),
  ])
  assert.equal(text(ends[0]!.sent), 'aabbcc')
  assert.deepEqual(
    ends[0]!.sent.map(({ position }) => position),
    [0, 2, 4],
  )
  assert.equal(text(ends[0]!.received), 'ok')
})

test('a connection met in mid-life begins with the first bytes seen, its server at the lower port', t => {
  const { ends } = reader(t)([
    { from: 'server', sequence: 700, acknowledged: 300 },
    answers(700, 'tail of an answer', 300),
    sends(300, 'request', 717),
    answers(717, 'answer', 307),
  ])
  assert.deepEqual(
    ends.map(({ connection }) => [connection.role, connection.midlife]),
    [
      ['client', true],
      ['server', true],
    ],
  )
  assert.equal(text(ends[0]!.received), 'tail of an answeranswer')
  assert.equal(text(ends[0]!.sent), 'request')
  assert.equal(ends[0]!.connection.keyLow, ends[1]!.connection.keyLow)
})

test('between two ports that clients may have, mid-life leaves the roles open', t => {
  const ports = { clientPort: 50_000, serverPort: 45_000 }
  const { ends, processes } = reader(t)([{ ...sends(300, 'x', 717), ...ports }])
  assert.deepEqual(
    ends.map(({ connection }) => connection.role),
    ['unknown', 'unknown'],
  )
  assert.deepEqual(
    processes.map(({ listens }) => listens),
    [[], []],
  )
})

test('a handshake seen from its second half on is no mid-life', t => {
  const { ends } = reader(t)([...handshake().slice(1), sends(1001, 'hello')])
  assert.equal(ends[0]!.connection.midlife, false)
  assert.deepEqual([ends[0]!.connection.role, ends[0]!.sent[0]!.position], ['client', 0])
})

test('a SYN captured after its answer changes nothing', t => {
  const [syn, synAck, ack] = handshake()
  const { ends } = reader(t)([synAck!, syn!, syn!, ack!, sends(1001, 'hello')])
  assert.equal(ends.length, 2)
  assert.equal(text(ends[0]!.sent), 'hello')
})

test('ports that are used again are another connection', t => {
  const { ends } = reader(t)([
    ...handshake(),
    sends(1001, 'first'),
    { from: 'client', sequence: 1006, acknowledged: 5001, flags: ACK | FIN },
    { from: 'server', sequence: 5001, acknowledged: 1007, flags: ACK | FIN },
    ...handshake(90_000, 70_000),
    sends(90_001, 'second', 70_001),
    ...handshake(190_000, 170_000),
    sends(190_001, 'third', 170_001),
  ])
  assert.deepEqual(
    ends.filter(({ connection }) => connection.role === 'client').map(({ sent }) => text(sent)),
    ['first', 'second', 'third'],
  )
  assert.deepEqual(
    ends.map(({ closed }) => closed),
    [true, true, true, true, false, false],
  )
})

test('late repetitions on a connection that has ended are no new one', t => {
  const { ends } = reader(t)([
    ...handshake(),
    sends(1001, 'hello'),
    { from: 'client', sequence: 1006, acknowledged: 5001, flags: ACK | FIN },
    { from: 'server', sequence: 5001, acknowledged: 1007, flags: ACK | FIN },
    sends(1001, 'hello'),
    { from: 'client', sequence: 1006, acknowledged: 5001, flags: ACK | FIN },
  ])
  assert.equal(ends.length, 2)
})

test('a FIN that comes before the last bytes ends the direction behind them', t => {
  const { ends } = reader(t)([
    ...handshake(),
    { from: 'client', sequence: 1006, acknowledged: 5001, flags: ACK | FIN },
    sends(1001, 'hello'),
    answers(5001, 'answer', 1007),
    { from: 'server', sequence: 5007, acknowledged: 1007, flags: ACK | FIN },
  ])
  assert.deepEqual(ends[1]!.story, ['r5', 'eof', 's6', 'close'])
})

test('a FIN that was never captured is no byte', t => {
  const { ends, counters } = reader(t)([...handshake(), sends(1001, 'hello'), answers(5001, 'answer', 1007)])
  assert.equal(text(ends[0]!.sent), 'hello')
  assert.equal(counters.snapshot()['capture.pcap.missing_bytes'], undefined)
})

test('a reset ends the connection, and what crosses it is nothing new', t => {
  const { ends } = reader(t)([
    ...handshake(),
    sends(1001, 'hello'),
    { from: 'server', sequence: 5001, acknowledged: 1006, flags: RST | ACK },
    sends(1006, 'in flight'),
  ])
  assert.equal(ends.length, 2)
  assert.deepEqual(ends[0]!.story, ['s5', 'close'])
})

test('a reset that no receiver would believe is passed over', t => {
  const { ends } = reader(t)([
    handshake()[0]!,
    { from: 'server', sequence: 0, acknowledged: 77, flags: RST | ACK },
    ...handshake().slice(1),
    sends(1001, 'hello'),
    { from: 'server', sequence: 4000, acknowledged: 1006, flags: RST | ACK },
    answers(5001, 'answer', 1006),
  ])
  assert.deepEqual(ends[0]!.story, ['s5', 'r6'])
})

test('a refused connection moves nothing and is not told', t => {
  const { ends } = reader(t)([handshake()[0]!, { from: 'server', sequence: 0, acknowledged: 1001, flags: RST | ACK }])
  assert.equal(ends.length, 0)
})

test('numbers far outside of any window are counted and passed over', t => {
  const { ends, counters } = reader(t)([...handshake(), sends(1001 + 2 ** 30 + 10, 'x'), sends(1001, 'hello')])
  assert.equal(text(ends[0]!.sent), 'hello')
  assert.equal(counters.snapshot()['capture.pcap.out_of_window'], 1)
})

test('keep-alives move nothing', t => {
  const { ends } = reader(t)([
    ...handshake(),
    sends(1001, 'hello'),
    sends(1005, '\0'),
    { from: 'server', sequence: 5000, acknowledged: 1006, payload: '\0' },
    sends(1006, 'world'),
  ])
  assert.equal(text(ends[0]!.sent), 'helloworld')
  assert.equal(text(ends[0]!.received), '')
})

/** A stream cut into overlapping pieces, some repeated, in a random order that keeps near the right one. */
function shuffled(random: (limit: number) => number, stream: string, isn: number): Segment[] {
  const pieces: { at: number; segment: Segment }[] = []
  for (let at = 0; at < stream.length; ) {
    const length = 1 + random(40)
    const from = Math.max(0, at - random(20))
    const piece: Segment = sends(isn + 1 + from, stream.slice(from, at + length))
    for (let copies = 1 + Number(random(5) === 0); copies > 0; copies--) {
      pieces.push({ at: at + random(200), segment: piece })
    }
    at += length
  }
  return pieces.sort((a, b) => a.at - b.at).map(({ segment }) => segment)
}

test('however segments are cut, repeated and mixed, the stream is the same and without gaps', t => {
  const stream = Array.from({ length: 3000 }, (_, i) => String.fromCharCode(33 + (i % 90))).join('')
  for (let seed = 1; seed <= 40; seed++) {
    const random = seeded(seed)
    const isn = seed % 2 === 0 ? 2 ** 32 - 1500 : 1000
    const { ends, counters } = reader(t)([...handshake(isn), ...shuffled(random, stream, isn)])
    assert.equal(text(ends[0]!.sent), stream, `seed ${seed}`)
    assert.equal(text(ends[1]!.received), stream)
    assert.equal(counters.snapshot()['capture.pcap.missing_bytes'], undefined)
  }
})

test('whatever is lost, every byte of the stream is told as seen or as missing, at its place', t => {
  const stream = Array.from({ length: 3000 }, (_, i) => String.fromCharCode(33 + (i % 90))).join('')
  for (let seed = 1; seed <= 40; seed++) {
    const random = seeded(seed)
    const pieces = shuffled(random, stream, 1000).filter(() => random(4) > 0)
    const { ends, counters } = reader(t)([...handshake(), ...pieces, answers(5001, 'ok', 1001 + stream.length)])
    const seen = text(ends[0]!.sent)
    assert.equal(seen.length, stream.length, `seed ${seed}`)
    for (const { position, bytes } of ends[0]!.sent) {
      assert.equal(Buffer.from(bytes).toString('latin1'), stream.slice(position, position + bytes.length))
    }
    const missing = ends[0]!.sent.filter(({ uncopied }) => uncopied).reduce((sum, { length }) => sum + length, 0)
    assert.equal(missing, counters.snapshot()['capture.pcap.missing_bytes'] ?? 0)
  }
})

test('random segments of any kind break nothing', t => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seeded(seed)
    const segments = Array.from(
      { length: 60 },
      (): Segment => ({
        from: random(2) === 0 ? 'client' : 'server',
        sequence: random(10) === 0 ? random(2 ** 32) : 1000 + random(200),
        acknowledged: random(10) === 0 ? random(2 ** 32) : 1000 + random(200),
        flags: [ACK, ACK, ACK, ACK | FIN, SYN, SYN | ACK, RST, 0][random(8)]!,
        payload: 'z'.repeat(random(60)),
        clientPort: 40_000 + random(2),
      }),
    )
    const { error } = reader(t)(segments)
    assert.equal(error, undefined)
  }
})
