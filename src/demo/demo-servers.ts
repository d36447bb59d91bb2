import { join } from 'node:path'
import type { ServerSpec } from './server-process.js'
import { accepts } from './wait-for.js'

/** TCP ports of 127.0.0.1 that one run of the demo uses. */
export interface DemoPorts {
  readonly nginx: number
  readonly web: number
  readonly stock: number
  readonly mysql: number
  readonly redis: number
  readonly memcached: number
  readonly amqp: number
  readonly epmd: number
  readonly erlang: number
}

export interface WorkerSettings {
  /** Threads of the worker process that consume, each on a connection of its own. */
  readonly consumers: number
  /** Unacknowledged messages that the broker lets each of them have. */
  readonly prefetch: number
}

const PYTHON = '/usr/bin/python3'

const simple = (path: string, port: number) => ({
  cwd: path,
  ready: () => accepts(port),
  readyMillis: 30_000,
  patienceMillis: 2_000,
})

export function memcachedServer(path: string, ports: DemoPorts): ServerSpec {
  const args = ['-l', '127.0.0.1', '-p', `${ports.memcached}`, '-U', '0', '-m', '32', '-t', '2']
  return {
    ...simple(path, ports.memcached),
    name: 'memcached',
    command: '/usr/bin/memcached',
    args,
    user: 'memcache',
  }
}

export function redisServer(path: string, ports: DemoPorts): ServerSpec {
  const where = ['--bind', '127.0.0.1', '--port', `${ports.redis}`, '--dir', join(path, 'data', 'redis')]
  const args = [...where, '--save', '', '--appendonly', 'no', '--daemonize', 'no']
  return { ...simple(path, ports.redis), name: 'redis', command: '/usr/bin/redis-server', args, user: 'redis' }
}

export function mariadbServer(path: string, ports: DemoPorts): ServerSpec {
  const args = [`--defaults-file=${join(path, 'etc', 'my.cnf')}`]
  return {
    ...simple(join(path, 'data'), ports.mysql),
    name: 'mariadb',
    command: '/usr/sbin/mariadbd',
    args,
    user: 'mysql',
    readyMillis: 60_000,
  }
}

export function epmdServer(path: string, ports: DemoPorts): ServerSpec {
  const args = ['-address', '127.0.0.1', '-port', `${ports.epmd}`]
  return { ...simple(path, ports.epmd), name: 'epmd', command: '/usr/bin/epmd', args, user: 'rabbitmq' }
}

/** A private node: cookie, name server and listeners of its own. */
export function rabbitmqServer(path: string, ports: DemoPorts): ServerSpec {
  const data = join(path, 'data', 'rabbitmq')
  return {
    ...simple(data, ports.amqp),
    name: 'rabbitmq',
    command: '/usr/lib/rabbitmq/bin/rabbitmq-server',
    args: [],
    user: 'rabbitmq',
    readyMillis: 90_000,
    patienceMillis: 300,
    env: {
      HOME: data,
      ERL_EPMD_ADDRESS: '127.0.0.1',
      ERL_EPMD_PORT: `${ports.epmd}`,
      RABBITMQ_NODENAME: `ghostspan-demo-${ports.amqp}@localhost`,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_DIST_PORT: `${ports.erlang}`,
      RABBITMQ_MNESIA_BASE: join(data, 'mnesia'),
      RABBITMQ_LOG_BASE: data,
      RABBITMQ_CONFIG_FILE: join(path, 'etc', 'rabbitmq.conf'),
      RABBITMQ_CONF_ENV_FILE: join(path, 'etc', 'rabbitmq-env.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(path, 'etc', 'rabbitmq-plugins'),
      RABBITMQ_PID_FILE: join(data, 'rabbit.pid'),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +S 2:2',
    },
  }
}

function pythonEnvironment(path: string, ports: DemoPorts, service: string): Record<string, string> {
  return {
    DEMO_SERVICE: service,
    DEMO_TRUTH: join(path, 'truth'),
    DEMO_MYSQL_PORT: `${ports.mysql}`,
    DEMO_REDIS_PORT: `${ports.redis}`,
    DEMO_MEMCACHED_PORT: `${ports.memcached}`,
    DEMO_AMQP_PORT: `${ports.amqp}`,
    DEMO_STOCK_PORT: `${ports.stock}`,
  }
}

async function answersHealth(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health`, { headers: { connection: 'close' } })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}

function gunicornServer(path: string, ports: DemoPorts, name: 'web' | 'stock', workers: number): ServerSpec {
  const port = ports[name]
  // Kept alive for longer than nginx and the clients keep their ends, so that no request meets a closing connection.
  const threads = ['--worker-class', 'gthread', '--workers', `${workers}`, '--threads', '8', '--keep-alive', '120']
  const place = ['--bind', `127.0.0.1:${port}`, '--worker-tmp-dir', join(path, 'run'), '--graceful-timeout', '1']
  return {
    name,
    command: PYTHON,
    args: ['/usr/bin/gunicorn', ...threads, ...place, '--name', name, `${name}:application`],
    user: 'www-data',
    cwd: join(path, 'etc', 'services'),
    env: pythonEnvironment(path, ports, name),
    ready: () => answersHealth(port),
    readyMillis: 60_000,
    patienceMillis: 3_000,
  }
}

export const stockServer = (path: string, ports: DemoPorts) => gunicornServer(path, ports, 'stock', 1)
export const webServer = (path: string, ports: DemoPorts) => gunicornServer(path, ports, 'web', 2)

/** @param consuming tells whether the broker has given the worker its queue */
export function workerProcess(
  path: string,
  ports: DemoPorts,
  settings: WorkerSettings,
  consuming: () => Promise<boolean>,
): ServerSpec {
  return {
    name: 'worker',
    command: PYTHON,
    args: [join(path, 'etc', 'services', 'worker.py')],
    user: 'www-data',
    cwd: path,
    env: {
      ...pythonEnvironment(path, ports, 'worker'),
      DEMO_CONSUMERS: `${settings.consumers}`,
      DEMO_PREFETCH: `${settings.prefetch}`,
    },
    ready: consuming,
    readyMillis: 60_000,
    patienceMillis: 1_000,
  }
}

export function nginxServer(path: string, ports: DemoPorts): ServerSpec {
  const error = join(path, 'log', 'nginx-error.log')
  return {
    ...simple(path, ports.nginx),
    name: 'nginx',
    command: '/usr/sbin/nginx',
    args: ['-e', error, '-c', join(path, 'etc', 'nginx.conf')],
  }
}
