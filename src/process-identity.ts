import { readFileSync } from 'node:fs'

/** A process by pid and start time, so that a reused pid is not taken for it. */
export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks since boot (proc(5), stat, field 22); '' where /proc cannot tell. */
  readonly start: string
}

export interface ProcessInSession extends ProcessIdentity {
  /** Pid of the session's leader (field 6). */
  readonly session: number
}

/** The process that has this pid now; undefined if there is none. One that is dead but not yet reaped counts as gone. */
export function processIdentity(pid: number): ProcessIdentity | undefined {
  const process = processInSession(pid)
  return process && { pid, start: process.start }
}

export function processInSession(pid: number): ProcessInSession | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The command in parentheses may hold anything, so fields count from its last ')'.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    return { pid, start: fields[19] ?? '', session: Number(fields[3]) }
  } catch {
    return undefined
  }
}

export function isAlive(identity: ProcessIdentity): boolean {
  return processIdentity(identity.pid)?.start === identity.start
}
