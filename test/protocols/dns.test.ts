import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Attribute } from '../../src/protocols/attribute-names.js'
import { detectDatagram } from '../../src/protocols/dns/detect.js'
import { dns } from '../../src/protocols/dns/index.js'
import { InputStream } from '../../src/protocols/input-stream.js'
import type { Sender } from '../../src/protocols/protocol.js'
import { protocolModules } from '../../src/protocols/registry.js'
import { createCounters } from '../../src/telemetry/counters.js'
import { cases, module } from './dns-cases.js'
import { answer, message, OPTIONS, type Question } from './dns-messages.js'
import { runCodecCases, verbatimRoutes } from './harness.js'

runCodecCases('dns', module, cases)

/** Datagrams as the driver gives them: one at a time, at a place that its content tells. */
function socket() {
  const counters = createCounters()
  const told: string[] = []
  const name = (exchange: { name: string; attributes: object }): string =>
    `${exchange.name} ${(exchange.attributes as Record<string, unknown>)[Attribute.dnsQuestionName]}`
  const connection = dns.open({
    sink: {
      begin: exchange => void told.push(`begin ${name(exchange)}`),
      requestEnd: () => {},
      responseBegin: () => {},
      end: exchange =>
        void told.push(`end ${name(exchange)} ${exchange.attributes[Attribute.ghostspanDnsResponseCode]}`),
      abandon: exchange => void told.push(`abandon ${name(exchange)}`),
    },
    counters,
    joined: false,
    routes: verbatimRoutes,
    datagrams: true,
  })
  const streams = { client: new InputStream(), server: new InputStream() }
  let timeNs = 0
  const pass = (sender: Sender, bytes: Uint8Array, copied = bytes.length, afterNs = 1000): void => {
    timeNs += afterNs
    const stream = streams[sender]
    stream.position = timeNs
    if (copied > 0) stream.push(bytes.slice(0, copied), 0, copied, timeNs)
    if (copied < bytes.length) stream.pushHole(bytes.length - copied, timeNs)
    connection.read(sender, stream)
    assert.equal(stream.available + stream.hole, 0, 'the datagram was taken')
    stream.settle()
  }
  return { told, pass, connection, counts: () => counters.snapshot() }
}

const A: Question = { name: 'a.example', id: 1 }
const B: Question = { name: 'b.example', id: 2 }

test('dns: datagrams are paired by id and question, in any order', () => {
  const { told, pass } = socket()
  pass('client', message(A))
  pass('client', message(B))
  pass('server', answer(B, 3))
  pass('server', answer(A))
  assert.deepEqual(told, [
    'begin DNS A a.example',
    'begin DNS A b.example',
    'end DNS A b.example NXDOMAIN',
    'end DNS A a.example NOERROR',
  ])
})

test('dns: one id with two questions is two exchanges, one question sent again is one', () => {
  const { told, pass, counts } = socket()
  pass('client', message(A))
  pass('client', message({ ...A, type: 28 }))
  pass('client', message(A))
  pass('server', answer(A))
  pass('server', answer({ ...A, type: 28 }))
  pass('server', answer(A))
  assert.equal(told.filter(each => each.startsWith('begin')).length, 2)
  assert.equal(told.filter(each => each.startsWith('end')).length, 2)
  assert.equal(counts()['protocols.dns.question_repeated'], 1)
  assert.equal(counts()['protocols.dns.unexpected_answer'], 1)
})

test('dns: a datagram that was not copied whole is read as far as it goes', () => {
  const { told, pass, counts } = socket()
  pass('client', message({ ...A, records: OPTIONS, counts: [0, 0, 1] }), 27)
  pass('server', answer(A), 12)
  pass('server', answer(A), 5)
  assert.deepEqual(told, ['begin DNS A a.example', 'end DNS A a.example NOERROR'])
  assert.equal(counts()['protocols.dns.malformed'], 1)
})

test('dns: questions that nobody answers are given up after a minute', () => {
  const { told, pass, connection } = socket()
  pass('client', message(A))
  pass('client', message(B), undefined, 61e9)
  assert.deepEqual(told, ['begin DNS A a.example', 'abandon DNS A a.example', 'begin DNS A b.example'])
  connection.close()
  assert.equal(told.at(-1), 'abandon DNS A b.example')
})

test('dns: no datagram makes it throw, and it gives up what is none', () => {
  const seeds = [message(A), answer(A), answer(B, 3)]
  for (const seed of seeds) {
    for (let at = 0; at < seed.length; at++) {
      for (const mutant of [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff]) {
        const bytes = Uint8Array.from(seed)
        bytes[at] = mutant
        detectDatagram(bytes, 0, bytes.length)
        const { pass } = socket()
        for (const sender of ['client', 'server'] as const) pass(sender, bytes)
      }
      detectDatagram(seed, 0, at)
    }
  }
  const { pass, connection } = socket()
  for (let i = 0; i < 20 && !connection.failed; i++) pass('client', new Uint8Array(40).fill(0xff))
  assert.equal(connection.failed, true)
})

test('dns: questions and answers are known as such, other datagrams are left alone', () => {
  const match = (bytes: Uint8Array): string => {
    const { match: found, sender } = detectDatagram(bytes, 0, bytes.length)
    return sender === undefined ? found : `${found} ${sender}`
  }
  assert.equal(match(message(A)), 'yes client')
  assert.equal(match(message({ ...A, records: OPTIONS, counts: [0, 0, 1] })), 'yes client')
  assert.equal(match(answer(A)), 'yes server')
  assert.equal(match(message({ ...A, id: 0, flags: 0 })), 'no', 'multicast DNS')
  const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
  const foreign = {
    NTP: hex(`23 00 06 ec ${'00'.repeat(44)}`),
    QUIC: hex(`c3 00 00 00 01 08 83 94 c8 f0 3e 51 57 08 00 00 44 9e ${'7f'.repeat(100)}`),
    syslog: new Uint8Array(Buffer.from('<34>1 2026-01-01T00:00:00Z host app - - - hello')),
    statsd: new Uint8Array(Buffer.from('requests:1|c|#route:/items')),
    RTP: hex(`80 60 00 01 00 00 00 a0 12 34 56 78 ${'d5'.repeat(160)}`),
    VXLAN: hex(`08 00 00 00 00 00 01 00 ${'02'.repeat(60)}`),
    SNMP: hex(
      '30 26 02 01 01 04 06 70 75 62 6c 69 63 a0 19 02 04 71 68 00 00 02 01 00 02 01 00 30 0b 30 09 06 05 2b 06 01 02 01 05 00',
    ),
    STUN: hex(`00 01 00 00 21 12 a4 42 ${'11'.repeat(12)}`),
    zeros: new Uint8Array(100),
  }
  for (const [name, bytes] of Object.entries(foreign)) assert.equal(match(bytes), 'no', name)
  for (const { name } of protocolModules.filter(each => each.detectDatagram !== undefined)) assert.equal(name, 'dns')
})
