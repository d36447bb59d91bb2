import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { WireRole, WireTransport } from '../../src/capture/event-layout.js'
import {
  canCapture,
  compile,
  isConnection,
  isData,
  isProcessInfo,
  type SeenData,
  start,
  startWatch,
} from './live/watch.js'

/** What socket-calls.c sends. Bytes that splice() takes out of a socket pass no hook: a gap in the positions. */
const MESSAGE = Array.from({ length: 120 }, (_, i) => `${String(i).padStart(4, '0')} `).join('')
const ONE = [MESSAGE]
const TWO_HALVES = [MESSAGE.slice(0, 300), MESSAGE.slice(300)]

interface Expected {
  readonly pieces: readonly string[]
  /** The kernel has no buffer of the process to copy from. */
  readonly uncopied?: boolean
}

const SENDS: Readonly<Record<string, Expected>> = {
  write: { pieces: ONE },
  send: { pieces: ONE },
  writev: { pieces: ONE },
  sendmsg: { pieces: ONE },
  pwritev2: { pieces: ONE },
  sendmmsg: { pieces: TWO_HALVES },
  sendfile: { pieces: ONE, uncopied: true },
  splice: { pieces: ONE, uncopied: true },
  compat: { pieces: ONE, uncopied: true },
  iouring: { pieces: ONE, uncopied: true },
}

const RECEIVES: Readonly<Record<string, Expected>> = {
  read: { pieces: ONE },
  recv: { pieces: ONE },
  readv: { pieces: ONE },
  recvmsg: { pieces: ONE },
  preadv2: { pieces: ONE },
  recvmmsg: { pieces: TWO_HALVES },
  peek: { pieces: ONE },
}

async function watchCalls(t: TestContext, transport: string, send: string, receive: string) {
  const watch = await startWatch(t)
  const run = start(t, compile(t, 'socket-calls'), [transport, send, receive])
  const status = await run.ended
  if (status === 3) {
    t.skip(`this kernel refuses ${send}`)
    return undefined
  }
  assert.equal(status, 0, 'the message arrived')
  await watch.until('its end of file', seen =>
    seen.some(each => isData(each) && each.endOfFile && each.pid === run.pid),
  )
  await watch.settle()
  return { watch, of: watch.of(run.pid) }
}

/** Every piece in order, each at its position, with its bytes unless they could not be copied. */
function checkPieces(found: readonly SeenData[], expected: Expected): void {
  const whole = found.filter(each => each.length > 0)
  assert.equal(
    whole.reduce((sum, each) => sum + each.length, 0),
    MESSAGE.length,
  )
  let position = 0
  for (const each of whole) {
    assert.equal(each.position, position)
    assert.equal(each.uncopied, expected.uncopied === true)
    assert.equal(each.head, expected.uncopied ? '' : MESSAGE.slice(position, position + each.length))
    position += each.length
  }
  if (expected.pieces.length > 1) {
    assert.deepEqual(
      whole.map(each => each.head),
      expected.pieces,
    )
  }
}

async function checkCalls(t: TestContext, transport: string, send: string, receive: string): Promise<void> {
  const watched = await watchCalls(t, transport, send, receive)
  if (watched === undefined) return
  const data = watched.of.filter(isData)
  checkPieces(
    data.filter(each => each.op === 'send'),
    SENDS[send]!,
  )
  const received = data.filter(each => each.op === 'receive')
  checkPieces(received, RECEIVES[receive]!)
  assert.equal(received.filter(each => each.endOfFile).length, 1)
  assert.equal(received.at(-1)!.position, MESSAGE.length, 'end of file is told at the end')
}

for (const send of Object.keys(SENDS)) {
  test(`${send} is seen with its length, position and bytes, over TCP and Unix sockets`, async t => {
    if (!canCapture(t, 'cc')) return
    await t.test('TCP', inner => checkCalls(inner, 'tcp4', send, 'recv'))
    await t.test('Unix', inner => checkCalls(inner, 'unix', send, 'recv'))
  })
}

for (const receive of Object.keys(RECEIVES)) {
  test(`${receive} is seen with its length, position and bytes, over TCP and Unix sockets`, async t => {
    if (!canCapture(t, 'cc')) return
    await t.test('TCP', inner => checkCalls(inner, 'tcp4', 'write', receive))
    await t.test('Unix', inner => checkCalls(inner, 'unix', 'write', receive))
  })
}

for (const [transport, family, address] of [
  ['tcp4', 2, `7f000001${'0'.repeat(24)}`],
  ['tcp6', 10, `${'0'.repeat(31)}1`],
  ['mapped', 2, `7f000001${'0'.repeat(24)}`],
] as const) {
  test(`both ends of a ${transport} connection have one key, their roles and their addresses`, async t => {
    if (!canCapture(t, 'cc')) return
    const watched = await watchCalls(t, transport, 'write', 'read')
    const ends = watched!.of.filter(isConnection)
    assert.deepEqual(
      ends.map(end => end.role),
      [WireRole.opened, WireRole.accepted],
    )
    const [opened, accepted] = ends as [(typeof ends)[0], (typeof ends)[0]]
    assert.deepEqual([opened.localIsn, opened.remoteIsn], [accepted.remoteIsn, accepted.localIsn])
    assert.deepEqual([opened.localPort, opened.remotePort], [accepted.remotePort, accepted.localPort])
    for (const end of ends) {
      assert.equal(end.transport, WireTransport.tcp)
      assert.equal(end.family, family)
      assert.deepEqual([end.localAddress, end.remoteAddress], [address, address])
      assert.equal(end.midlife, false)
      assert.notEqual(end.localIdentity, 0, 'the network namespace')
    }
  })
}

test('both ends of a Unix connection name each other by inode, and their roles', async t => {
  if (!canCapture(t, 'cc')) return
  const watched = await watchCalls(t, 'unix', 'write', 'read')
  const ends = watched!.of.filter(isConnection)
  const [opened, accepted] = ends as [(typeof ends)[0], (typeof ends)[0]]
  assert.deepEqual([opened.role, accepted.role], [WireRole.opened, WireRole.accepted])
  assert.deepEqual([opened.localIdentity, opened.remoteIdentity], [accepted.remoteIdentity, accepted.localIdentity])
  assert.notEqual(opened.localIdentity, 0)
})

test('a socketpair has two ends without roles', async t => {
  if (!canCapture(t, 'cc')) return
  const watched = await watchCalls(t, 'pair', 'write', 'read')
  const ends = watched!.of.filter(isConnection)
  assert.deepEqual(
    ends.map(end => end.role),
    [WireRole.unknown, WireRole.unknown],
  )
})

test('a process is described before its first record that moves bytes', async t => {
  if (!canCapture(t, 'cc')) return
  const watched = await watchCalls(t, 'tcp4', 'write', 'read')
  const described = watched!.of.findIndex(isProcessInfo)
  const firstData = watched!.of.findIndex(isData)
  // A process this short may be gone before anybody can look: then there is nothing to describe.
  assert.ok(described === -1 || described < firstData)
})
