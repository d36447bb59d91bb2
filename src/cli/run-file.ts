import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive, type ProcessIdentity, processIdentity } from '../process-identity.js'

/** What a running daemon leaves in its data folder, so that `status` finds it. */
export interface RunFile {
  readonly process: ProcessIdentity
  /** `http://127.0.0.1:9464`; undefined: it serves none. */
  readonly health: string | undefined
}

const pathIn = (directory: string): string => join(directory, 'daemon.json')

/** Returns what takes it away again. */
export function writeRunFile(directory: string, health: string | undefined): () => void {
  const path = pathIn(directory)
  const content: RunFile = { process: processIdentity(process.pid) ?? { pid: process.pid, start: '' }, health }
  writeFileSync(`${path}.${process.pid}`, `${JSON.stringify(content)}\n`, { mode: 0o600 })
  renameSync(`${path}.${process.pid}`, path)
  return () => rmSync(path, { force: true })
}

/** The daemon that runs on this folder, if it lives. */
export function readRunFile(directory: string): RunFile | undefined {
  try {
    const content = JSON.parse(readFileSync(pathIn(directory), 'utf8')) as RunFile
    return isAlive(content.process) ? content : undefined
  } catch {
    return undefined
  }
}
