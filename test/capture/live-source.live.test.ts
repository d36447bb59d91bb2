import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { checkKernel } from '../../src/capture/kernel-requirements.js'
import { createLiveSource } from '../../src/capture/live-source.js'
import { CaptureUnavailableError, loadNativeAddon, nativePaths, packageRoot } from '../../src/capture/native-addon.js'
import { createCounters } from '../../src/telemetry/counters.js'
import { canCapture, infoOf, isConnection, isData, isProcessInfo, python, startWatch } from './live/watch.js'

test('a closed source has ended, reads nothing and can be closed again', async t => {
  if (!canCapture(t)) return
  const source = await createLiveSource({ counters: createCounters() })
  assert.equal(source.ended, false)
  await source.close()
  await source.close()
  assert.equal(source.ended, true)
  assert.equal(source.read(), undefined)
  assert.equal(source.pendingBytes(), 0)
  source.control.setPortPolicy(
    1,
    { clientHead: 1, serverHead: 1, clientTail: 0, serverTail: 0, countOnly: false },
    false,
  )
})

test('two captures at once see the same calls, each by itself', async t => {
  if (!canCapture(t, 'python3')) return
  const first = await startWatch(t)
  const second = await startWatch(t)
  const run = python(t, 'import socket; a, b = socket.socketpair(); a.send(b"hello"); b.recv(10)')
  assert.equal(await run.ended, 0)
  await first.settle()
  await second.settle()
  assert.equal(first.of(run.pid).filter(isData).length, 2)
  assert.equal(second.of(run.pid).filter(isData).length, 2)
})

