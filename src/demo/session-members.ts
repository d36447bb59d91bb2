import { readdirSync } from 'node:fs'
import { isAlive, type ProcessIdentity, processInSession } from '../process-identity.js'

/** Everything that runs in the session of a process that called setsid, itself included. */
export function sessionMembers(leader: ProcessIdentity): ProcessIdentity[] {
  if (!isAlive(leader)) return []
  const members: ProcessIdentity[] = []
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry)
    if (!Number.isInteger(pid)) continue
    const process = processInSession(pid)
    if (process?.session === leader.pid) members.push({ pid, start: process.start })
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
