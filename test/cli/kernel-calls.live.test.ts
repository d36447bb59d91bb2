import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { type TestContext, test } from 'node:test'
import { nativePaths } from '../../src/capture/native-addon.js'
import { embeddedEngine } from '../archive/embedded-archive.js'
import { btf, file, requires, root } from '../support/requirements.js'
import { ghostspan, type Running, start, temporaryFolder } from './ghostspan-process.js'

const live = [root, btf, file(nativePaths().addon, 'the addon'), file(nativePaths().bpf, 'the BPF object')] as const
/** Only this test's own process. */
const ONLY_US = ['--include', 'command_line=kernel-calls[.]live[.]test']

async function startDaemon(t: TestContext, folder: string): Promise<Running> {
  // Nothing is made of the bytes: no spans, no operations, no edges.
  const silent = ['--disable-protocol', 'http', '--no-otlp', '--listen', '127.0.0.1:0']
  const daemon = start(t, ['run', '--json', '--data-directory', folder, ...silent, ...ONLY_US])
  await daemon.until(() => daemon.stdout().includes('\n'))
  return daemon
}

/** So many requests from this process to itself, each on a connection of its own. */
async function requests(port: number, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const sent = request({ port, host: '127.0.0.1', agent: false }).end()
    const [response] = await once(sent, 'response')
    response.resume()
    await once(response, 'close')
  }
}

async function listen(t: TestContext): Promise<number> {
  const server = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  return (server.address() as { port: number }).port
}

interface Line {
  readonly service: string
  readonly peer: string
  readonly direction: string
  readonly calls: number
  readonly connections: number
  readonly socketCalls: number
  readonly p50Ns: number
  readonly p99Ns: number
}

const linesOf = (text: string): Line[] =>
  text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Line)

test('top shows services, edges, calls and latency of a daemon that makes no spans, live and from the archive', async t => {
  if (!requires(t, ...live, embeddedEngine)) return
  const folder = temporaryFolder(t)
  const daemon = await startDaemon(t, folder)
  const port = await listen(t)
  const place = ['--data-directory', folder]
  await requests(port, 100)

  const looking = ghostspan(t, ['top', '--live', '--edges', '--json', ...place])
  let asked = 100
  let ended = false
  void looking.then(() => {
    ended = true
  })
  while (!ended) {
    await requests(port, 10)
    asked += 10
  }
  const { stdout, stderr, code } = await looking
  assert.equal(code, 0, stderr)
  const seen = linesOf(stdout)
  const out = seen.find(line => line.direction === 'out')!
  assert.equal(out.peer, out.service, 'the peer on this host is told by its name')
  assert.ok(out.calls > 0 && out.calls === out.connections, JSON.stringify(out))
  assert.ok(seen.some(line => line.direction === 'in' && line.p99Ns >= line.p50Ns && line.p50Ns > 0))

  const status = JSON.parse((await ghostspan(t, ['status', '--json', ...place])).stdout)
  const { calls, copied, uncopied, unplaced } = status.calls
  assert.equal(calls, copied + uncopied)
  assert.ok(calls >= 4 * asked && unplaced === 0, JSON.stringify(status.calls))

  daemon.child.kill('SIGTERM')
  const end = await daemon.ended
  assert.equal(end.code, 0, end.stderr)
  const archived = await ghostspan(t, ['top', '--kernel', '--since', '10m', '--json', ...place])
  const services = linesOf(archived.stdout)
  const taken = services.find(line => line.direction === 'in')!
  assert.deepEqual([taken.calls, taken.connections], [asked, asked], 'every request is counted, and once')
  const plain = await ghostspan(t, ['top', '--since', '10m', ...place])
  assert.match(plain.stderr, /no operations in this time: no spans were made of it; what the kernel counted/)
  assert.match(plain.stdout, /SERVICE +DIRECTION +REQUESTS\/S/)
})

test('a daemon that was killed is told of by the next one, which says what is lost', async t => {
  if (!requires(t, ...live, embeddedEngine)) return
  const folder = temporaryFolder(t)
  const first = await startDaemon(t, folder)
  const before = new Date()
  first.child.kill('SIGKILL')
  await first.ended
  const second = await startDaemon(t, folder)
  const told = /sketches from (\S+) on are lost, at most a minute and five seconds/.exec(second.stderr())
  assert.ok(told !== null, second.stderr())
  const seconds = (before.getTime() - Date.parse(told[1]!)) / 1_000
  assert.ok(seconds >= 0 && seconds <= 66, `${seconds} s`)
  second.child.kill('SIGTERM')
  assert.equal((await second.ended).code, 0)
  const third = await startDaemon(t, folder)
  assert.doesNotMatch(third.stderr(), /was killed/)
})
