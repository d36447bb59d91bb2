import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { accepts, freePort, startInFolder, startServerProcess } from './server-process.js'

export interface RabbitmqServer {
  readonly port: number
  stop(): Promise<void>
}

/** A RabbitMQ node of its own, with its own name service: temporary folder, free ports of loopback, user guest. */
export function startRabbitmq(): Promise<RabbitmqServer> {
  return startInFolder('rabbitmq', startIn)
}

async function startIn(folder: string): Promise<RabbitmqServer> {
  const port = await freePort()
  const epmdPort = await freePort()
  const path = (name: string): string => join(folder, name)
  await mkdir(path('log'))
  await writeFile(
    path('rabbitmq.conf'),
    `listeners.tcp.default = 127.0.0.1:${port}\nlog.console = true\nlog.file = false\n`,
  )
  await writeFile(path('env.conf'), '')
  await writeFile(path('plugins'), '[].\n')
  const epmd = await startServerProcess({
    command: '/usr/bin/epmd',
    args: ['-address', '127.0.0.1', '-port', String(epmdPort)],
    cwd: folder,
    ready: () => accepts(epmdPort),
  })
  try {
    const server = await startServerProcess({
      command: '/usr/lib/rabbitmq/bin/rabbitmq-server',
      args: [],
      cwd: folder,
      env: {
        HOME: folder,
        ERL_EPMD_ADDRESS: '127.0.0.1',
        ERL_EPMD_PORT: String(epmdPort),
        RABBITMQ_NODENAME: `ghostspan${port}@localhost`,
        RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
        RABBITMQ_DIST_PORT: String(await freePort()),
        RABBITMQ_MNESIA_BASE: path('mnesia'),
        RABBITMQ_LOG_BASE: path('log'),
        RABBITMQ_CONFIG_FILE: path('rabbitmq.conf'),
        RABBITMQ_CONF_ENV_FILE: path('env.conf'),
        RABBITMQ_ENABLED_PLUGINS_FILE: path('plugins'),
        RABBITMQ_PID_FILE: path('rabbit.pid'),
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
      },
      ready: () => accepts(port),
      readyMillis: 180_000,
    })
    return {
      port,
      stop: async () => {
        await server.stop()
        await epmd.stop()
      },
    }
  } catch (error) {
    await epmd.stop()
    throw error
  }
}
