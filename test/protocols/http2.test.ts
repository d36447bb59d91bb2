import assert from 'node:assert/strict'
import { test } from 'node:test'
import { http } from '../../src/protocols/http/index.js'
import { client, drive, type Observation, runCodecCases, server } from './harness.js'
import { cases, module } from './http2-cases.js'
import { added, data, frame, headers, indexed, known, literal, PREFACE, settings, settingsAck } from './http2-frames.js'

runCodecCases('http2', module, cases)

const GET = known(':method', 'GET') + known(':scheme', 'http')
const OK = known(':status', '200')
const get = (path: string): string => GET + literal(':path', path) + literal(':authority', 'a')
const START = [client(PREFACE + settings()), server(settings() + settingsAck)]
const summary = (observations: readonly Observation[]) =>
  observations.map(({ exchange, abandoned }) => {
    const status = exchange.attributes['http.response.status_code'] ?? '-'
    return `${exchange.name} ${abandoned ? 'abandoned' : status}${exchange.truncated ? ' truncated' : ''}`
  })

test('a preface that HTTP/1.x answers gives the connection up', () => {
  const { failed, observations } = drive(module, [START[0]!, server('HTTP/1.1 400 Bad Request\r\n\r\n')])
  assert.equal(failed, true)
  assert.equal(observations.length, 0)
})

test('bodies beyond what is copied do not disturb the frames behind them', () => {
  const body = 'x'.repeat(5000)
  const { observations } = drive(
    module,
    [
      ...START,
      client(headers(1, get('/a')) + data(1, body, { endStream: true })),
      server(headers(1, OK) + data(1, body) + data(1, body, { endStream: true, padding: 3 })),
      client(headers(3, get('/b'), { endStream: true })),
      server(headers(3, OK) + data(3, body) + headers(3, literal('x', 'y'), { endStream: true })),
    ],
    { head: 512, tail: 128 },
  )
  assert.deepEqual(summary(observations), ['GET /a 200 truncated', 'GET /b 200'])
  assert.equal(observations[1]!.exchange.responseBodyBytes, 5000)
})

test('a block that is cut is told as far as it goes; what it put into the table is unknown from then on', () => {
  const long = GET + added(':path', '/a') + added(':authority', 'shop') + literal('cookie', 'c'.repeat(900))
  const { observations, counters, connection } = drive(
    module,
    [
      ...START,
      client(headers(1, long, { endStream: true })),
      server(headers(1, OK, { endStream: true })),
      client(headers(3, GET + indexed(63) + indexed(62), { endStream: true })),
      server(headers(3, OK, { endStream: true })),
      client(headers(5, get('/next'), { endStream: true })),
      server(headers(5, OK, { endStream: true })),
    ],
    { head: 512 },
  )
  assert.deepEqual(summary(observations), ['GET /a 200 truncated', 'GET 200 truncated', 'GET /next 200'])
  assert.equal(counters.counter('protocols.http2.block_cut').value, 1)
  assert.equal(connection.wants?.clientHead, 4096)
})

test('a block that is cut in a CONTINUATION frame is passed over to its end', () => {
  const block = `${get('/a')}${literal('cookie', 'c'.repeat(2000))}`
  const { observations } = drive(
    module,
    [
      ...START,
      client(headers(1, block, { endStream: true, split: 300 })),
      server(headers(1, OK, { endStream: true })),
      client(headers(3, get('/next'), { endStream: true })),
      server(headers(3, OK, { endStream: true })),
    ],
    { head: 500 },
  )
  assert.deepEqual(summary(observations), ['GET /a 200 truncated', 'GET /next 200'])
})

test('an answer that was lost ends where the loss was, once others have come and gone', () => {
  const calls = [
    ...START,
    client(headers(1, get('/lost'), { endStream: true })),
    server(headers(1, OK)),
    server(data(1, 'gone', { endStream: true })),
  ]
  for (let id = 3; id < 80; id += 2) {
    calls.push(client(headers(id, get(`/${id}`), { endStream: true })), server(headers(id, OK, { endStream: true })))
  }
  const { observations } = drive(module, calls, { lost: new Set([4]) })
  const [lost, ...others] = observations
  assert.equal(lost!.abandoned, false)
  assert.equal(lost!.exchange.truncated, true)
  assert.equal(lost!.end, calls[1]!.bytes.length + calls[3]!.bytes.length + calls[4]!.bytes.length)
  assert.equal(others.filter(({ exchange }) => exchange.attributes['http.response.status_code'] === 200).length, 39)
})

test('the trailers at the end of a call are found again when its middle was not copied', () => {
  const grpc = known(':method', 'POST') + literal(':path', '/a.B/C') + literal('content-type', 'application/grpc')
  const { observations } = drive(
    module,
    [
      ...START,
      client(headers(1, grpc) + data(1, 'x', { endStream: true })),
      server(
        headers(1, OK) +
          data(1, 'x'.repeat(700)) +
          data(1, 'y'.repeat(700)) +
          headers(1, literal('grpc-status', '0'), { endStream: true }),
      ),
    ],
    { head: 200, tail: 128 },
  )
  assert.equal(observations[0]!.exchange.attributes['rpc.status_code'], 'OK')
  assert.equal(observations[0]!.exchange.truncated, true)
  assert.equal(observations[0]!.abandoned, false)
})

test('after an upgrade from HTTP/1.1 the frames are read from their preface on', () => {
  const { observations } = drive(
    module,
    [
      server(settings() + headers(1, OK + added('server', 'h2'), { endStream: true })),
      client(PREFACE + settings()),
      client(headers(3, get('/next'), { endStream: true })),
      server(headers(3, OK + indexed(62), { endStream: true })),
    ],
    { positions: { client: 120, server: 71 } },
  )
  assert.deepEqual(summary(observations), ['GET /next 200'])
})

test('a stream without end and one without a beginning leave nothing behind', () => {
  const calls = [...START]
  for (let id = 1; id < 12_000; id += 2) calls.push(client(headers(id, get('/'), { endStream: true })))
  const { observations, counters } = drive(module, calls, { open: true })
  assert.equal(observations.filter(({ abandoned }) => !abandoned).length, 4096)
  assert.equal(counters.counter('protocols.http2.too_many_streams').value, 6000 - 4096)
})

test('a proxy that speaks HTTP/2 on one side and HTTP/1.1 on the other passes the same key on', () => {
  const path = '/a/b?c=d'
  const one = drive(http, [
    client(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc`),
    server('HTTP/1.1 204 No Content\r\n\r\n'),
  ])
  const post = known(':method', 'POST') + literal(':path', path)
  const two = drive(module, [
    ...START,
    client(headers(1, post) + data(1, 'abc', { endStream: true })),
    server(headers(1, OK, { endStream: true })),
  ])
  assert.deepEqual(two.observations[0]!.exchange.contentKeys, one.observations[0]!.exchange.contentKeys)
})

test('bytes that are no frames, in the middle, are left behind, and the next call is read again', () => {
  const { observations, failed } = drive(module, [
    ...START,
    client(headers(1, get('/a'), { endStream: true })),
    server(headers(1, OK, { endStream: true })),
    client(frame(8, 0, 1, 'not four bytes')),
    client(headers(3, get('/b'), { endStream: true })),
    server(headers(3, OK, { endStream: true })),
  ])
  assert.deepEqual(summary(observations), ['GET /a 200', 'GET /b 200'])
  assert.equal(failed, false)
})
