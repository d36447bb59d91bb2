import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputStream } from '../../src/protocols/input-stream.js'
import type { Exchange, ExchangeSink } from '../../src/protocols/protocol.js'
import { createCounters } from '../../src/telemetry/counters.js'
import { type Call, client, drive, runCodecCases, server, verbatimRoutes } from './harness.js'
import { cases, module } from './mysql-cases.js'
import {
  bytes,
  CAPABILITIES,
  error,
  greeting,
  int,
  LOGIN,
  login,
  ok,
  packet,
  query,
  resultSet,
} from './mysql-packets.js'

runCodecCases('mysql', module, cases)

const opened: readonly Call[] = [greeting('8.0.36'), login(LOGIN), server(ok(2))]
const ROWS = Array.from({ length: 100 }, (_, k): [string, string] => [String(k), `name ${k}`])
const moved = (calls: readonly Call[], sender: Call['sender']): number =>
  calls.filter(call => call.sender === sender).reduce((sum, call) => sum + call.bytes.length, 0)

for (const deprecateEof of [false, true]) {
  test(`the tail of a call shows how an answer ends${deprecateEof ? ', with CLIENT_DEPRECATE_EOF' : ''}`, () => {
    const capabilities = deprecateEof ? LOGIN | CAPABILITIES.deprecateEof : LOGIN
    const answer = resultSet(ROWS, { deprecateEof })
    const calls = [greeting('8.0.36'), login(capabilities), server(ok(2)), query('SELECT a FROM t'), server(answer)]
    const { observations } = drive(module, calls, { head: 256, tail: 16, open: true })
    assert.equal(observations[1]!.end, moved(calls, 'server'))
    assert.equal(observations[1]!.exchange.truncated, true)
  })
}

test('an answer whose end is not copied ends where and when it was seen last, once the next command comes', () => {
  const ends: [name: string, offset: number, timeNs: number | undefined][] = []
  const sink: ExchangeSink = {
    begin: () => {},
    requestEnd: () => {},
    responseBegin: () => {},
    end: (exchange: Exchange, offset, timeNs) => void ends.push([exchange.name, offset, timeNs]),
    abandon: () => assert.fail('abandoned'),
  }
  const connection = module.open({ sink, counters: createCounters(), joined: true, routes: verbatimRoutes })
  const streams = { client: new InputStream(), server: new InputStream() }
  const feed = ({ sender, bytes }: Call, timeNs: number, head: number): void => {
    const stream = streams[sender]
    stream.push(bytes, 0, Math.min(head, bytes.length), timeNs)
    connection.read(sender, stream)
    if (bytes.length > head) {
      stream.pushHole(bytes.length - head, timeNs)
      connection.read(sender, stream)
    }
    stream.settle()
  }
  const answer = resultSet(ROWS)
  feed(query('SELECT a FROM t'), 1000, 1024)
  feed(server(answer.subarray(0, 700)), 2000, 100)
  feed(server(answer.subarray(700)), 3000, 100)
  assert.deepEqual(ends, [])
  feed(query('SELECT b FROM t'), 9_000_000, 1024)
  assert.deepEqual(ends, [['SELECT t', answer.length, 3000]])
  feed(server(error(1, 1146, 'nothing')), 9_001_000, 100)
  assert.equal(ends[1]![2], undefined)
  connection.close()
})

test('commands of more than 16 MiB are one command', () => {
  const most = 0xffffff
  const text = Buffer.alloc(most + 1000, 0x20)
  text.write("INSERT INTO items VALUES ('", 0)
  const first = bytes(int(most, 3), 0, 3, text.subarray(0, most - 1))
  const second = packet(1, text.subarray(most - 1))
  const calls = [...opened, client(bytes(first, second)), server(ok(2)), query('COMMIT'), server(ok(1))]
  for (const head of [1024, 1e9]) {
    const { observations } = drive(module, calls, { head })
    assert.deepEqual(
      observations.map(o => [o.exchange.name, o.requestEnd, o.end]),
      [
        ['LOGIN', moved(calls.slice(0, 2), 'client'), moved(calls.slice(0, 3), 'server')],
        ['INSERT shop.items', moved(calls.slice(0, 4), 'client'), moved(calls.slice(0, 5), 'server')],
        ['COMMIT', moved(calls, 'client'), moved(calls, 'server')],
      ],
    )
  }
})

test('rows of more than 16 MiB are one row, whatever their second part begins with', () => {
  const most = 0xffffff
  const answer = bytes(
    resultSet([]).subarray(0, -9),
    bytes(int(most, 3), 5, Buffer.alloc(most, 0x61)),
    packet(6, 0xfe, 'rest of the row'),
    packet(7, 0xfe, int(0, 2), int(2, 2)),
  )
  const calls = [...opened, query('SELECT a FROM t'), server(answer), query('COMMIT'), server(ok(1))]
  const { observations } = drive(module, calls)
  assert.deepEqual(
    observations.map(o => [o.exchange.name, o.exchange.truncated, o.end]),
    [
      ['LOGIN', false, moved(calls.slice(0, 3), 'server')],
      ['SELECT shop.t', false, moved(calls.slice(0, 5), 'server')],
      ['COMMIT', false, moved(calls, 'server')],
    ],
  )
})

test('commands that are never answered are bounded, and counted when they are forgotten', () => {
  const calls = [...opened, ...Array.from({ length: 1000 }, () => client(packet(0, 0x0e)))]
  const { observations, counters } = drive(module, calls, { open: true })
  assert.equal(observations.filter(o => o.abandoned).length, 1000 - 256)
  assert.equal(counters.snapshot()['protocols.mysql.pending.evicted'], 1000 - 256)
})

test('an answer without a command does not shift the answers of those that follow', () => {
  const calls = [
    ...opened,
    server(resultSet(ROWS)),
    query('SELECT a FROM t'),
    server(error(1, 1146, 'nothing')),
    query('SELECT b FROM t'),
    server(resultSet(ROWS)),
  ]
  const { observations } = drive(module, calls)
  assert.deepEqual(
    observations.map(o => o.exchange.clientError),
    [undefined, '1146', undefined],
  )
})

test('passwords, scrambles and values are nowhere in what is reported', () => {
  for (const { conversation, joined } of cases) {
    for (const { exchange } of drive(module, conversation, { joined: joined ?? false }).observations) {
      assert.doesNotMatch(JSON.stringify(exchange), /secret/i)
    }
  }
})
