import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { familyOf } from '../../bench/live/process-usage.js'
import { labFolder, runLab } from '../../bench/openstack/lab.js'
import { waitFor } from '../../src/demo/wait-for.js'

/** Tempest with two workers, the tests that are known to fail included. */
export async function startTempest(tests: string): Promise<{ readonly passed: number; readonly failed: number }> {
  const environment = { TEMPEST_JOBS: '2', TEMPEST_EXCLUDE: '0' }
  const { output } = await runLab('tempest', ['regex', tests], environment, () => {})
  const count = (name: string): number => Number(new RegExp(`- ${name}: (\\d+)`).exec(output)?.[1] ?? Number.NaN)
  return { passed: count('Passed'), failed: count('Failed') }
}

/** Ends these processes of the lab as an administrator would who has no patience, and starts them again. */
export async function restart(names: readonly string[]): Promise<void> {
  for (const name of names) {
    const file = join(labFolder, 'run', `${name}.pid`)
    const pid = Number(readFileSync(file, 'utf8'))
    const family = familyOf(pid)
    signal([pid], 'SIGTERM')
    await waitFor(() => !existsSync(`/proc/${pid}`), 5_000)
    signal(family, 'SIGKILL')
    await waitFor(() => family.every(each => !existsSync(`/proc/${each}`)), 5_000)
    rmSync(file, { force: true })
  }
  const up = await runLab('up', [], {}, () => {})
  if (up.code !== 0) throw new Error(`the lab does not come back:\n${up.output.slice(-1_000)}`)
}

/** Stops the process and what it started for as long as `during` takes. */
export async function standStill(pid: number, during: () => Promise<void>): Promise<void> {
  const family = familyOf(pid)
  signal(family, 'SIGSTOP')
  try {
    await during()
  } finally {
    signal(family, 'SIGCONT')
  }
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name)
    } catch {
      // It has ended.
    }
  }
}
