import { type ClickHouseClient, ClickHouseError } from '@clickhouse/client'

/** A way to one archive: a ClickHouse server, or the embedded engine of this or another process. */
export interface Archive {
  readonly place: 'server' | 'embedded'
  /** For people; no password in it. */
  readonly address: string
  readonly database: string
  /**
   * Does something with the client. A reader that used a daemon's engine which has gone away meanwhile gets one more
   * try with its own. Throws what `work` throws: ClickHouseError, or a plain Error of the connection.
   */
  run<T>(work: (client: ClickHouseClient) => Promise<T>): Promise<T>
  /** The embedded engine's process while this archive owns it; for measurements. */
  enginePid(): number | undefined
  /** The loopback port on which other programs may read, if one was asked for. */
  readPort(): number | undefined
  close(): Promise<void>
}

/** Why there is no archive to be had; the message says what to do. */
export class ArchiveError extends Error {
  readonly reason: 'absent' | 'locked' | 'missing' | 'failed' | 'newer'
  /** The process in the way, if it is known. */
  readonly holder: number | undefined

  constructor(reason: ArchiveError['reason'], message: string, holder?: number) {
    super(message)
    this.reason = reason
    this.holder = holder
  }
}

/** Errors that say nobody is listening there (any more), as opposed to an answer one does not like. */
export function isConnectionError(error: unknown): boolean {
  const codes = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ENOTFOUND', 'EHOSTUNREACH', 'ETIMEDOUT'])
  let current: unknown = error
  for (let depth = 0; depth < 4 && current instanceof Error; depth++) {
    const { code } = current as NodeJS.ErrnoException
    if (code !== undefined && codes.has(code)) return true
    if (/socket hang up|Timeout error/i.test(current.message)) return true
    current = current.cause
  }
  return false
}

/** The database or its tables are not there: nothing has been archived yet. */
export function isMissing(error: unknown): boolean {
  return error instanceof ClickHouseError && (error.code === '60' || error.code === '81')
}
