import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive, type ProcessIdentity, processIdentity } from '../process-identity.js'
import { sessionMembers, signal } from './session-members.js'
import { waitFor } from './wait-for.js'

const PREFIX = 'ghostspan-demo-'
const OWNER = 'owner'

/**
 * One run's folder: everything that its servers write, and who they are. It names its owner, so that what a killed
 * run has left behind is found and cleaned away by the next one.
 */
export interface RunFolder {
  readonly path: string
  /** Notes that a server runs, with all processes of its session; called again when there may be more of them. */
  note(name: string, server: ProcessIdentity): void
  forget(name: string): void
  remove(): void
}

function serialise(processes: readonly ProcessIdentity[]): string {
  return processes.map(each => `${each.pid} ${each.start}\n`).join('')
}

function parse(text: string): ProcessIdentity[] {
  return text
    .split('\n')
    .map(line => line.split(' '))
    .filter(parts => parts.length === 2 && /^[1-9]\d*$/.test(parts[0]!))
    .map(([pid, start]) => ({ pid: Number(pid), start: start! }))
}

function readIdentities(path: string): ProcessIdentity[] {
  try {
    return parse(readFileSync(path, 'latin1'))
  } catch {
    return []
  }
}

/** Creates a folder of this process's own under `parent` (a temporary directory). */
export function createRunFolder(parent: string): RunFolder {
  const path = mkdtempSync(join(parent, PREFIX))
  // The servers run as users of their own and have to get in.
  chmodSync(path, 0o755)
  for (const name of ['etc', 'run', 'log', 'data', 'truth', 'pids']) mkdirSync(join(path, name))
  writeFileSync(join(path, OWNER), serialise([processIdentity(process.pid)!]))
  return {
    path,
    note: (name, server) => writeFileSync(join(path, 'pids', name), serialise([server, ...sessionMembers(server)])),
    forget: name => rmSync(join(path, 'pids', name), { force: true }),
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}

/** Ends all the processes: asks, waits, then kills. */
export async function endProcesses(processes: readonly ProcessIdentity[], patienceMillis: number): Promise<void> {
  for (const each of processes) signal(each, 'SIGTERM')
  if (await waitFor(() => !processes.some(isAlive), patienceMillis)) return
  for (const each of processes) signal(each, 'SIGKILL')
  await waitFor(() => !processes.some(isAlive), 5_000)
}

/**
 * Stops the servers and deletes the folders of earlier runs whose owner is dead. Folders of other users, and of runs
 * that still go on, are left alone.
 * @returns the folders that were removed
 */
export async function removeLeftovers(parent: string): Promise<string[]> {
  const removed: string[] = []
  for (const name of readdirSync(parent).filter(each => each.startsWith(PREFIX))) {
    const path = join(parent, name)
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (!stat?.isDirectory() || stat.uid !== process.getuid?.()) continue
    const owners = readIdentities(join(path, OWNER))
    if (owners.length === 0 || owners.some(isAlive)) continue
    const servers = readdirSync(join(path, 'pids')).flatMap(each => readIdentities(join(path, 'pids', each)))
    const running = servers.flatMap(each => [each, ...sessionMembers(each)])
    await endProcesses(running, 3_000)
    rmSync(path, { recursive: true, force: true })
    removed.push(path)
  }
  return removed
}
