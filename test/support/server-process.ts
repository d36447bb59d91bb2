import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A port of the loopback interface that nobody uses now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export interface ServerProcess {
  readonly pid: number
  /** Asks it and its children to end, insists after a while, and waits until they have. */
  stop(): Promise<void>
}

export interface ServerProcessOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
  /** Resolves true once the server can be used. */
  readonly ready: () => Promise<boolean>
  readonly readyMillis?: number
}

/** Those that run: none outlives us, whatever we end of. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) signalGroup(child, 'SIGKILL')
})

/** Starts a real server for a test, in a process group of its own. */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-4000)
    })
  }
  await Promise.race([once(child, 'spawn'), once(child, 'error').then(([error]) => Promise.reject(error as Error))])
  running.add(child)
  child.once('exit', () => running.delete(child))
  const server: ServerProcess = { pid: child.pid!, stop: () => stop(child) }
  const limit = Date.now() + (options.readyMillis ?? 120_000)
  while (!(await options.ready())) {
    if (child.exitCode !== null || Date.now() > limit) {
      await server.stop()
      throw new Error(`${options.command} did not become ready; its last words:\n${output}`)
    }
    await sleep(100)
  }
  return server
}

/** Starts servers that keep everything in a temporary folder, which goes with them, or when they cannot be started. */
export async function startInFolder<Server extends Pick<ServerProcess, 'stop'>>(
  name: string,
  start: (folder: string) => Promise<Server>,
): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), `ghostspan-${name}-`))
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    const server = await start(folder)
    return {
      ...server,
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

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  signalGroup(child, 'SIGTERM')
  const insist = setTimeout(() => signalGroup(child, 'SIGKILL'), 15_000)
  await gone
  clearTimeout(insist)
  // Children of a shell that has ended.
  signalGroup(child, 'SIGKILL')
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, signal)
  } catch {
    // The group is empty: all have ended.
  }
}

/** Whether something accepts connections there. */
export async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
