import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const compiled = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
/** Node's arguments for the command line: compiled beside compiled tests, else from its source. */
export const program: readonly string[] = existsSync(compiled)
  ? [compiled]
  : ['--import', 'tsx', compiled.replace(/\.js$/, '.ts')]

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  /** What it has printed so far. */
  stdout(): string
  stderr(): string
  readonly ended: Promise<Ended>
  /** Resolves when the condition holds; fails with what was printed when the process ends before. */
  until(condition: () => boolean): Promise<void>
}

export interface StartOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** User id to run as; needs root. */
  readonly user?: number
}

/** Starts `ghostspan …` without any setting of the surroundings; ended with the test at the latest. */
export function start(t: TestContext, args: readonly string[], options: StartOptions = {}): Running {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(OTEL|GHOSTSPAN|NO_COLOR|FORCE_COLOR)/.test(name))
  const child = spawn(process.execPath, [...program, ...args], {
    env: { ...Object.fromEntries(inherited), ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.user === undefined ? {} : { uid: options.user, gid: options.user }),
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', text => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', text => (stderr += text))
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return {
    child,
    ended,
    stdout: () => stdout,
    stderr: () => stderr,
    until: async condition => {
      while (!condition()) {
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`ended too early:\n${stdout}${stderr}`)
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    },
  }
}

export function ghostspan(t: TestContext, args: readonly string[], options: StartOptions = {}): Promise<Ended> {
  return start(t, args, options).ended
}

/** A folder of its own for a test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-cli-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
