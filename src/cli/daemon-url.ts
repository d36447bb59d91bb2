import type { Settings } from '../config/settings.js'
import { CommandError } from './command-error.js'
import { type RunFile, readRunFile } from './run-file.js'

export interface DaemonPlace {
  /** Where it serves, or would by the settings. */
  readonly url: string
  /** undefined: none runs on this data folder. */
  readonly running: RunFile | undefined
}

/** Where the daemon of this data folder serves what it knows. Throws when it runs and serves nothing. */
export function daemonPlace(settings: Settings, listen: string | undefined): DaemonPlace {
  const running = readRunFile(settings.archive.dataDirectory)
  if (listen !== undefined || running === undefined) return { url: urlOf(settings), running }
  if (running.health === undefined) {
    throw new CommandError(
      `the daemon with pid ${running.process.pid} runs, but serves no status: start it without --no-health`,
    )
  }
  return { url: running.health, running }
}

function urlOf({ health }: Settings): string {
  return `http://${health.host.includes(':') ? `[${health.host}]` : health.host}:${health.port}`
}
