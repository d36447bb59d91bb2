import { spawn } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../capture/native-addon.js'
import * as servers from './demo-servers.js'
import { freePorts } from './free-ports.js'
import { createRunFolder, type RunFolder, removeLeftovers } from './run-folder.js'
import { type ServerProcess, type ServerSpec, startServer, userNamed } from './server-process.js'

export interface DemoSystemOptions {
  /** A temporary directory; the run's folder is made in it. */
  readonly parent: string
  readonly worker: servers.WorkerSettings
  /** Told of every server that is up. */
  readonly progress: (text: string) => void
  readonly signal?: AbortSignal
}

/** nginx, two Python services, a worker, a database, a broker and two caches, all running on loopback. */
export interface DemoSystem {
  readonly folder: string
  readonly ports: servers.DemoPorts
  /** Where the services write what they know (see truth.py). */
  readonly truthFolder: string
  readonly running: readonly ServerProcess[]
  /** Stops every server and removes the folder; may be called again. */
  stop(): Promise<void>
}

async function choosePorts(): Promise<servers.DemoPorts> {
  const names = ['nginx', 'web', 'stock', 'mysql', 'redis', 'memcached', 'amqp', 'epmd', 'erlang'] as const
  const ports = await freePorts(names.length, process.pid * 16)
  return Object.fromEntries(names.map((name, index) => [name, ports[index]!])) as Record<(typeof names)[number], number>
}

function fillTemplate(from: string, to: string, values: Readonly<Record<string, string | number>>): void {
  const text = readFileSync(from, 'utf8').replace(/@([A-Z_]+)@/g, (mark, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`demo: ${from} has an unknown mark ${mark}`)
    return `${value}`
  })
  writeFileSync(to, text, { mode: 0o644 })
}

function give(path: string, user: string, mode: number): void {
  mkdirSync(path, { recursive: true })
  const owner = process.getuid?.() === 0 ? userNamed(user) : undefined
  if (owner !== undefined) chownSync(path, owner.uid, owner.gid)
  chmodSync(path, mode)
}

function configure(path: string, ports: servers.DemoPorts): void {
  const source = join(packageRoot(), 'src', 'demo', 'services')
  const etc = join(path, 'etc')
  const values = {
    FOLDER: path,
    NGINX_PORT: ports.nginx,
    WEB_PORT: ports.web,
    MYSQL_PORT: ports.mysql,
    AMQP_PORT: ports.amqp,
  }
  for (const name of ['nginx.conf', 'my.cnf', 'rabbitmq.conf']) {
    fillTemplate(join(source, `${name}.template`), join(etc, name), values)
  }
  writeFileSync(join(etc, 'rabbitmq-env.conf'), '')
  writeFileSync(join(etc, 'rabbitmq-plugins'), '[].\n')
  cpSync(join(source, 'schema.sql'), join(etc, 'schema.sql'))
  // Copied, since the services' user may not be allowed into the folder that the package lies in.
  mkdirSync(join(etc, 'services'))
  for (const name of ['truth', 'clients', 'received', 'web', 'stock', 'worker']) {
    const target = join(etc, 'services', `${name}.py`)
    cpSync(join(source, `${name}.py`), target)
    chmodSync(target, 0o644)
  }
  for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'])
    mkdirSync(join(path, 'data', 'nginx', name), { recursive: true })
  give(join(path, 'data', 'mysql'), 'mysql', 0o750)
  give(join(path, 'run', 'mysql'), 'mysql', 0o755)
  give(join(path, 'data', 'redis'), 'redis', 0o750)
  give(join(path, 'data', 'rabbitmq'), 'rabbitmq', 0o750)
  give(join(path, 'truth'), 'www-data', 0o755)
  chmodSync(join(path, 'run'), 0o1777)
}

function createDatabase(path: string, signal: AbortSignal | undefined): Promise<void> {
  const where = [`--datadir=${join(path, 'data', 'mysql')}`]
  const user = process.getuid?.() === 0 ? ['--user=mysql'] : []
  const how = ['--no-defaults', '--skip-test-db', '--auth-root-authentication-method=socket']
  return new Promise((resolve, reject) => {
    const child = spawn('/usr/bin/mariadb-install-db', [how[0]!, ...user, ...where, ...how.slice(1)], {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal && { signal }),
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()))
    child.once('error', reject)
    child.once('close', code => {
      if (code === 0) resolve()
      else reject(new Error(`demo: mariadb-install-db failed:\n${output.trimEnd().split('\n').slice(-12).join('\n')}`))
    })
  })
}

/** The worker says when its consumers have been started; the broker knows them a moment later. */
async function workerConsumes(path: string): Promise<boolean> {
  return readFileSync(join(path, 'log', 'worker.log'), 'utf8').includes('worker: consuming')
}

async function startAll(
  options: DemoSystemOptions,
  folder: RunFolder,
  ports: servers.DemoPorts,
  running: ServerProcess[],
) {
  const { path } = folder
  const start = async (spec: ServerSpec) => {
    const since = performance.now()
    running.push(await startServer(folder, spec, options.signal))
    options.progress(`${spec.name} is up (${((performance.now() - since) / 1000).toFixed(1)} s)`)
  }
  const broker = async () => {
    await start(servers.epmdServer(path, ports))
    await start(servers.rabbitmqServer(path, ports))
  }
  const database = async () => {
    await createDatabase(path, options.signal)
    await start(servers.mariadbServer(path, ports))
  }
  await settled([
    broker(),
    database(),
    start(servers.memcachedServer(path, ports)),
    start(servers.redisServer(path, ports)),
    start(servers.nginxServer(path, ports)),
  ])
  await settled([start(servers.stockServer(path, ports)), start(servers.webServer(path, ports))])
  await start(servers.workerProcess(path, ports, options.worker, () => workerConsumes(path)))
}

/** Waits for all of them even when one fails, so that whatever was started is known and can be stopped. */
async function settled(all: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(all)
  const failed = results.find(result => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

const CALLERS = new Set(['nginx', 'web', 'stock', 'worker'])

/** Callers before what they call, so that nobody meets a closed door on the way down. */
async function stopInOrder(running: readonly ServerProcess[]): Promise<void> {
  await Promise.all(running.filter(each => CALLERS.has(each.name)).map(each => each.stop()))
  await Promise.all(running.filter(each => !CALLERS.has(each.name)).map(each => each.stop()))
}

/**
 * Starts the whole system in a folder and on ports of its own, after cleaning away what a killed run left behind.
 * @throws Error when a server does not come up; everything that did has been stopped then
 */
export async function startDemoSystem(options: DemoSystemOptions): Promise<DemoSystem> {
  for (const path of await removeLeftovers(options.parent)) {
    options.progress(`cleaned up after an earlier run that had been killed: ${path}`)
  }
  const folder = createRunFolder(options.parent)
  const running: ServerProcess[] = []
  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= stopInOrder(running).then(() => folder.remove())
    return stopping
  }
  try {
    const ports = await choosePorts()
    configure(folder.path, ports)
    await startAll(options, folder, ports, running)
    return { folder: folder.path, ports, truthFolder: join(folder.path, 'truth'), running, stop }
  } catch (problem) {
    await stop()
    throw problem
  }
}
