import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { chown } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Requirement } from './requirements.js'
import { freePort, startInFolder, startServerProcess } from './server-process.js'

export interface PostgresqlServer {
  readonly port: number
  /** Folder of its Unix socket. */
  readonly socketFolder: string
  stop(): Promise<void>
}

const run = promisify(execFile)
/** Debian keeps each version's programs apart. */
const VERSIONS = '/usr/lib/postgresql'
/** The server refuses to run as root. */
const USER = 'postgres'

function programs(): string | undefined {
  if (!existsSync(VERSIONS)) return undefined
  const versions = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a))
  return versions.map(version => join(VERSIONS, version, 'bin')).find(folder => existsSync(join(folder, 'postgres')))
}

export const postgresqlServer: Requirement = { what: "Debian's PostgreSQL server", met: () => programs() !== undefined }

/** One of PostgreSQL's programs that are not in PATH: pgbench. */
export const postgresqlProgram = (name: string): string => join(programs() ?? VERSIONS, name)

/** A PostgreSQL of its own: data in a temporary folder, a free port of loopback, everybody is trusted. */
export function startPostgresql(): Promise<PostgresqlServer> {
  const isRoot = process.getuid?.() === 0
  const as = (command: string, args: readonly string[]): [string, string[]] =>
    isRoot ? ['/usr/sbin/runuser', ['-u', USER, '--', command, ...args]] : [command, [...args]]
  return startInFolder('postgresql', async folder => {
    if (isRoot) {
      const id = (flag: string): number => Number(execFileSync('id', [flag, USER], { encoding: 'utf8' }))
      await chown(folder, id('-u'), id('-g'))
    }
    const data = join(folder, 'data')
    const initialise = ['-D', data, '-U', USER, '-A', 'trust', '-N', '--no-instructions', '-E', 'UTF8', '--locale=C']
    await run(...as(postgresqlProgram('initdb'), initialise), { cwd: folder })
    const port = await freePort()
    const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, 'fsync=off']
    const [command, args] = as(postgresqlProgram('postgres'), [
      '-D',
      data,
      ...settings.flatMap(setting => ['-c', setting]),
    ])
    const isReady = ['-h', '127.0.0.1', '-p', String(port), '-q']
    const { stop } = await startServerProcess({
      command,
      args,
      cwd: folder,
      ready: () =>
        run(postgresqlProgram('pg_isready'), isReady).then(
          () => true,
          () => false,
        ),
    })
    return {
      port,
      socketFolder: folder,
      stop,
    }
  })
}
