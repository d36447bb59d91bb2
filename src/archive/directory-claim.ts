import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive, type ProcessIdentity, processIdentity } from '../process-identity.js'

/** A directory that one process at a time may write into. */
export interface DirectoryClaim {
  release(): void
}

/**
 * Claims `directory` (created owner-only) for this process. A claim of a process that is gone counts for nothing.
 * Throws with the holder's pid while another process, or another part of this one, has it.
 */
export function claimDirectory(directory: string, purpose: string): DirectoryClaim {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const file = join(directory, 'owner.json')
  const self = processIdentity(process.pid) ?? { pid: process.pid, start: '' }
  const mine = `${file}.${process.pid}`
  writeFileSync(mine, JSON.stringify(self), { mode: 0o600 })
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        // A link is made whole or not at all, and fails if the name is taken.
        linkSync(mine, file)
        return { release: () => rmSync(file, { force: true }) }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const holder = readClaim(file)
      if (holder !== undefined && isAlive(holder)) {
        throw new Error(
          `${purpose}: the process ${holder.pid} uses ${directory}; stop it, or choose another data directory`,
        )
      }
      renameSync(file, `${mine}.stale`)
      rmSync(`${mine}.stale`, { force: true })
    }
    throw new Error(`${purpose}: ${directory} is being claimed by several processes at once; try again`)
  } finally {
    rmSync(mine, { force: true })
  }
}

function readClaim(file: string): ProcessIdentity | undefined {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as Partial<ProcessIdentity>
    return typeof value.pid === 'number' ? { pid: value.pid, start: String(value.start) } : undefined
  } catch {
    return undefined
  }
}
