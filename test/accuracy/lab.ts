import { cpSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Selection } from '../../src/capture/selection.js'
import { freePorts } from '../../src/demo/free-ports.js'
import { createRunFolder } from '../../src/demo/run-folder.js'
import { type ServerProcess, startServer } from '../../src/demo/server-process.js'
import { accepts } from '../../src/demo/wait-for.js'
import { repositoryPath } from './repository-path.js'

export interface LabServer {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Where it listens when it is ready. Default: the lab's port. */
  readonly port?: number
}

/** What a workload starts its servers with. Everything of it is in one folder, and stops with it. */
export interface Lab {
  /** Removed at the end. */
  readonly folder: string
  /** Where the load asks. */
  readonly port: number
  readonly backendPort: number
  /** Ports that are free for further servers. */
  readonly morePorts: readonly number[]
  readonly signal: AbortSignal
  /** A file of test/accuracy/programs, as copied into the folder. */
  program(name: string): string
  /** Writes a file into the folder; returns its path. */
  file(name: string, text: string): string
  /** Runs a server and waits until it accepts connections. A server whose arguments name the folder is traced. */
  serve(server: LabServer): Promise<void>
  /** Something else that is to be stopped at the end. */
  onStop(stop: () => Promise<void>): void
}

export interface RunningLab extends Lab {
  /** The workload's processes and nobody else's. */
  readonly selection: Selection
  stop(): Promise<void>
}

const MORE_PORTS = 6
const READY_MILLIS = 90_000
const PATIENCE_MILLIS = 2_000

export async function createLab(signal: AbortSignal): Promise<RunningLab> {
  const [port, backendPort, ...morePorts] = await freePorts(2 + MORE_PORTS, process.pid * 16)
  const folder = createRunFolder(tmpdir())
  const programs = join(folder.path, 'programs')
  cpSync(repositoryPath('test', 'accuracy', 'programs'), programs, { recursive: true })
  const stops: (() => Promise<void>)[] = []
  const named = folder.path.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')
  return {
    folder: folder.path,
    port: port!,
    backendPort: backendPort!,
    morePorts,
    signal,
    selection: { include: [{ commandLine: named }, { port: port! }] },
    program: name => join(programs, name),
    file: (name, text) => {
      const path = join(folder.path, 'etc', name)
      writeFileSync(path, text, { mode: 0o644 })
      return path
    },
    serve: async server => {
      const listening = server.port ?? port!
      const process: ServerProcess = await startServer(
        folder,
        {
          name: server.name,
          command: server.command,
          args: server.args,
          cwd: folder.path,
          env: { BACKEND_PORT: `${backendPort}`, PORT: `${listening}`, ...server.env },
          ready: () => accepts(listening),
          readyMillis: READY_MILLIS,
          patienceMillis: PATIENCE_MILLIS,
        },
        signal,
      )
      stops.push(() => process.stop())
    },
    onStop: stop => {
      stops.push(stop)
    },
    stop: async () => {
      for (const stop of stops.reverse()) await stop()
      folder.remove()
    },
  }
}
