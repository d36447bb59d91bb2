import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What this front needs of the package chdb; the package is optional, so its own types are not relied on. */
export interface EngineResult {
  readonly elapsed: number
  readonly rowsRead: number
  readonly bytesRead: number
  bytes(): Uint8Array
}

export interface EngineChunk {
  readonly numRows: number
  raw(): Uint8Array
}

export interface EngineSession {
  queryAsync(sql: string, options?: { format?: string }): Promise<EngineResult>
  queryStream(sql: string, options?: { format?: string }): AsyncIterable<EngineChunk>
  close(): void
}

type SessionClass = new (path: string, options?: { connectionArgs?: readonly string[] }) => EngineSession

/** Why an engine could not be opened: the package is not installed, or another process holds the directory. */
export class EngineOpenError extends Error {
  readonly reason: 'missing' | 'locked' | 'failed'
  /** The process that holds the directory, if its `status` file says so. */
  readonly holder: number | undefined

  constructor(reason: 'missing' | 'locked' | 'failed', message: string, holder?: number) {
    super(message)
    this.reason = reason
    this.holder = holder
  }
}

export interface Engine {
  /**
   * A session of its own for one request. Never share one: after a query that failed in mid-output the engine puts
   * that output in front of the next result of the same session; settings and parameters stay on it, too.
   */
  open(): EngineSession
  /** Cancels the query that runs with this `log_comment`. Always ASYNC: SYNC hangs for ever. */
  cancel(queryId: string): Promise<void>
  /** Cancels what runs and closes: closing waits for running queries, so they have to go first. */
  close(): Promise<void>
}

/** A string literal in ClickHouse's SQL. */
export function literal(value: string): string {
  return `'${value.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`
}

/** The engine's package is optional and large, so it is loaded only here. Throws EngineOpenError 'missing'. */
export async function loadSessionClass(name = 'chdb'): Promise<SessionClass> {
  try {
    return ((await import(name)) as { Session: SessionClass }).Session
  } catch (error) {
    throw new EngineOpenError(
      'missing',
      'the embedded ClickHouse engine is not installed: run `npm install chdb`, or set the URL of a ClickHouse server ' +
        `(${error instanceof Error ? error.message.split('\n')[0] : String(error)})`,
    )
  }
}

/** The pid in the engine's lock file, which stays behind when its holder dies. */
function lockHolder(directory: string): number | undefined {
  try {
    const found = /^PID:\s*(\d+)/m.exec(readFileSync(join(directory, 'status'), 'utf8'))
    return found === null ? undefined : Number(found[1])
  } catch {
    return undefined
  }
}

/**
 * Opens the engine on `directory`; one process at a time can. Must not run in a worker thread (the library crashes
 * when the thread ends). Throws EngineOpenError.
 */
export async function openEngine(options: { directory: string; configFile?: string }): Promise<Engine> {
  const Session = await loadSessionClass()
  const { directory, configFile } = options
  let keeper: EngineSession
  let killer: EngineSession
  try {
    keeper = new Session(directory, configFile === undefined ? {} : { connectionArgs: [`--config-file=${configFile}`] })
    killer = new Session(directory)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    // The library does not say why; its reason (code 76) goes to stderr only. The lock is the one common cause.
    const locked = (error as { code?: unknown }).code === 'CHDB_CONNECTION'
    throw new EngineOpenError(locked ? 'locked' : 'failed', message, locked ? lockHolder(directory) : undefined)
  }
  return {
    open: () => new Session(directory),
    cancel: async queryId => {
      await killer.queryAsync(`KILL QUERY WHERE Settings['log_comment'] = ${literal(queryId)} ASYNC`).catch(() => {})
    },
    close: async () => {
      await killer.queryAsync("KILL QUERY WHERE query NOT LIKE 'KILL%' ASYNC").catch(() => {})
      killer.close()
      keeper.close()
    },
  }
}
