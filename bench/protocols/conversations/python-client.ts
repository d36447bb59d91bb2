import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { repositoryPath } from '../../../test/accuracy/repository-path.js'

const run = promisify(execFile)

/** Runs one of the clients in Python; returns the lines of its log. */
export async function runPythonClient(
  name: string,
  port: number,
  requests: number,
  folder: string,
): Promise<readonly string[]> {
  const log = join(folder, 'client.log')
  const program = repositoryPath('bench', 'protocols', 'clients', `${name}_client.py`)
  await run('/usr/bin/python3', [program, String(port), String(requests), log])
  return (await readFile(log, 'utf8')).trimEnd().split('\n')
}
