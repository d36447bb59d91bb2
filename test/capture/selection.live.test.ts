import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { Selection } from '../../src/capture/selection.js'
import {
  canCapture,
  infoOf,
  isConnection,
  isData,
  isProcessInfo,
  python,
  type Run,
  type Seen,
  startWatch,
  type Watch,
} from './live/watch.js'

/** Waits for a line, then sends five bytes to itself; again and again. */
const TALKER = `
import os, socket, sys
listener = socket.socket(); listener.bind(('127.0.0.1', 0)); listener.listen(4)
print('ready', flush=True)
n = 0
while sys.stdin.readline():
    client = socket.create_connection(listener.getsockname()); server, _ = listener.accept()
    client.sendall(b'hello'); server.recv(10); client.close(); server.close()
    print('talked', n, flush=True); n += 1
`

async function startTalker(t: TestContext, mark = ''): Promise<Run> {
  const run = python(t, `# ${mark}\n${TALKER}`)
  await run.says('ready')
  return run
}

async function talk(watch: Watch, run: Run, round = 0): Promise<void> {
  run.goOn()
  await run.says(`talked ${round}`)
  await watch.settle()
}

const bytesSeen = (seen: readonly Seen[]): number => seen.filter(isData).length

for (const [what, selection] of [
  ['executable', { include: [{ executable: 'python3*' }] }],
  ['path of the executable', { include: [{ executable: '/usr/**' }] }],
  ['command line', { include: [{ commandLine: 'marked-talker' }] }],
  ['user', { include: [{ user: process.getuid?.() ?? 0, commandLine: 'marked-talker' }] }],
] satisfies [string, Selection][]) {
  test(`a process is traced that the selection includes by ${what}`, async t => {
    if (!canCapture(t, 'python3')) return
    const run = await startTalker(t, 'marked-talker')
    const watch = await startWatch(t, { selection })
    await talk(watch, run)
    assert.ok(bytesSeen(watch.of(run.pid)) >= 2)
  })
}

test('a process that no rule includes is not seen at all', async t => {
  if (!canCapture(t, 'python3')) return
  const marked = await startTalker(t, 'marked-talker')
  const other = await startTalker(t, 'another')
  const watch = await startWatch(t, { selection: { include: [{ commandLine: 'marked-talker' }] } })
  await talk(watch, other)
  await talk(watch, marked)
  assert.ok(bytesSeen(watch.of(marked.pid)) > 0)
  assert.deepEqual(watch.of(other.pid), [])
})

test('an excluded process is not seen, others are', async t => {
  if (!canCapture(t, 'python3')) return
  const excluded = await startTalker(t, 'marked-talker')
  const other = await startTalker(t, 'another')
  const watch = await startWatch(t, { selection: { exclude: [{ commandLine: 'marked-talker' }] } })
  await talk(watch, excluded)
  await talk(watch, other)
  assert.ok(bytesSeen(watch.of(other.pid)) > 0)
  assert.deepEqual(watch.of(excluded.pid), [])
})

