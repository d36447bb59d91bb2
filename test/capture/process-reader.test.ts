import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseListeningSockets } from '../../src/capture/listening-ports.js'
import { createProcessReader, namesOfCgroup, parseCgroup, parseStat } from '../../src/capture/process-reader.js'

test('a name with spaces and parentheses does not shift the fields of stat', () => {
  const fields = ['S', '7', ...Array.from({ length: 17 }, (_, i) => String(i)), '123456', '0']
  assert.deepEqual(parseStat(`42 (a) b (c) ${fields.join(' ')}`), { comm: 'a) b (c', parent: 7, startTicks: 123456 })
})

test('the unified cgroup is taken, else the one of systemd', () => {
  assert.equal(parseCgroup('0::/system.slice/x.service\n'), '/system.slice/x.service')
  assert.equal(parseCgroup('12:cpu:/a\n1:name=systemd:/b\n'), '/b')
  assert.equal(parseCgroup(''), '')
})

test('unit and container are read out of the cgroup', () => {
  const id = 'a'.repeat(64)
  assert.deepEqual(namesOfCgroup('/system.slice/nginx.service'), { unit: 'nginx.service' })
  assert.deepEqual(namesOfCgroup(`/system.slice/docker-${id}.scope`), { container: id })
  assert.deepEqual(namesOfCgroup(`/kubepods/pod1/${id}`), { container: id })
  assert.deepEqual(namesOfCgroup('/'), {})
})

test('only listening sockets give ports', () => {
  const ports = new Map<string, number>()
  parseListeningSockets(
    [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0',
      '   1: 0100007F:1F91 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0 20 4 30 10 -1',
    ].join('\n'),
    ports,
  )
  assert.deepEqual([...ports], [['111', 8080]])
})

test('this process is found in /proc as it is', () => {
  const reader = createProcessReader({ suspendedNs: 0n })
  const info = reader.read(process.pid)!
  assert.equal(info.pid, process.pid)
  assert.equal(info.parent, process.ppid)
  assert.equal(info.exe, process.execPath)
  assert.equal(info.user, process.getuid?.())
  assert.ok(info.startNs > 0 && info.startNs < Number(process.hrtime.bigint()))
  assert.equal(reader.read(2 ** 22 + 1), undefined)
})
