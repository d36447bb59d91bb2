import { type ChildProcess, fork } from 'node:child_process'
import { chmodSync, mkdirSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TcpOptions } from './server/http-front.js'
import type { FromChild, ToChild } from './server/messages.js'

export interface EmbeddedServerOptions {
  /** Holds `engine`, `payloads` and `engine.xml`; created owner-only. */
  readonly directory: string
  readonly socketPath: string
  readonly tcp?: TcpOptions
  /** Called with each line worth a person's attention: the child died, was started again. */
  readonly warn?: (message: string) => void
  /** Called each time the child is ready, restarts included. */
  readonly onReady?: (server: { pid: number; port: number | undefined }) => void
  /** Longest wait for the first start. Default 60,000 ms: a cold disk has 566 MB of library to read. */
  readonly startMillis?: number
}

/** A running child that serves ClickHouse's HTTP interface. Started again, with back-off, when it dies. */
export interface EmbeddedServer {
  readonly socketPath: string
  /** The loopback port, if one was asked for. */
  readonly port: () => number | undefined
  /** Undefined between a death and the next start. */
  readonly pid: () => number | undefined
  readonly restarts: () => number
  /** Lets running requests end for `graceMillis` (default 5,000), then ends the child. */
  stop(graceMillis?: number): Promise<void>
}

/** Why the embedded server did not start. */
export class EmbeddedServerError extends Error {
  readonly reason: 'missing' | 'locked' | 'failed'
  /** The process that holds the directory, if it is known. */
  readonly holder: number | undefined

  constructor(reason: 'missing' | 'locked' | 'failed', message: string, holder: number | undefined) {
    super(message)
    this.reason = reason
    this.holder = holder
  }
}

const FIRST_BACKOFF_MILLIS = 250
const LONGEST_BACKOFF_MILLIS = 10_000
const HEALTHY_MILLIS = 60_000

interface Running {
  readonly child: ChildProcess
  readonly pid: number
  readonly port: number | undefined
  readonly exited: Promise<void>
}

/** Starts the child and waits until it answers. Throws EmbeddedServerError. */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  mkdirSync(options.directory, { recursive: true, mode: 0o700 })
  mkdirSync(dirname(options.socketPath), { recursive: true, mode: 0o700 })
  chmodSync(dirname(options.socketPath), 0o700)
  const warn = options.warn ?? (() => {})
  let running: Running | undefined = await startChild(options, options.tcp)
  // The port that was found the first time is kept: readers are configured with it.
  const tcp = options.tcp === undefined ? undefined : { ...options.tcp, port: running.port ?? options.tcp.port }
  let restarts = 0
  let stopping = false
  let timer: NodeJS.Timeout | undefined
  let starting: Promise<void> = Promise.resolve()

  const watch = (current: Running): void => {
    options.onReady?.({ pid: current.pid, port: current.port })
    const since = Date.now()
    void current.exited.then(() => {
      running = undefined
      if (stopping) return
      warn(`archive: the embedded ClickHouse (pid ${current.pid}) ended unexpectedly; starting it again`)
      restartIn(Date.now() - since > HEALTHY_MILLIS ? 0 : FIRST_BACKOFF_MILLIS)
    })
  }
  const restartIn = (millis: number): void => {
    timer = setTimeout(() => {
      starting = startChild(options, tcp).then(
        started => {
          restarts++
          running = started
          if (stopping) started.child.kill('SIGKILL')
          watch(started)
        },
        (error: Error) => {
          if (stopping) return
          const next = Math.min(LONGEST_BACKOFF_MILLIS, Math.max(FIRST_BACKOFF_MILLIS, millis * 2))
          warn(`archive: the embedded ClickHouse did not start (${error.message}); next try in ${next} ms`)
          restartIn(next)
        },
      )
    }, millis)
  }
  watch(running)
  return {
    socketPath: options.socketPath,
    port: () => running?.port ?? tcp?.port,
    pid: () => running?.pid,
    restarts: () => restarts,
    stop: async (graceMillis = 5000) => {
      stopping = true
      clearTimeout(timer)
      await starting
      if (running !== undefined) await stopChild(running, graceMillis)
    },
  }
}

function startChild(options: EmbeddedServerOptions, tcp: TcpOptions | undefined): Promise<Running> {
  const self = fileURLToPath(import.meta.url)
  const child = fork(join(dirname(self), 'server', `child${extname(self)}`), [], {
    // Nothing of our own environment: it may hold tokens, and the engine's time zone must be a server's.
    env: { TZ: 'UTC', UV_THREADPOOL_SIZE: '16' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let stderr = ''
  child.stderr!.setEncoding('utf8')
  child.stderr!.on('data', (text: string) => {
    stderr = (stderr + text).slice(-4000)
  })
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
  return new Promise((resolve, reject) => {
    const fail = (reason: 'missing' | 'locked' | 'failed', message: string, holder?: number): void => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      // Only when it is gone is the directory free for the next try.
      void exited.then(() => reject(new EmbeddedServerError(reason, message, holder)))
    }
    const startMillis = options.startMillis ?? 60_000
    const timer = setTimeout(
      () => fail('failed', `no answer within ${startMillis} ms. ${lastLine(stderr)}`),
      startMillis,
    )
    child.once('error', error => fail('failed', error.message))
    void exited.then(() => fail('failed', `the process ended at its start. ${lastLine(stderr)}`))
    child.on('message', (message: FromChild) => {
      if (message.kind === 'failed') {
        const locked = message.reason === 'locked' && !/Code: (?!76)\d+/.test(stderr)
        const why = message.reason === 'locked' ? lastLine(stderr) : ''
        fail(
          locked ? 'locked' : message.reason === 'locked' ? 'failed' : message.reason,
          `${message.message} ${why}`.trim(),
          message.holder,
        )
        return
      }
      clearTimeout(timer)
      resolve({ child, pid: child.pid!, port: message.port, exited })
    })
    send(child, {
      kind: 'start',
      engineDirectory: join(options.directory, 'engine'),
      payloadDirectory: join(options.directory, 'payloads'),
      configFile: join(options.directory, 'engine.xml'),
      socketPath: options.socketPath,
      tcp,
    })
  })
}

async function stopChild(running: Running, graceMillis: number): Promise<void> {
  send(running.child, { kind: 'stop', graceMillis })
  const timer = setTimeout(() => running.child.kill('SIGKILL'), graceMillis + 10_000)
  await running.exited
  clearTimeout(timer)
}

function send(child: ChildProcess, message: ToChild): void {
  // A child that is already gone is seen by its exit.
  if (child.connected) child.send(message, () => {})
}

function lastLine(text: string): string {
  const line = text
    .trim()
    .split('\n')
    .findLast(candidate => /Code: \d+|Error/.test(candidate))
  return (line ?? '').slice(0, 500)
}