test('a capture that a worker leaves open is closed with the worker', async t => {
  if (!canCapture(t, 'bpftool')) return
  const { addon, bpf } = nativePaths()
  const loaded = (): number => {
    const path = `${process.env['PATH'] ?? ''}:/usr/sbin`
    const { stdout } = spawnSync('bpftool', ['prog', 'show', 'name', 'socket_destroyed', '-j'], {
      encoding: 'utf8',
      env: { ...process.env, PATH: path },
    })
    return stdout.split('"socket_destroyed"').length - 1
  }
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads')
     const module = { exports: {} }
     process.dlopen(module, workerData.addon)
     globalThis.handle = module.exports.open(workerData.bpf, 65536, {})
     module.exports.attach(globalThis.handle)
     parentPort.once('message', () => process.exit())
     parentPort.postMessage('attached')`,
    { eval: true, workerData: { addon, bpf } },
  )
  await new Promise(resolve => worker.once('message', resolve))
  const during = loaded()
  assert.ok(during >= 1)
  const ended = new Promise(resolve => worker.once('exit', resolve))
  worker.postMessage('end')
  await ended
  const deadline = performance.now() + 20_000
  // Other captures of this machine may come and go; this one's must go.
  while (loaded() >= during && performance.now() < deadline) await new Promise(resolve => setTimeout(resolve, 50))
  assert.ok(loaded() < during)
})

test('a missing addon and a broken BPF object are told as what they are', async t => {
  if (!canCapture(t)) return
  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const { addon, bpf } = nativePaths()
  const create = (paths: { addon: string; bpf: string }) =>
    createLiveSource({ counters: createCounters(), paths: { ...paths, bpfSystemCalls: paths.bpf } })
  const is = (code: string) => (error: unknown) => error instanceof CaptureUnavailableError && error.code === code
  await assert.rejects(create({ addon: join(folder, 'none.node'), bpf }), is('ADDON_MISSING'))
  const broken = join(folder, 'broken')
  writeFileSync(broken, 'not an object')
  await assert.rejects(create({ addon: broken, bpf }), is('ADDON_BROKEN'))
  await assert.rejects(create({ addon, bpf: broken }), is('EBPF_LOAD'))
})

test('what the kernel refuses names the program and carries the log', t => {
  if (!canCapture(t)) return
  const { addon, bpf } = nativePaths()
  const native = loadNativeAddon(addon)
  assert.throws(
    () => native.open(bpf, 0, { no_such_constant: 1 }),
    (error: Error & { code?: string; errno?: number }) => error.code === 'EBPF_LOAD' && typeof error.errno === 'number',
  )
  const handle = native.open(bpf, 4096, {})
  assert.throws(() => native.update(handle, 'no_such_map', new Uint8Array(4), new Uint8Array(4)), { code: 'EBPF_MAP' })
  assert.throws(() => native.update(handle, 'process_by_tgid', new Uint8Array(3), new Uint8Array(4)), {
    code: 'ERR_INVALID_ARG_TYPE',
  })
  native.close(handle)
  assert.throws(() => native.read(handle, new Uint8Array(8)), { code: 'EBPF_CLOSED' })
  assert.throws(() => native.read({} as never, new Uint8Array(8)), { code: 'ERR_INVALID_ARG_TYPE' })
})

test('every requirement of live capture is named, and met where it works', t => {
  if (!canCapture(t)) return
  const requirements = checkKernel()
  assert.deepEqual(
    requirements.filter(each => each.required && !each.ok).map(each => each.name),
    [],
  )
  for (const name of ['kernel BTF', 'tracepoints', 'privileges', 'addon', 'BPF object', 'BPF programs load', 'hooks']) {
    assert.ok(
      requirements.some(each => each.name === name),
      name,
    )
  }
})

test('what has not been built is named with the way to build it', () => {
  const requirements = checkKernel(nativePaths('/nonexistent'))
  for (const name of ['addon', 'BPF object']) {
    const found = requirements.find(each => each.name === name)!
    assert.equal(found.ok, false)
    assert.match(found.fix!, /build:native/)
  }
})

test('the addon and the BPF object can be built into a folder of their own, and capture from there', async t => {
  if (!canCapture(t, 'clang', 'bpftool', 'c++', 'python3')) return
  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const script = join(packageRoot(), 'scripts/build-native.mjs')
  const build = () => spawnSync(process.execPath, [script, '--out', folder], { encoding: 'utf8' })
  const first = build()
  assert.equal(first.status, 0, first.stderr)
  assert.match(build().stderr, /up to date/)
  const watch = await startWatch(t, { paths: nativePaths(folder) })
  const run = python(t, 'import socket; a, b = socket.socketpair(); a.send(b"hello"); b.recv(10)')
  assert.equal(await run.ended, 0)
  await watch.settle()
  assert.equal(watch.of(run.pid).filter(isData).length, 2)
})

test('an accepted connection teaches the port that its process serves', async t => {
  if (!canCapture(t, 'python3')) return
  const watch = await startWatch(t)
  const run = python(
    t,
    `
import socket, sys
listener = socket.socket(); listener.bind(('127.0.0.1', 0)); listener.listen(4)
print(listener.getsockname()[1], flush=True)
client = socket.create_connection(listener.getsockname()); server, _ = listener.accept()
client.sendall(b'hello'); server.recv(10); sys.stdin.readline()
`,
  )
  await watch.until('its bytes', () => watch.of(run.pid).filter(isData).length === 2)
  const infos = watch.of(run.pid).filter(isProcessInfo).map(infoOf)
  assert.deepEqual(infos.at(-1)!.listens, [Number(run.lines()[0])])
})

test('a server that offers MPTCP to a client that does not is seen like any other', async t => {
  if (!canCapture(t, 'python3')) return
  const watch = await startWatch(t)
  const run = python(
    t,
    `
import socket
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262); listener.bind(('127.0.0.1', 0)); listener.listen(4)
client = socket.create_connection(listener.getsockname()); server, _ = listener.accept()
client.sendall(b'hello'); server.recv(10); server.sendall(b'there'); client.recv(10)
`,
  )
  if ((await run.ended) !== 0) return t.skip('this kernel has no MPTCP')
  await watch.settle()
  assert.equal(watch.of(run.pid).filter(isConnection).length, 2)
  assert.equal(watch.of(run.pid).filter(isData).length, 4)
})
