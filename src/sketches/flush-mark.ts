import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/**
 * A file that says up to when sketches are in the archive, there for as long as the daemon runs: one that finds it at
 * its start knows that the one before was killed, and which sketches are lost.
 */
export interface FlushMark {
  /** Seconds since 1970, of a daemon that was killed; undefined: the one before ended properly, or there was none. */
  readonly before: number | undefined
  /** @param until seconds since 1970: everything before is in the archive, or on disk */
  flushed(until: number): void
  /** All is written. */
  clear(): void
}

/** @param now seconds since 1970 */
export function openFlushMark(path: string, now: number): FlushMark {
  const before = readMark(path)
  const write = (until: number): void => {
    const temporary = `${path}.${process.pid}`
    try {
      writeFileSync(temporary, `${JSON.stringify({ until: Math.floor(until) })}\n`, { mode: 0o600 })
      renameSync(temporary, path)
    } catch {
      // A full disk: the mark stays older than it could be, and a later one says more.
      rmSync(temporary, { force: true })
    }
  }
  write(now)
  return { before, flushed: write, clear: () => rmSync(path, { force: true }) }
}

function readMark(path: string): number | undefined {
  try {
    const { until } = JSON.parse(readFileSync(path, 'utf8')) as { until?: unknown }
    return typeof until === 'number' ? until : 0
  } catch (error) {
    // A file that cannot be read as ours was still left by somebody who had no time to take it away.
    return error instanceof SyntaxError ? 0 : undefined
  }
}
