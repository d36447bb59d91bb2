import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { FinishedSpan } from '../../src/traces/span.js'
import { program, requires } from '../support/requirements.js'
import { accepts, freePort, startServerProcess } from '../support/server-process.js'
import { liveCapture, traceLive } from '../support/trace-live.js'

const run = promisify(execFile)

/** A socket without a peer, as resolvers have: sendto, sendmsg, recvfrom, recvmsg; two questions before an answer. */
const WITHOUT_PEER = `
import socket, struct, sys
port = int(sys.argv[1])
def question(id, name, type):
    labels = b''.join(bytes([len(label)]) + label.encode() for label in name.split('.'))
    return struct.pack('>6H', id, 0x0100, 1, 0, 0, 0) + labels + b'\\0' + struct.pack('>2H', type, 1)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(question(1, 'one.test', 1), ('127.0.0.1', port))
s.sendmsg([question(2, 'two.test', 1)], [], 0, ('127.0.0.1', port))
answers = sorted([s.recvfrom(512)[0][:2], s.recvmsg(512)[0][:2]])
assert answers == [b'\\0\\1', b'\\0\\2'], answers
six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
six.sendto(question(3, 'one.test', 28), ('::ffff:127.0.0.1', port))
six.recv(512)
noise = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(20): noise.sendto(b'requests:1|c|#route:/items', ('127.0.0.1', port + 1 if port < 65535 else 1))
`

/** What one span says, without what differs from run to run. */
function story({ kind, name, attributes, status }: FinishedSpan): string {
  const question = attributes['dns.question.name']
  const code = attributes['ghostspan.dns.response_code']
  return [kind, name, question, code, attributes['network.transport'] ?? 'tcp', status.code].join(' ')
}

test('dnsmasq, asked over UDP and TCP on sockets with and without a peer: one trace for each question, both ends', async t => {
  if (!requires(t, ...liveCapture, program('dnsmasq'), program('dig'))) return
  const port = await freePort()
  const records = ['--host-record=one.test,192.0.2.1,2001:db8::1', '--host-record=two.test,192.0.2.2', '--local=/test/']
  const server = await startServerProcess({
    command: '/usr/sbin/dnsmasq',
    args: [
      ...['--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--bind-interfaces'],
      ...['--listen-address=127.0.0.1', `--port=${port}`, '--pid-file=', '--user=root', ...records],
    ],
    cwd: tmpdir(),
    ready: () => accepts(port),
  })
  t.after(() => server.stop())
  const tracing = await traceLive(t, {
    // All but ours is left out by a rule, not by default: a new process is watched until it is looked at.
    selection: { rules: [{ action: 'exclude', commandLine: `^(?![^]*\\b${port}\\b)` }], otherwise: 'include' },
    lossMillis: 20,
  })
  await sleep(300)
  const dig = (...words: string[]): Promise<unknown> =>
    run('dig', ['@127.0.0.1', '-p', String(port), '+tries=1', '+time=5', ...words])
  await dig('one.test')
  await dig('missing.test', 'AAAA')
  await dig('+tcp', 'one.test', 'AAAA')
  await run('/usr/bin/python3', ['-c', WITHOUT_PEER, String(port)])
  await sleep(300)
  await tracing.stop()
  const { traces, counters } = tracing

  const stories = traces.map(({ spans }) => spans.map(story).join(' > ')).sort()
  const both = (name: string, question: string, code: string, transport = 'udp', client = 'unset'): string =>
    `client ${name} ${question} ${code} ${transport} ${client} > server ${name} ${question} ${code} ${transport} unset`
  assert.deepEqual(
    stories,
    [
      both('DNS A', 'one.test', 'NOERROR'),
      both('DNS A', 'one.test', 'NOERROR'),
      both('DNS A', 'two.test', 'NOERROR'),
      both('DNS AAAA', 'missing.test', 'NXDOMAIN', 'udp', 'error'),
      both('DNS AAAA', 'one.test', 'NOERROR'),
      both('DNS AAAA', 'one.test', 'NOERROR', 'tcp'),
    ].sort(),
  )
  for (const { spans } of traces) {
    const [asked, answered] = spans
    assert.equal(asked!.attributes['server.port'], port)
    assert.equal(asked!.attributes['network.peer.port'], port)
    assert.equal(answered!.attributes['client.address'], '127.0.0.1')
    assert.equal(answered!.parentSpanId, asked!.spanId)
  }
  const counts = counters.snapshot()
  assert.ok((counts['capture.unseen.datagrams'] ?? 0) >= 20, 'other datagrams are counted')
  assert.equal(counts['capture.uncopied.copy_fault'] ?? 0, 0)
})
