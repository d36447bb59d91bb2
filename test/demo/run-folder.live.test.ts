import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createRunFolder, endProcesses, removeLeftovers } from '../../src/demo/run-folder.js'
import { isAlive, type ProcessIdentity, processIdentity } from '../../src/process-identity.js'

async function withParent(body: (parent: string) => Promise<void>): Promise<void> {
  const parent = mkdtempSync(join(tmpdir(), 'ghostspan-test-'))
  try {
    await body(parent)
  } finally {
    rmSync(parent, { recursive: true, force: true })
  }
}

async function sleeper(): Promise<ProcessIdentity> {
  const child = spawn('/bin/sleep', ['600'], { detached: true, stdio: 'ignore' })
  await once(child, 'spawn')
  return processIdentity(child.pid!)!
}

/** As if the run's owner had been killed: its pid is somebody else's now. */
function orphan(path: string): void {
  const owner = readFileSync(join(path, 'owner'), 'latin1')
  writeFileSync(join(path, 'owner'), owner.replace(/ \d+\n$/, ' 1\n'))
}

test('what a killed run left behind is stopped and removed', async () => {
  await withParent(async parent => {
    const folder = createRunFolder(parent)
    const server = await sleeper()
    folder.note('server', server)
    orphan(folder.path)
    assert.deepEqual(await removeLeftovers(parent), [folder.path])
    assert.equal(isAlive(server), false)
    assert.equal(existsSync(folder.path), false)
  })
})

test('a run that still goes on is left alone', async () => {
  await withParent(async parent => {
    const folder = createRunFolder(parent)
    const server = await sleeper()
    try {
      folder.note('server', server)
      assert.deepEqual(await removeLeftovers(parent), [])
      assert.equal(isAlive(server), true)
      assert.equal(existsSync(folder.path), true)
    } finally {
      await endProcesses([server], 1_000)
    }
  })
})

test('a process that got the pid of a server which has ended is left alone', async () => {
  await withParent(async parent => {
    const folder = createRunFolder(parent)
    const stranger = await sleeper()
    try {
      folder.note('server', { ...stranger, start: '1' })
      orphan(folder.path)
      assert.deepEqual(await removeLeftovers(parent), [folder.path])
      assert.equal(isAlive(stranger), true)
    } finally {
      await endProcesses([stranger], 1_000)
    }
  })
})

test('a server that does not listen to SIGTERM is killed, with its children', async () => {
  const script = "trap '' TERM; sleep 600 & while :; do sleep 0.1; done"
  const child = spawn('/bin/sh', ['-c', script], { detached: true, stdio: 'ignore' })
  await once(child, 'spawn')
  const identity = processIdentity(child.pid!)!
  const { sessionMembers } = await import('../../src/demo/session-members.js')
  const { waitFor } = await import('../../src/demo/wait-for.js')
  assert.ok(await waitFor(() => sessionMembers(identity).length >= 2, 5_000))
  const all = sessionMembers(identity)
  await endProcesses(all, 200)
  assert.deepEqual(all.filter(isAlive), [])
})
