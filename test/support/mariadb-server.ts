import { execFile } from 'node:child_process'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { accepts, freePort, startInFolder, startServerProcess } from './server-process.js'

export interface MariadbServer {
  readonly port: number
  readonly socket: string
  stop(): Promise<void>
}

const run = promisify(execFile)

/** A MariaDB of its own: data in a temporary folder, a free port of loopback, root without a password. */
export function startMariadb(): Promise<MariadbServer> {
  return startInFolder('mariadb', async folder => {
    const user = `--user=${userInfo().username}`
    const data = `--datadir=${join(folder, 'data')}`
    const install = ['--no-defaults', user, data, '--auth-root-authentication-method=normal', '--skip-test-db']
    await run('mariadb-install-db', install)
    const port = await freePort()
    const socket = join(folder, 'socket')
    const { stop } = await startServerProcess({
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
      stop,
    }
  })
}
