import { type Engine, type EngineSession, literal } from './engine.js'
import { ServerError } from './server-error.js'

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const NAMED_SESSION_MILLIS = 60_000
const MOST_NAMED_SESSIONS = 256
/** Defaults of this front: `SELECT *` shows the collector's columns, which are aliases in our table. */
const DEFAULTS: readonly (readonly [string, string])[] = [['asterisk_include_alias_columns', '1']]

export interface BorrowedSession {
  readonly session: EngineSession
  /** `failed`: output of a failed query may be left in it. */
  giveBack(failed: boolean): Promise<void>
}

export interface Sessions {
  /** A fresh session, or the one that `session_id` names. Throws ServerError 373 while somebody else uses that one. */
  borrow(sessionId: string | null): BorrowedSession
  close(): void
}

/** One session a request; named ones (temporary tables) live on for a minute. */
export function createSessions(engine: Engine): Sessions {
  const named = new Map<string, { session: EngineSession; busy: boolean; timer: NodeJS.Timeout | undefined }>()
  return {
    borrow: sessionId => {
      if (sessionId === null || sessionId === '') {
        const session = engine.open()
        return { session, giveBack: async () => session.close() }
      }
      let entry = named.get(sessionId)
      if (entry === undefined) {
        if (named.size >= MOST_NAMED_SESSIONS) {
          throw new ServerError(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', 'Too many sessions are open.')
        }
        entry = { session: engine.open(), busy: false, timer: undefined }
        named.set(sessionId, entry)
      }
      if (entry.busy) throw new ServerError(373, 'SESSION_IS_LOCKED', 'Session is locked by a concurrent client.')
      const held = entry
      held.busy = true
      clearTimeout(held.timer)
      return {
        session: held.session,
        giveBack: async failed => {
          // Swallows what a failed query left behind; without it the next result would begin with foreign rows.
          if (failed) await held.session.queryAsync('SELECT 1 FORMAT Null').catch(() => {})
          held.busy = false
          held.timer = setTimeout(() => {
            named.delete(sessionId)
            held.session.close()
          }, NAMED_SESSION_MILLIS)
          held.timer.unref()
        },
      }
    },
    close: () => {
      for (const entry of named.values()) {
        clearTimeout(entry.timer)
        entry.session.close()
      }
      named.clear()
    },
  }
}

export interface SessionSetup {
  readonly queryId: string
  readonly database: string | undefined
  readonly settings: ReadonlyMap<string, string>
  readonly parameters: ReadonlyMap<string, string>
  readonly readonly: number
}

/** Database, settings and query parameters of one request; `readonly` last, since it forbids the others. */
export async function setUpSession(session: EngineSession, setup: SessionSetup): Promise<void> {
  const { database } = setup
  if (database !== undefined && database !== '' && database !== 'default') {
    await session.queryAsync(`USE \`${database.replace(/\\/g, '\\\\').replace(/`/g, '\\`')}\``)
  }
  const sets = new Map<string, string>(DEFAULTS)
  for (const [name, value] of setup.settings) if (name !== 'readonly' && name !== 'log_comment') sets.set(name, value)
  // The mark by which a running query is found again and cancelled.
  sets.set('log_comment', setup.queryId)
  for (const [name, value] of setup.parameters) sets.set(`param_${name}`, value)
  for (const name of sets.keys()) {
    if (!NAME.test(name)) throw new ServerError(115, 'UNKNOWN_SETTING', `Unknown setting ${name.slice(0, 100)}`)
  }
  await session.queryAsync(`SET ${[...sets].map(([name, value]) => `${name} = ${literal(value)}`).join(', ')}`)
  if (setup.readonly > 0) await session.queryAsync(`SET readonly = ${setup.readonly}`)
}
