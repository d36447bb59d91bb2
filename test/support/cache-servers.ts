import { accepts, freePort, startInFolder, startServerProcess } from './server-process.js'

export interface CacheServer {
  readonly port: number
  stop(): Promise<void>
}

function start(command: string, args: (port: number, folder: string) => string[]): Promise<CacheServer> {
  return startInFolder('cache', async folder => {
    const port = await freePort()
    const options = { command, args: args(port, folder), cwd: folder, ready: () => accepts(port) }
    const { stop } = await startServerProcess(options)
    return { port, stop }
  })
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
