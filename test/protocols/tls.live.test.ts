import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect, createServer, type SecureVersion } from 'node:tls'
import { promisify } from 'node:util'
import { tls } from '../../src/protocols/tls/index.js'
import { startRecordingProxy } from '../support/recording-proxy.js'
import { program, requires } from '../support/requirements.js'
import { drive } from './harness.js'

const run = promisify(execFile)

for (const version of ['TLSv1.2', 'TLSv1.3'] satisfies SecureVersion[]) {
  test(`the hellos of a real ${version} connection tell server name, protocols and version`, async t => {
    if (!requires(t, program('openssl'))) return
    const folder = await mkdtemp(join(tmpdir(), 'ghostspan-tls-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=shop.example']
    await run('openssl', ['req', '-x509', ...made, '-keyout', key, '-out', cert])
    const server = createServer(
      { key: await readFile(key), cert: await readFile(cert), ALPNProtocols: ['http/1.1'] },
      socket => socket.end('hello'),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => void server.close())
    const proxy = await startRecordingProxy((server.address() as AddressInfo).port)
    t.after(() => proxy.close())
    const socket = connect({
      port: proxy.port,
      host: '127.0.0.1',
      servername: 'shop.example',
      ALPNProtocols: ['h2', 'http/1.1'],
      rejectUnauthorized: false,
      minVersion: version,
      maxVersion: version,
    })
    socket.resume()
    await once(socket, 'close')
    const { calls } = proxy.connections[0]!
    for (const head of [100_000, tls.wants.clientHead]) {
      const { observations, connection } = drive(tls, calls, { head })
      assert.equal(observations.length, 1)
      const { attributes, housekeeping } = observations[0]!.exchange
      assert.equal(housekeeping, false)
      assert.equal(attributes['server.address'], 'shop.example')
      assert.equal(attributes['ghostspan.tls.offered_protocols'], 'h2,http/1.1')
      assert.equal(attributes['tls.protocol.version'], version.slice(-3))
      assert.equal(attributes['tls.next_protocol'], version === 'TLSv1.2' ? 'http/1.1' : undefined)
      assert.equal(connection.wants?.countOnly, true)
    }
  })
}
