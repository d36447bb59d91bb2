import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { WireRole } from '../../src/capture/event-layout.js'
import { packageRoot } from '../../src/capture/native-addon.js'
import {
  canCapture,
  isClose,
  isConnect,
  isConnection,
  isData,
  python,
  type Seen,
  type SeenConnection,
  type SeenData,
  start,
  startWatch,
} from './live/watch.js'

const bothNumbers = (end: SeenConnection): string => [end.localIsn, end.remoteIsn].sort((a, b) => a - b).join('-')

/** Connections by their key: the ends that named it. */
function groupEnds(seen: readonly Seen[]): Map<string, SeenConnection[]> {
  const groups = new Map<string, SeenConnection[]>()
  for (const end of seen.filter(isConnection)) {
    const key = bothNumbers(end)
    groups.set(key, [...(groups.get(key) ?? []), end])
  }
  return groups
}

const dataOf = (seen: readonly Seen[], connection: number, op: SeenData['op']): SeenData[] =>
  seen.filter(isData).filter(each => each.connection === connection && each.op === op)

/** Calls of one direction leave no gap and do not overlap; returns how far they reach. */
function assertContiguous(calls: readonly SeenData[]): number {
  let position = 0
  for (const call of calls) {
    assert.equal(call.position, position)
    position += Math.max(call.length, 0)
  }
  return position
}

/** Without what is counted of other processes on this host: whether their carriers can be seen. */
function countsOfCalls(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([name]) => !name.startsWith('capture.carriers.')))
}

function assertPattern(call: SeenData): void {
  for (let i = 0; i < call.head.length; i++) assert.equal(call.head.charCodeAt(i), (call.position + i) % 251)
}

test('both ends number thousands of calls alike, also where the server closes after its answer', async t => {
  if (!canCapture(t, 'python3')) return
  const watch = await startWatch(t, { ringBytes: 64 * 1024 * 1024 })
  const script = join(packageRoot(), 'test/capture/live/conversations.py')
  const run = start(t, '/usr/bin/python3', [script, '200', '6'])
  await run.says('done')
  assert.equal(await run.ended, 0)
  await watch.settle()
  const of = watch.of(run.pid)
  const groups = groupEnds(of)
  assert.equal(groups.size, 200)
  let calls = 0
  for (const ends of groups.values()) {
    assert.equal(ends.length, 2)
    const client = ends.find(end => end.role === WireRole.opened)!
    const server = ends.find(end => end.role === WireRole.accepted)!
    assert.deepEqual([client.localIsn, client.remoteIsn], [server.remoteIsn, server.localIsn])
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      const sent = dataOf(of, from.connection, 'send')
      const received = dataOf(of, to.connection, 'receive')
      assert.equal(assertContiguous(received), assertContiguous(sent))
      for (const call of [...sent, ...received]) assertPattern(call)
      calls += sent.length + received.length
    }
    assert.equal(dataOf(of, client.connection, 'receive').filter(call => call.endOfFile).length, 1)
  }
  assert.ok(calls > 4000, `${calls} calls`)
  assert.deepEqual(countsOfCalls(watch.counters.snapshot('capture.')), {})
})

const MID_LIFE = (backlog: number): string => `
import socket, sys
listener = socket.socket()
listener.bind(('127.0.0.1', 0))
listener.listen(${backlog})
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
for length in (1000, 70000):
    client.sendall(b'x' * length)
    while length: length -= len(server.recv(100000))
server.sendall(b'y' * 300)
while len(client.recv(300, socket.MSG_PEEK)) < 300: pass
client.recv(300)
print('ready', flush=True)
sys.stdin.readline()
client.sendall(b'hello')
server.recv(100)
server.sendall(b'there')
client.recv(100)
client.shutdown(socket.SHUT_WR)
server.recv(100)
server.sendall(b'more')
client.recv(100)
print('done', flush=True)
sys.stdin.readline()
`

