import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { WireRole } from '../../src/capture/event-layout.js'
import type { CopyPolicy } from '../../src/protocols/protocol.js'
import {
  canCapture,
  isClose,
  isConnection,
  isData,
  python,
  type SeenClose,
  type SeenData,
  startWatch,
} from './live/watch.js'

/** Talks in lockstep: each line on standard input is one exchange of 2,000 bytes there and 3,000 back. */
const EXCHANGES = `
import socket, sys
listener = socket.socket(); listener.bind(('127.0.0.1', 0)); listener.listen(4)
print(listener.getsockname()[1], flush=True)
def read(sock, length):
    while length: length -= len(sock.recv(length, socket.MSG_WAITALL))
request = b'REQUEST' + b'.' * 1986 + b'TSEUQER'
answer = b'ANSWER' + b'.' * 2988 + b'REWSNA'
sys.stdin.readline()
client = socket.create_connection(listener.getsockname()); server, _ = listener.accept()
for i in range(1000):
    client.sendall(request); read(server, len(request)); server.sendall(answer); read(client, len(answer))
    print('exchange', i, flush=True)
    if not sys.stdin.readline().strip() == '': break
`

const policy = (change: Partial<CopyPolicy>): CopyPolicy => ({
  clientHead: 0,
  serverHead: 0,
  clientTail: 0,
  serverTail: 0,
  countOnly: false,
  ...change,
})

async function startExchanges(t: TestContext) {
  const watch = await startWatch(t)
  const run = python(t, EXCHANGES)
  while (run.lines().length === 0) await new Promise(resolve => setTimeout(resolve, 5))
  const port = Number(run.lines()[0])
  let exchanges = 0
  return {
    watch,
    run,
    port,
    /** Lets one exchange happen; returns its four calls in order. */
    async exchange(): Promise<SeenData[]> {
      const before = watch.of(run.pid).filter(isData).length
      run.goOn()
      await run.says(`exchange ${exchanges++}`)
      await watch.settle()
      return watch.of(run.pid).filter(isData).slice(before)
    },
    /** Ends the process; the close records of its two ends. */
    async closes(): Promise<SeenClose[]> {
      const own = new Set(
        watch
          .of(run.pid)
          .filter(isConnection)
          .map(each => each.connection),
      )
      const found = (): SeenClose[] => watch.seen.filter(isClose).filter(each => own.has(each.connection))
      process.kill(run.pid)
      await watch.until('both ends closed', () => found().length === 2)
      return found()
    },
    ends() {
      const ends = watch.of(run.pid).filter(isConnection)
      return {
        client: ends.find(end => end.role === WireRole.opened)!.connection,
        server: ends.find(end => end.role === WireRole.accepted)!.connection,
      }
    },
  }
}

const shape = (calls: readonly SeenData[]) =>
  calls.map(({ op, length, head, tail }) => [op, length, head.length, tail.length])

test('until somebody decides, the first four calls each way are copied up to 4 KiB and later ones 256 bytes, and of all the last 1,024', async t => {
  if (!canCapture(t, 'python3')) return
  const talk = await startExchanges(t)
  for (let i = 0; i < 4; i++) {
    assert.deepEqual(shape(await talk.exchange()), [
      ['send', 2000, 2000, 0],
      ['receive', 2000, 2000, 0],
      ['send', 3000, 3000, 0],
      ['receive', 3000, 3000, 0],
    ])
  }
  assert.deepEqual(shape(await talk.exchange()), [
    ['send', 2000, 256, 1024],
    ['receive', 2000, 256, 1024],
    ['send', 3000, 256, 1024],
    ['receive', 3000, 256, 1024],
  ])
})

test("a connection's policy applies from its next call on, by the protocol's roles", async t => {
  if (!canCapture(t, 'python3')) return
  const talk = await startExchanges(t)
  await talk.exchange()
  const { client, server } = talk.ends()
  const wanted = policy({ clientHead: 300, clientTail: 7, serverHead: 40, serverTail: 100 })
  talk.watch.source.control.setConnectionPolicy(client, wanted)
  talk.watch.source.control.setConnectionPolicy(server, wanted)
  await talk.watch.settle()
  const calls = await talk.exchange()
  assert.deepEqual(shape(calls), [
    ['send', 2000, 300, 7],
    ['receive', 2000, 300, 7],
    ['send', 3000, 40, 100],
    ['receive', 3000, 40, 100],
  ])
  for (const call of calls.slice(0, 2)) assert.deepEqual([call.head.slice(0, 8), call.tail], ['REQUEST.', 'TSEUQER'])
  for (const call of calls.slice(2))
    assert.deepEqual([call.head.slice(0, 7), call.tail.slice(-7)], ['ANSWER.', '.REWSNA'])
})

