import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { accepts, freePort, startServerProcess } from './server-process.js'

export interface MariadbServer {
  readonly port: number
  readonly socket: string
  stop(): Promise<void>
}

const run = promisify(execFile)

/** A MariaDB of its own: data in a temporary folder, a free port of loopback, root without a password. */
export async function startMariadb(): Promise<MariadbServer> {
  const folder = await mkdtemp(join(tmpdir(), 'ghostspan-mariadb-'))
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  const user = `--user=${userInfo().username}`
  const data = `--datadir=${join(folder, 'data')}`
  try {
    const install = ['--no-defaults', user, data, '--auth-root-authentication-method=normal', '--skip-test-db']
    await run('mariadb-install-db', install)
    const port = await freePort()
    const socket = join(folder, 'socket')
    const server = await startServerProcess({
      command: '/usr/sbin/mariadbd',
      args: [
        '--no-defaults',
        user,
        data,
        `--port=${port}`,
        `--socket=${socket}`,
        `--pid-file=${join(folder, 'pid')}`,
        '--bind-address=127.0.0.1',
        '--skip-name-resolve',
        '--innodb-buffer-pool-size=16M',
        '--local-infile=1',
        '--max-allowed-packet=64M',
      ],
      cwd: folder,
      ready: () => accepts(port),
    })
    return {
      port,
      socket,
      stop: async () => {
        await server.stop()
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}