for (const backlog of [8, 0]) {
  test(`a connection met in mid-life has its key, roles and true positions (backlog ${backlog})`, async t => {
    if (!canCapture(t, 'python3')) return
    const run = python(t, MID_LIFE(backlog))
    await run.says('ready')
    const watch = await startWatch(t)
    run.goOn()
    await run.says('done')
    await watch.settle()
    const of = watch.of(run.pid)
    const [client, server] = of.filter(isConnection)
    assert.ok(client !== undefined && server !== undefined)
    assert.deepEqual([client.role, server.role], [WireRole.opened, WireRole.accepted])
    assert.deepEqual([client.localIsn, client.remoteIsn], [server.remoteIsn, server.localIsn])
    assert.deepEqual([client.midlife, server.midlife], [true, true])
    const calls = of.filter(isData).map(({ op, connection, position, length }) => {
      return [op, connection === client.connection ? 'client' : 'server', position, length]
    })
    assert.deepEqual(calls, [
      ['send', 'client', 71_000, 5],
      ['receive', 'server', 71_000, 5],
      ['send', 'server', 300, 5],
      ['receive', 'client', 300, 5],
      ['receive', 'server', 71_005, 0],
      ['send', 'server', 305, 4],
      ['receive', 'client', 305, 4],
    ])
  })
}

test('a connection that was half closed before the capture still has its key', async t => {
  if (!canCapture(t, 'python3')) return
  const run = python(
    t,
    `
import socket, sys
listener = socket.socket(); listener.bind(('127.0.0.1', 0)); listener.listen(4)
client = socket.create_connection(listener.getsockname()); server, _ = listener.accept()
client.sendall(b'x' * 10); server.recv(10); client.shutdown(socket.SHUT_WR); server.recv(1)
print('ready', flush=True); sys.stdin.readline()
server.sendall(b'answer'); client.recv(10)
print('done', flush=True); sys.stdin.readline()
`,
  )
  await run.says('ready')
  const watch = await startWatch(t)
  run.goOn()
  await run.says('done')
  await watch.settle()
  const ends = watch.of(run.pid).filter(isConnection)
  const server = ends.find(end => end.role === WireRole.accepted)!
  const client = ends.find(end => end.role === WireRole.opened)!
  assert.deepEqual([client.localIsn, client.remoteIsn], [server.remoteIsn, server.localIsn])
})

test('connect() is told with the thread that called it, before the first byte', async t => {
  if (!canCapture(t, 'python3')) return
  const watch = await startWatch(t)
  const run = python(
    t,
    `
import socket, sys, threading
listener = socket.socket(); listener.bind(('127.0.0.1', 0)); listener.listen(4)
def call():
    print(threading.get_native_id(), listener.getsockname()[1], flush=True)
    client = socket.create_connection(listener.getsockname())
    client.sendall(b'hello')
    sys.stdin.readline()
thread = threading.Thread(target=call); thread.start(); thread.join()
`,
  )
  await watch.until('the first byte', () => watch.of(run.pid).some(isData))
  const [tid, port] = run.lines()[0]!.split(' ').map(Number)
  const connect = watch.of(run.pid).find(isConnect)!
  const data = watch.of(run.pid).find(isData)!
  assert.deepEqual([connect.tid, connect.remotePort, connect.role], [tid, port, WireRole.opened])
  assert.equal(connect.connection, data.connection)
  assert.ok(watch.of(run.pid).indexOf(connect) < watch.of(run.pid).indexOf(data))
})

test('a failed call is told with its errno, an ordinary EAGAIN is not', async t => {
  if (!canCapture(t, 'python3')) return
  const watch = await startWatch(t)
  const run = python(
    t,
    `
import socket, struct, sys
listener = socket.socket(); listener.bind(('127.0.0.1', 0)); listener.listen(4)
client = socket.create_connection(listener.getsockname()); server, _ = listener.accept()
client.sendall(b'hello'); server.recv(10)
server.setblocking(False)
try: server.recv(10)
except BlockingIOError: pass
server.setblocking(True)
client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); client.close()
try: server.recv(10)
except ConnectionResetError as error: print(error.errno, flush=True)
`,
  )
  assert.equal(await run.ended, 0)
  await watch.settle()
  assert.deepEqual(
    watch
      .of(run.pid)
      .filter(isData)
      .map(({ op, length }) => [op, length]),
    [
      ['send', 5],
      ['receive', 5],
      ['receive', -Number(run.lines()[0])],
    ],
  )
})

