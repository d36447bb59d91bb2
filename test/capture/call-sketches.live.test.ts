import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { latencyBucket, latencyQuantile } from '../../src/capture/call-sketch-layout.js'
import type { CallSketch } from '../../src/capture/call-sketches.js'
import { canCapture, python, type Run, startWatch, type Watch } from './live/watch.js'

/**
 * 50 connections, one after the other; on each 40 exchanges of 100 bytes there and 300 back. Every fifth answer comes
 * after 20 ms, by a thread of the server; notes each latency as the server saw it.
 */
const EXCHANGES = `
import os, socket, sys, threading, time
listener = socket.socket(); listener.bind(('127.0.0.1', 0)); listener.listen(64)
def read(sock, length):
    while length: length -= len(sock.recv(length, socket.MSG_WAITALL))
def serve():
    for _ in range(50):
        server, _ = listener.accept()
        for i in range(40):
            read(server, 100)
            if i % 5 == 0: time.sleep(0.02)
            server.sendall(b'a' * 300)
        server.close()
threading.Thread(target=serve, daemon=True).start()
print('port', listener.getsockname()[1], os.getpid(), flush=True)
sys.stdin.readline()
for _ in range(50):
    client = socket.create_connection(listener.getsockname())
    for i in range(40):
        client.sendall(b'r' * 100); read(client, 300)
    client.close()
print('done', flush=True)
sys.stdin.readline()
`

async function talk(t: TestContext): Promise<{ watch: Watch; run: Run; pid: number; port: number }> {
  const watch = await startWatch(t)
  const run = python(t, EXCHANGES)
  const line = async (start: string): Promise<string[]> => {
    for (;;) {
      const found = run.lines().find(each => each.startsWith(start))
      if (found !== undefined) return found.split(' ')
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }
  const [, port, pid] = await line('port')
  // Every call on it is counted only.
  const none = { clientHead: 0, serverHead: 0, clientTail: 0, serverTail: 0, countOnly: true }
  watch.source.control.setPortPolicy(Number(port), none, false)
  watch.source.read()
  run.goOn()
  await line('done')
  return { watch, run, pid: Number(pid), port: Number(port) }
}

const of = (sketches: readonly CallSketch[], pid: number, role: string): CallSketch => {
  const found = sketches.filter(sketch => sketch.pid === pid && sketch.role === role)
  assert.equal(found.length, 1)
  return found[0]!
}

test('Calls, bytes and connections are counted exactly at both ends though not a byte is copied', async t => {
  if (!canCapture(t, 'python3')) return
  const { watch, pid, port } = await talk(t)
  const sketches = watch.source.callSketches()
  const client = of(sketches, pid, 'client')
  const server = of(sketches, pid, 'server')
  assert.deepEqual([client.port, client.address, server.port, server.address], [port, '127.0.0.1', port, '127.0.0.1'])
  assert.equal(client.counts.sentCalls, 2_000)
  assert.equal(client.counts.sentBytes, 200_000)
  assert.equal(client.counts.receivedBytes, 600_000)
  assert.equal(client.counts.answers, 2_000)
  assert.equal(client.counts.connections, 50)
  assert.equal(server.counts.sentCalls, 2_000)
  assert.equal(server.counts.sentBytes, 600_000)
  assert.equal(server.counts.receivedBytes, 200_000)
  assert.equal(server.counts.answers, 2_000)
  assert.equal(server.counts.connections, 50)
  for (const { counts } of [client, server]) {
    assert.equal(counts.uncopiedCalls, counts.sentCalls + counts.receivedCalls)
  }
})

test('Latencies fall into buckets no wider than a sixteenth, the slow fifth where it belongs', async t => {
  if (!canCapture(t, 'python3')) return
  const { watch, pid } = await talk(t)
  const { latency, counts } = of(watch.source.callSketches(), pid, 'server')
  assert.equal(
    latency.reduce((sum, count) => sum + count, 0),
    2_000,
  )
  const slow = latency.reduce((sum, count, index) => sum + (latencyBucket(index).from >= 19e6 ? count : 0), 0)
  assert.ok(slow >= 400, `${slow} answers took 20 ms`)
  assert.ok(latencyQuantile([...latency.keys()], latency, 0.95) >= 19.9e6 * (1 - 0.031))
  // The sum that the kernel keeps and the one that the buckets give differ by no more than a bucket's width.
  const fromBuckets = latency.reduce((sum, count, index) => {
    const { from, to } = latencyBucket(index)
    return sum + (count === 0 ? 0 : count * ((from + to) / 2))
  }, 0)
  assert.ok(Math.abs(fromBuckets / counts.latencySumNs - 1) < 0.0312)
})

test('A process that has ended is told once more, and then its place is given to others', async t => {
  if (!canCapture(t, 'python3')) return
  const { watch, run, pid } = await talk(t)
  run.goOn()
  await run.ended
  assert.equal(of(watch.source.callSketches(), pid, 'client').counts.sentCalls, 2_000)
  assert.deepEqual(
    watch.source.callSketches().filter(sketch => sketch.pid === pid),
    [],
  )
})
