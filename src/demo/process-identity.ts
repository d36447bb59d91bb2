import { readdirSync, readFileSync } from 'node:fs'

/** A process that is told apart from a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number
  /** Field 22 of /proc/pid/stat, in clock ticks since boot. */
  readonly startTicks: string
}

interface ProcessStat {
  readonly startTicks: string
  readonly session: number
}

/** The process's state, or undefined if there is none (a zombie counts as gone). */
function statOf(pid: number): ProcessStat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  // The command name (field 2) may hold blanks and brackets: count from behind its last bracket.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined
  return { startTicks: fields[19]!, session: Number(fields[3]) }
}

export function identityOf(pid: number): ProcessIdentity | undefined {
  const stat = statOf(pid)
  return stat && { pid, startTicks: stat.startTicks }
}

export function isAlive(process: ProcessIdentity): boolean {
  return statOf(process.pid)?.startTicks === process.startTicks
}

/** Everything that runs in the session of a process that called setsid, itself included. */
export function sessionMembers(leader: ProcessIdentity): ProcessIdentity[] {
  if (!isAlive(leader)) return []
  const members: ProcessIdentity[] = []
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry)
    if (!Number.isInteger(pid)) continue
    const stat = statOf(pid)
    if (stat?.session === leader.pid) members.push({ pid, startTicks: stat.startTicks })
  }
  return members
}

/** Sends a signal to the process if it is still the same one. */
export function signal(process_: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isAlive(process_)) return
  try {
    process.kill(process_.pid, name)
  } catch {
    // Ended in between.
  }
}
