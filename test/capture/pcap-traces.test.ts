import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPcapSource, type PcapSourceOptions } from '../../src/capture/pcap-source.js'
import { outline, runPipeline } from '../support/run-pipeline.js'
import { frames, handshake, pcap, type Segment, temporaryFile } from './pcap-builder.js'

const conversation = (): Segment[] => {
  const segments: Segment[] = [...handshake()]
  let [client, server] = [1001, 5001]
  for (let i = 0; i < 3; i++) {
    const request = `GET /items/${i} HTTP/1.1\r\nHost: shop\r\n\r\n`
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
    segments.push({ from: 'client', sequence: client, acknowledged: server, payload: request })
    client += request.length
    segments.push({ from: 'server', sequence: server, acknowledged: client, payload: answer })
    server += answer.length
  }
  return segments
}

const traces = async (path: string, options: PcapSourceOptions = {}): Promise<string[][]> => {
  const outcome = await runPipeline(createPcapSource(path, options))
  return outcome.traces.map(trace => outline(trace))
}

test('each request of a packet capture is a trace of the service that answers', async t => {
  const path = temporaryFile(t, pcap(frames(conversation())))
  const expected = ['10.0.0.1:80 server GET /items/{id}']
  const found = await traces(path)
  assert.equal(found.length, 3)
  assert.deepEqual(
    found.at(-1)!.map(line => line.replace(/\/items\/\d/, '/items/{id}')),
    expected,
  )
})

test('with both ends the caller comes first, joined by the wire', async t => {
  const path = temporaryFile(t, pcap(frames(conversation())))
  const found = await traces(path, { ends: 'both' })
  assert.equal(found.length, 3)
  for (const [caller, callee, ...others] of found) {
    assert.match(caller!, /^10\.0\.0\.5 client GET /)
    assert.match(callee!, /^ {2}10\.0\.0\.1:80 server GET .* \(wire 1\)$/)
    assert.deepEqual(others, [])
  }
})