test('a process is traced from the moment it listens on a selected port', async t => {
  if (!canCapture(t, 'python3')) return
  const free = await new Promise<number>(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
  const watch = await startWatch(t, { selection: { include: [{ port: free }] } })
  const run = python(
    t,
    `
import socket, sys
listener = socket.socket(); listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(('127.0.0.1', ${free})); listener.listen(4)
print('ready', flush=True)
sys.stdin.readline()
client = socket.create_connection(listener.getsockname()); server, _ = listener.accept()
client.sendall(b'hello'); server.recv(10)
print('talked 0', flush=True)
sys.stdin.readline()
`,
  )
  await run.says('ready')
  await watch.settle()
  await talk(watch, run)
  assert.equal(bytesSeen(watch.of(run.pid)), 2)
  assert.deepEqual(infoOf(watch.of(run.pid).find(isProcessInfo)!).listens, [free])
})

test('children that are forked after the capture began are what their parent is', async t => {
  if (!canCapture(t, 'python3')) return
  const source = (mark: string): string => `
# ${mark}
import os, socket, sys
print('ready', flush=True); sys.stdin.readline()
pid = os.fork()
a, b = socket.socketpair(); a.send(b'hello'); b.recv(10)
if pid:
    os.waitpid(pid, 0)
    print('child', pid, flush=True); print('talked 0', flush=True)
    sys.stdin.readline()
`
  const marked = python(t, source('marked-talker'))
  const other = python(t, source('another'))
  await Promise.all([marked.says('ready'), other.says('ready')])
  const watch = await startWatch(t, { selection: { include: [{ commandLine: 'marked-talker' }] } })
  await talk(watch, marked)
  await talk(watch, other)
  const childOf = (run: Run): number =>
    Number(
      run
        .lines()
        .find(line => line.startsWith('child'))!
        .split(' ')[1],
    )
  assert.equal(bytesSeen(watch.of(childOf(marked))), 2)
  assert.deepEqual(watch.of(childOf(other)), [])
  const fork = watch.of(childOf(marked)).find(each => each.op === 'fork')
  assert.equal(fork?.op === 'fork' && fork.parent, marked.pid)
})

test('a process that becomes a selected program is traced from then on, with its new description', async t => {
  if (!canCapture(t, 'python3')) return
  const watch = await startWatch(t, { selection: { include: [{ commandLine: 'marked-talker' }] } })
  const run = await startTalker(t, 'marked-talker')
  await watch.settle()
  await talk(watch, run)
  const of = watch.of(run.pid)
  assert.ok(bytesSeen(of) >= 2)
  assert.ok(of.some(each => each.op === 'exec'))
  const info = infoOf(of.find(isProcessInfo)!)
  assert.match(info.commandLine.join(' '), /marked-talker/)
  assert.match(info.exe, /python3/)
  assert.equal(info.parent, process.pid)
})

test('neither our own process nor the far ends of the connections it opens are seen, old or new', async t => {
  if (!canCapture(t, 'python3')) return
  const run = python(
    t,
    `
import os, socket, sys
listener = socket.socket(); listener.bind(('127.0.0.1', 0)); listener.listen(4)
print(listener.getsockname()[1], flush=True)
own, _ = listener.accept(); own.recv(10)
print('ready', flush=True); sys.stdin.readline()
own.sendall(b'old'); own.recv(10)
again, _ = listener.accept(); again.recv(10); again.sendall(b'new'); again.recv(10)
client = socket.create_connection(listener.getsockname()); server, _ = listener.accept()
client.sendall(b'seen'); server.recv(10)
print('talked 0', flush=True); sys.stdin.readline()
`,
  )
  while (run.lines().length === 0) await new Promise(resolve => setTimeout(resolve, 5))
  const port = Number(run.lines()[0])
  const { connect } = await import('node:net')
  const open = async () => {
    const socket = connect(port, '127.0.0.1')
    t.after(() => socket.destroy())
    await new Promise(resolve => socket.once('connect', resolve))
    socket.write('hello')
    return socket
  }
  const old = await open()
  await run.says('ready')
  const watch = await startWatch(t)
  // Our end of the old connection moves bytes first, as an exporter's does.
  old.write('from us')
  run.goOn()
  const fresh = await open()
  fresh.once('data', () => fresh.write('more'))
  await run.says('talked 0')
  await watch.settle()
  const of = watch.of(run.pid)
  const bytes = of.filter(isData).map(each => each.head)
  assert.deepEqual(watch.of(process.pid), [])
  assert.deepEqual(bytes.filter(head => head === 'seen').length, 2)
  assert.deepEqual(
    bytes.filter(head => ['new', 'hello', 'more', 'from us'].includes(head)),
    [],
  )
  assert.equal(of.filter(isConnection).length, 2)
})

test('a process that is declared ours is no longer seen', async t => {
  if (!canCapture(t, 'python3')) return
  const run = await startTalker(t)
  const watch = await startWatch(t, { ownChildren: true, ownPids: [] })
  await talk(watch, run)
  const before = bytesSeen(watch.of(run.pid))
  assert.ok(before > 0)
  watch.source.addOwnProcess(run.pid)
  await talk(watch, run, 1)
  assert.equal(bytesSeen(watch.of(run.pid)), before)
})
