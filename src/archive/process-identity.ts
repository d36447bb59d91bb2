import { readFileSync } from 'node:fs'

/** A process by pid and start time, so that a reused pid is not taken for it. */
export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks since boot (proc(5), stat, field 22); '' where /proc cannot tell. */
  readonly start: string
}

export function processIdentity(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The command in parentheses may hold anything, so fields count from its last ')'.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie holds nothing any more.
    return fields[0] === 'Z' ? undefined : { pid, start: fields[19] ?? '' }
  } catch {
    return undefined
  }
}

export function isAlive(identity: ProcessIdentity): boolean {
  const now = processIdentity(identity.pid)
  return now !== undefined && now.start === identity.start
}
