import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'

/**
 * What a test needs that a user's machine may lack. A test that lacks it is skipped and says so in the summary; with
 * GHOSTSPAN_REQUIRE_ALL=1 (continuous integration) the same lack is a failure.
 */
export interface Requirement {
  readonly what: string
  readonly met: () => boolean
}

export const root: Requirement = { what: 'root', met: () => process.getuid?.() === 0 }
export const btf: Requirement = { what: 'a kernel with BTF', met: () => existsSync('/sys/kernel/btf/vmlinux') }

/** An executable in PATH or in the sbin directories, where Debian keeps servers. */
export const program = (name: string): Requirement => ({
  what: `the program ${name}`,
  met: () =>
    [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/bin', '/sbin', '/usr/lib/rabbitmq/bin'].some(
      directory => directory !== '' && existsSync(`${directory}/${name}`),
    ),
})

/** A module of Debian's Python, /usr/bin/python3. */
export const pythonModule = (name: string): Requirement => ({
  what: `Debian's Python module ${name}`,
  met: () => spawnSync('/usr/bin/python3', ['-c', `import ${name}`], { stdio: 'ignore' }).status === 0,
})

export const file = (path: string, what = `the file ${path}`): Requirement => ({ what, met: () => existsSync(path) })

/** Skips (or fails) the test unless all are met. Returns true when the test may go on. */
export function requires(t: TestContext, ...requirements: readonly Requirement[]): boolean {
  const missing = requirements.filter(requirement => !requirement.met()).map(requirement => requirement.what)
  if (missing.length === 0) return true
  const message = `needs ${missing.join(', ')}`
  if (process.env['GHOSTSPAN_REQUIRE_ALL'] === '1') throw new Error(`${message}, and GHOSTSPAN_REQUIRE_ALL=1`)
  t.skip(message)
  return false
}