test('a policy can be changed again, and be of one end alone', async t => {
  if (!canCapture(t, 'python3')) return
  const talk = await startExchanges(t)
  await talk.exchange()
  const { client, server } = talk.ends()
  talk.watch.source.control.setConnectionPolicy(client, policy({ clientHead: 10, serverHead: 10 }))
  await talk.watch.settle()
  await talk.exchange()
  talk.watch.source.control.setConnectionPolicy(client, policy({ clientHead: 64, serverHead: 65 }))
  await talk.watch.settle()
  const calls = await talk.exchange()
  assert.deepEqual(
    calls.filter(call => call.connection === client).map(call => call.head.length),
    [64, 65],
  )
  assert.deepEqual(
    calls.filter(call => call.connection === server).map(call => call.head.length),
    [2000, 3000],
  )
})

test('a tail longer than what the head leaves is cut to that; zero copies are events without payload', async t => {
  if (!canCapture(t, 'python3')) return
  const talk = await startExchanges(t)
  await talk.exchange()
  const { client, server } = talk.ends()
  talk.watch.source.control.setConnectionPolicy(client, policy({ clientHead: 1500, clientTail: 1000 }))
  talk.watch.source.control.setConnectionPolicy(server, policy({}))
  await talk.watch.settle()
  assert.deepEqual(shape(await talk.exchange()), [
    ['send', 2000, 1500, 500],
    ['receive', 2000, 0, 0],
    ['send', 3000, 0, 0],
    ['receive', 3000, 0, 0],
  ])
})

test('calls that are only counted send no event and are all in the close record', async t => {
  if (!canCapture(t, 'python3')) return
  const talk = await startExchanges(t)
  await talk.exchange()
  const { client, server } = talk.ends()
  talk.watch.source.control.setConnectionPolicy(server, policy({ countOnly: true }))
  await talk.watch.settle()
  for (let i = 0; i < 5; i++) {
    assert.deepEqual(
      (await talk.exchange()).map(call => call.connection),
      [client, client],
    )
  }
  const closes = await talk.closes()
  const { uncopiedCalls, uncopiedReceivedBytes, uncopiedSentBytes } = closes.find(each => each.connection === server)!
  assert.deepEqual([uncopiedCalls, uncopiedReceivedBytes, uncopiedSentBytes], [10, 10_000, 15_000])
  assert.equal(closes.find(each => each.connection === client)!.uncopiedCalls, 0)
})

test("a port's policy holds from the first byte of its connections, at both ends", async t => {
  if (!canCapture(t, 'python3')) return
  const talk = await startExchanges(t)
  talk.watch.source.control.setPortPolicy(talk.port, policy({ clientHead: 20, serverHead: 30 }), true)
  assert.deepEqual(shape(await talk.exchange()), [
    ['send', 2000, 20, 0],
    ['receive', 2000, 20, 0],
    ['send', 3000, 30, 0],
    ['receive', 3000, 30, 0],
  ])
})

test('a port whose calls are counted still shows its connections, with their counts at the end', async t => {
  if (!canCapture(t, 'python3')) return
  const talk = await startExchanges(t)
  talk.watch.source.control.setPortPolicy(talk.port, policy({ countOnly: true }), false)
  assert.deepEqual(await talk.exchange(), [])
  assert.equal(talk.watch.of(talk.run.pid).filter(isConnection).length, 2)
  for (const close of await talk.closes()) {
    assert.equal(close.uncopiedCalls, 2)
    assert.equal(close.uncopiedSentBytes + close.uncopiedReceivedBytes, 5000)
  }
})

test("a leaf's port counts the calls of the accepted end and goes on copying those of the near end", async t => {
  if (!canCapture(t, 'python3')) return
  const talk = await startExchanges(t)
  talk.watch.source.control.setPortPolicy(talk.port, policy({ clientHead: 20, serverHead: 30, countOnly: true }), true)
  assert.deepEqual(shape(await talk.exchange()), [
    ['send', 2000, 20, 0],
    ['receive', 3000, 30, 0],
  ])
  const { client } = talk.ends()
  assert.ok((await talk.exchange()).every(call => call.connection === client))
})

test('records that find the ring full are counted one by one and told in the stream', async t => {
  if (!canCapture(t, 'python3')) return
  const run = python(
    t,
    `
# fills-the-ring
import socket, sys
a, b = socket.socketpair()
print('ready', flush=True); sys.stdin.readline()
for i in range(3000):
    a.send(b'x' * 100); b.recv(200)
`,
  )
  await run.says('ready')
  const watch = await startWatch(t, {
    ringBytes: 64 * 1024,
    selection: { include: [{ commandLine: 'fills-the-ring' }] },
  })
  run.goOn()
  assert.equal(await run.ended, 0)
  await watch.until('the loss', seen => seen.some(each => each.op === 'lost'))
  await watch.settle()
  const seen = watch.of(run.pid).filter(each => each.op !== 'processInfo').length
  const told = watch.seen.flatMap(each => (each.op === 'lost' ? [each.value as { cause: string; count: number }] : []))
  const lost = told.filter(each => each.cause === 'ring_full').reduce((sum, each) => sum + each.count, 0)
  assert.ok(seen > 0 && lost > 0)
  // 6,000 calls, two connections announced, one process ended.
  assert.equal(seen + lost, 6003)
})
