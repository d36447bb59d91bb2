import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { repositoryPath } from '../../test/accuracy/repository-path.js'

export interface UsedResources {
  readonly status: number
  /** User and system time, of all its threads. */
  readonly cpuS: number
  readonly rssMiB: number
  /** Lines on its stdout, and the last of them. */
  readonly lines: number
  readonly last: string
}

const run = promisify(execFile)
/** Both sides of a comparison run on the same one. */
const CORE = 0

/** Runs a command to its end on one core. */
export async function usedResources(command: string, args: readonly string[]): Promise<UsedResources> {
  const program = repositoryPath('bench', 'protocols', 'used_resources.py')
  const { stdout } = await run('/usr/bin/python3', [program, String(CORE), command, ...args])
  return JSON.parse(stdout) as UsedResources
}