test('of 10,000 connections opened and closed every end is told to be closed', async t => {
  if (!canCapture(t, 'python3')) return
  const watch = await startWatch(t, { ringBytes: 64 * 1024 * 1024 })
  const run = python(
    t,
    `
import socket
listener = socket.socket(); listener.bind(('127.0.0.1', 0)); listener.listen(64)
for i in range(10000):
    client = socket.create_connection(listener.getsockname()); server, _ = listener.accept()
    client.sendall(b'ping'); server.recv(10); server.sendall(b'pong'); client.recv(10)
    client.close(); server.close()
print('done', flush=True)
`,
  )
  await watch.until('all of them', () => run.lines().includes('done'))
  await run.ended
  await watch.settle()
  const begun = new Set(
    watch
      .of(run.pid)
      .filter(isConnection)
      .map(each => each.connection),
  )
  const closed = watch.seen.filter(isClose).map(each => each.connection)
  assert.equal(begun.size, 20_000)
  assert.deepEqual(new Set(closed.filter(connection => begun.has(connection))), begun)
  assert.equal(closed.length, new Set(closed).size, 'none twice')
  assert.deepEqual(countsOfCalls(watch.counters.snapshot('capture.')), {})
})

test('the end of a Unix connection is told for both ends when the last one notices', async t => {
  if (!canCapture(t, 'python3')) return
  const watch = await startWatch(t)
  const run = python(
    t,
    `
import socket
for i in range(100):
    a, b = socket.socketpair()
    a.send(b'ping'); b.recv(10); b.send(b'pong'); a.recv(10)
    a.close(); b.recv(10); b.close()
`,
  )
  assert.equal(await run.ended, 0)
  await watch.settle()
  const begun = new Set(
    watch
      .of(run.pid)
      .filter(isConnection)
      .map(each => each.connection),
  )
  assert.equal(begun.size, 200)
  const closed = watch.seen.filter(isClose).map(each => each.connection)
  assert.deepEqual(new Set(closed.filter(connection => begun.has(connection))), begun)
})

test('a Unix connection that is older than the capture is told to be met in mid-life, a new one is not', async t => {
  if (!canCapture(t, 'python3')) return
  const run = python(
    t,
    `
import socket, sys
a, b = socket.socketpair()
print('ready', flush=True); sys.stdin.readline()
a.send(b'old'); b.recv(10)
c, d = socket.socketpair()
c.send(b'new'); d.recv(10)
print('done', flush=True); sys.stdin.readline()
`,
  )
  await run.says('ready')
  const watch = await startWatch(t)
  run.goOn()
  await run.says('done')
  await watch.settle()
  assert.deepEqual(
    watch
      .of(run.pid)
      .filter(isConnection)
      .map(each => each.midlife),
    [true, true, false, false],
  )
})

test('a peer that is accepted later is named as soon as it is', async t => {
  if (!canCapture(t, 'python3')) return
  const watch = await startWatch(t)
  const run = python(
    t,
    `
import os, socket
listener = socket.socket(socket.AF_UNIX); listener.bind('\\0ghostspan-late-%d' % os.getpid()); listener.listen(4)
client = socket.socket(socket.AF_UNIX); client.connect('\\0ghostspan-late-%d' % os.getpid())
client.send(b'early')
server, _ = listener.accept()
server.recv(10); server.send(b'late'); client.recv(10)
`,
  )
  assert.equal(await run.ended, 0)
  await watch.settle()
  const [early, server, named] = watch.of(run.pid).filter(isConnection)
  assert.equal(early!.remoteIdentity, 0)
  assert.equal(named!.connection, early!.connection)
  assert.deepEqual([named!.localIdentity, named!.remoteIdentity], [server!.remoteIdentity, server!.localIdentity])
})
