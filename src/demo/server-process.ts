import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive, type ProcessIdentity, processIdentity } from '../process-identity.js'
import { endProcesses, type RunFolder } from './run-folder.js'
import { sessionMembers } from './session-members.js'
import { waitFor } from './wait-for.js'

export interface ServerSpec {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** The Debian user it runs as when we are root; otherwise it runs as we do. */
  readonly user?: string
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly ready: () => Promise<boolean>
  readonly readyMillis: number
  /** How long it may take to end by itself before it is killed. Its data is thrown away: no need to be patient. */
  readonly patienceMillis: number
}

export interface ServerProcess {
  readonly name: string
  readonly identity: ProcessIdentity
  stop(): Promise<void>
}

export interface UserIdentity {
  readonly uid: number
  readonly gid: number
}

/** The user's numbers from /etc/passwd; undefined if there is no such user. */
export function userNamed(name: string): UserIdentity | undefined {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const fields = line.split(':')
    if (fields[0] === name) return { uid: Number(fields[2]), gid: Number(fields[3]) }
  }
  return undefined
}

/** The end of a server's log, for an error message. */
function logTail(path: string): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-12).join('\n')
}

/** What servers get to see of our environment: nothing that a user's shell may have set. */
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', PYTHONDONTWRITEBYTECODE: '1' }

function launch(folder: RunFolder, spec: ServerSpec, log: string): Promise<number> {
  const identity = process.getuid?.() === 0 && spec.user !== undefined ? userNamed(spec.user) : undefined
  if (process.getuid?.() === 0 && spec.user !== undefined && identity === undefined) {
    throw new Error(`demo: cannot start ${spec.name}: there is no user ${spec.user}; is its Debian package installed?`)
  }
  const output = openSync(log, 'a')
  return new Promise<number>((resolve, reject) => {
    const child = spawn(spec.command, spec.args, {
      cwd: spec.cwd,
      env: { ...ENVIRONMENT, HOME: folder.path, ...spec.env },
      // A session of its own: Ctrl-C reaches us only, and we stop the servers in order.
      detached: true,
      stdio: ['ignore', output, output],
      ...identity,
    })
    child.once('error', problem => reject(new Error(`demo: cannot start ${spec.name}: ${problem.message}`)))
    child.once('spawn', () => resolve(child.pid!))
    child.unref()
  }).finally(() => closeSync(output))
}

/**
 * Starts a server in the run's folder and waits until it is ready.
 * @throws Error with the end of its log when it does not start, ends, or is not ready in time
 */
export async function startServer(folder: RunFolder, spec: ServerSpec, signal?: AbortSignal): Promise<ServerProcess> {
  const log = join(folder.path, 'log', `${spec.name}.log`)
  const pid = await launch(folder, spec, log)
  const identity = processIdentity(pid)
  if (identity === undefined) throw new Error(`demo: ${spec.name} ended at once:\n${logTail(log)}`)
  folder.note(spec.name, identity)
  const stop = async () => {
    await endProcesses([identity, ...sessionMembers(identity)], spec.patienceMillis)
    folder.forget(spec.name)
  }
  const settled = async () => !isAlive(identity) || (await spec.ready())
  const inTime = await waitFor(settled, spec.readyMillis, signal)
  if (!inTime || !isAlive(identity) || signal?.aborted) {
    const why = isAlive(identity) ? `was not ready within ${spec.readyMillis / 1000} s` : 'ended'
    await stop()
    signal?.throwIfAborted()
    throw new Error(`demo: ${spec.name} ${why}:\n${logTail(log)}`)
  }
  folder.note(spec.name, identity)
  return { name: spec.name, identity, stop }
}
