import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Batch } from '../../src/archive/batch.js'
import { claimDirectory } from '../../src/archive/directory-claim.js'
import { openSpool, type Spool, spooledRows } from '../../src/archive/spool.js'
import { createCounters } from '../../src/telemetry/counters.js'
import { program, requires, root } from '../support/requirements.js'
import { temporaryDirectory } from './embedded-archive.js'

const batch = (token: string, bytes: number): Batch => ({
  token,
  rows: 10,
  bytes: Buffer.alloc(bytes, token.charCodeAt(0)),
  columns: ['a', 'b'],
})
const NOTHING = new Set<never>()

function spoolIn(
  t: TestContext,
  limitBytes?: number,
): { spool: Spool; directory: string; lost: () => Record<string, number>; warnings: string[]; again: () => Spool } {
  const directory = temporaryDirectory()
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const counters = createCounters()
  const warnings: string[] = []
  const again = (): Spool =>
    openSpool({
      directory,
      counters,
      warn: message => warnings.push(message),
      ...(limitBytes === undefined ? {} : { limitBytes }),
    })
  return { spool: again(), directory, lost: () => counters.snapshot('archive.lost.'), warnings, again }
}

describe('the spool', () => {
  it('gives batches back oldest first, also to the next process', async t => {
    const { spool, again, directory } = spoolIn(t)
    for (const token of ['a', 'b', 'c']) assert.equal(await spool.put(batch(token, 1000)), true)
    assert.equal(spooledRows(directory), 30)
    const later = again()
    for (const token of ['a', 'b', 'c']) {
      const entry = later.oldest(NOTHING)!
      assert.deepEqual(await later.read(entry), batch(token, 1000))
      await later.remove(entry)
    }
    assert.deepEqual(later.size(), { batches: 0, bytes: 0, fresh: 0 })
    assert.deepEqual(readdirSync(directory), [])
  })

  it('never exceeds its limit: the oldest go, counted', async t => {
    const { spool, directory, lost, warnings } = spoolIn(t, 50_000)
    for (let i = 0; i < 20; i++) assert.equal(await spool.put(batch(String.fromCharCode(97 + i), 10_000)), true)
    const onDisk = readdirSync(directory).reduce((sum, file) => sum + statSync(join(directory, file)).size, 0)
    assert.ok(onDisk <= 50_000 && onDisk === spool.size().bytes)
    assert.equal(lost()['archive.lost.spool_full'], (20 - spool.size().batches) * 10)
    assert.equal((await spool.read(spool.oldest(NOTHING)!))?.token, String.fromCharCode(97 + 20 - spool.size().batches))
    assert.equal(warnings.length, 1)
    assert.equal(await spool.put(batch('z', 60_000)), false)
  })

  it('drops what a killed process was writing, and counts what is damaged', async t => {
    const { spool, again, directory, lost } = spoolIn(t)
    await spool.put(batch('a', 1000))
    await spool.put(batch('b', 1000))
    writeFileSync(join(directory, '000000000003-10.batch.part'), 'half')
    appendFileSync(join(directory, readdirSync(directory)[0]!), 'damage')
    const later = again()
    assert.equal(await later.read(later.oldest(NOTHING)!), undefined)
    assert.deepEqual(lost(), { 'archive.lost.spool_corrupt': 10 })
    assert.equal((await later.read(later.oldest(NOTHING)!))?.token, 'b')
    assert.equal(readdirSync(directory).length, 1)
  })

  it('counts what a full disk does not take, keeps the newest, and goes on when there is room', async t => {
    if (!requires(t, root, program('mount'))) return
    const directory = temporaryDirectory()
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory], { encoding: 'utf8' })
    t.after(() => {
      spawnSync('umount', [directory])
      rmSync(directory, { recursive: true, force: true })
    })
    assert.equal(mount.status, 0, mount.stderr)
    const counters = createCounters()
    const warnings: string[] = []
    const spool = openSpool({ directory: join(directory, 'spool'), counters, warn: message => warnings.push(message) })
    for (let i = 0; i < 8; i++) assert.equal(await spool.put(batch(String.fromCharCode(97 + i), 12_000)), true)
    assert.ok(spool.size().batches < 8)
    assert.equal(counters.snapshot()['archive.lost.disk_full'], (8 - spool.size().batches) * 10)
    assert.match(warnings[0]!, /no space left/)
    assert.equal(await spool.put(batch('y', 200_000)), false)
    assert.equal(counters.snapshot()['archive.lost.disk_full'], 90)
    assert.equal(await spool.put(batch('z', 12_000)), true)
    assert.equal((await spool.read(spool.oldest(NOTHING)!))?.token, 'z')
    assert.deepEqual(readdirSync(join(directory, 'spool')).length, 1)
  })
})

describe('a claimed directory', () => {
  it('is refused to a second owner with the pid of the first, and free after its release', t => {
    const directory = temporaryDirectory()
    t.after(() => rmSync(directory, { recursive: true, force: true }))
    const claim = claimDirectory(directory, 'archive')
    assert.throws(() => claimDirectory(directory, 'archive'), new RegExp(`process ${process.pid} uses`))
    claim.release()
    claimDirectory(directory, 'archive').release()
  })
  it('is free when its owner is gone, or its pid belongs to somebody else now', t => {
    const directory = temporaryDirectory()
    t.after(() => rmSync(directory, { recursive: true, force: true }))
    mkdirSync(directory, { recursive: true })
    for (const owner of [{ pid: 2 ** 22 + 1, start: '1' }, { pid: process.pid, start: '1' }, 'nonsense']) {
      writeFileSync(join(directory, 'owner.json'), JSON.stringify(owner))
      claimDirectory(directory, 'archive').release()
    }
    assert.deepEqual(readdirSync(directory), [])
  })
})
