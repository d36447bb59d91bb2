import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../../src/demo/free-ports.js'
import { waitFor } from '../../src/demo/wait-for.js'
import { cpuMillisOf, familyOf, rssMiBOf } from './process-usage.js'

export interface DaemonOptions {
  /** Executables that are traced, as globs; nothing else is. */
  readonly executables: readonly string[]
  /** Further rules of the selection, as in a settings file: `{ action: include, user: nova }`. */
  readonly rules?: readonly string[]
  readonly archive: boolean
  /** Of the embedded archive; stays when the daemon goes. Default: one of its own, which goes with it. */
  readonly dataDirectory?: string
}

export interface DaemonStatus {
  readonly events: number
  readonly lostEvents: number
  readonly spans: number
  readonly traces: number
}

/** `ghostspan run` as a user would run it, in a process of its own, exporting over OTLP/gRPC to a receiver beside it. */
export interface Daemon {
  readonly pid: number
  status(): Promise<DaemonStatus>
  /** CPU of the daemon and its children so far, ms; the receiver's is not ours. */
  cpuMillis(): number
  /** Resident memory of the daemon without the archive's engine, MiB. */
  rssMiB(): number
  /** Of the embedded archive; gone after `stop` unless it was given. */
  readonly dataDirectory: string
  /** SIGKILL: nothing is delivered. */
  kill(): Promise<void>
  stop(): Promise<void>
}

export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { executables, archive, rules = [] } = options
  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-bench-'))
  const dataDirectory = options.dataDirectory ?? join(folder, 'data')
  const [health] = await freePorts(1, process.pid)
  const receiver = await startReceiver()
  const allRules = [...executables.map(executable => `{ action: include, executable: "${executable}" }`), ...rules]
  const config = join(folder, 'ghostspan.yaml')
  writeFileSync(config, configuration(allRules, archive, health!, receiver.port, dataDirectory))
  const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
  const child = spawn(process.execPath, [...process.execArgv, main, 'run', '--config', config, '--print', 'none'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-4_000)))
  const ready = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`ghostspan run ended:\n${log}`)
    return await fetch(`http://127.0.0.1:${health}/readyz`).then(
      response => response.ok,
      () => false,
    )
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    await ended(child, signal)
    receiver.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  if (!(await waitFor(ready, 60_000))) {
    await end('SIGTERM')
    throw new Error(`ghostspan run was not ready within 60 s:\n${log}`)
  }
  return {
    pid: child.pid!,
    status: async () => {
      const { pipeline } = (await (await fetch(`http://127.0.0.1:${health}/status`)).json()) as {
        pipeline: DaemonStatus
      }
      return pipeline
    },
    cpuMillis: () => cpuMillisOf(familyOf(child.pid!)),
    rssMiB: () => rssMiBOf(child.pid!),
    dataDirectory,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}

function configuration(
  selected: readonly string[],
  archive: boolean,
  health: number,
  otlpPort: number,
  dataDirectory: string,
): string {
  const rules = selected.map(rule => `        - ${rule}`)
  return `file_format: "1.1"
tracer_provider:
  processors:
    - batch: { exporter: { otlp_grpc: { endpoint: "http://127.0.0.1:${otlpPort}" } } }
distribution:
  ghostspan:
    selection:
      default: exclude
      rules:
${rules.join('\n')}
    archive: { enabled: ${archive}, data_directory: "${dataDirectory}" }
    operations: { health: { listen: "127.0.0.1:${health}", required: true } }
`
}

async function startReceiver(): Promise<{ port: number; stop: () => void }> {
  const script = fileURLToPath(new URL('./otlp-receiver.js', import.meta.url))
  const child = spawn(process.execPath, [...process.execArgv, script], { stdio: ['pipe', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout })) {
    return { port: Number(line), stop: () => child.stdin.end() }
  }
  throw new Error('the OTLP receiver did not start')
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null) return
  const exit = new Promise<void>(resolve => child.once('exit', () => resolve()))
  child.kill(signal)
  const killer = setTimeout(() => child.kill('SIGKILL'), 30_000)
  await exit
  clearTimeout(killer)
}
