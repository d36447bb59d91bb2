import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accepts, freePort, startServerProcess } from './server-process.js'

export interface CacheServer {
  readonly port: number
  stop(): Promise<void>
}

async function start(command: string, args: (port: number, folder: string) => string[]): Promise<CacheServer> {
  const folder = await mkdtemp(join(tmpdir(), 'ghostspan-cache-'))
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    const port = await freePort()
    const server = await startServerProcess({
      command,
      args: args(port, folder),
      cwd: folder,
      ready: () => accepts(port),
    })
    return {
      port,
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

/** A Redis of its own on a free port of loopback, without persistence, DEBUG allowed. */
export const startRedis = (): Promise<CacheServer> =>
  start('/usr/bin/redis-server', (port, folder) => [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
    ...['--save', '', '--appendonly', 'no', '--enable-debug-command', 'yes'],
  ])

/** A memcached of its own on a free port of loopback. */
export const startMemcached = (): Promise<CacheServer> =>
  start('/usr/bin/memcached', port => [
    ...['-l', '127.0.0.1', '-p', String(port), '-U', '0', '-m', '64'],
    ...(process.getuid?.() === 0 ? ['-u', 'nobody'] : []),
  ])
