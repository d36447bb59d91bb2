import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { isAlive, type ProcessIdentity } from '../process-identity.js'

/** Where the embedded engine of a data directory can be reached at the moment, and whose it is. */
export interface Endpoint {
  readonly socketPath: string
  readonly port: number | undefined
  readonly role: 'daemon' | 'reader'
  /** The ghostspan process that started the engine. */
  readonly owner: ProcessIdentity
  readonly enginePid: number
}

const fileOf = (directory: string): string => join(directory, 'endpoint.json')

export function writeEndpoint(directory: string, endpoint: Endpoint): void {
  const file = fileOf(directory)
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(endpoint)}\n`, { mode: 0o600 })
  renameSync(`${file}.${process.pid}`, file)
}

export function readEndpoint(directory: string): Endpoint | undefined {
  try {
    const value = JSON.parse(readFileSync(fileOf(directory), 'utf8')) as Partial<Endpoint>
    if (typeof value.socketPath !== 'string' || typeof value.owner?.pid !== 'number') return undefined
    return value as Endpoint
  } catch {
    return undefined
  }
}

/** Takes the file away if it is still ours. */
export function removeEndpoint(directory: string, ownerPid: number): void {
  if (readEndpoint(directory)?.owner.pid === ownerPid) rmSync(fileOf(directory), { force: true })
}

export const ownerAlive = (endpoint: Endpoint): boolean => isAlive(endpoint.owner)

/** True if somebody answers a ping there. Never throws. */
export function answers(endpoint: Endpoint, timeoutMillis = 2000): Promise<boolean> {
  return new Promise(resolve => {
    const request = http.get(
      { socketPath: endpoint.socketPath, path: '/ping', timeout: timeoutMillis, agent: false },
      response => {
        response.resume()
        resolve(response.statusCode === 200)
      },
    )
    request.on('timeout', () => request.destroy(new Error('no answer')))
    request.on('error', () => resolve(false))
  })
}
