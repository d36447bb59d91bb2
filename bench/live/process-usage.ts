import { readdirSync, readFileSync } from 'node:fs'

/** Clock ticks of /proc/pid/stat are hundredths of a second on every Linux that Node runs on (USER_HZ). */
const MILLIS_PER_TICK = 10

interface Stat {
  readonly parent: number
  readonly cpuMillis: number
}

function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The command name in field 2 may hold blanks and parentheses.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { parent: Number(fields[1]), cpuMillis: (Number(fields[11]) + Number(fields[12])) * MILLIS_PER_TICK }
  } catch {
    return undefined
  }
}

/** The process and all its descendants that live now. */
export function familyOf(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = statOf(Number(name))
    if (stat !== undefined) parents.set(Number(name), stat.parent)
  }
  const family = new Set([pid])
  for (let grown = true; grown; ) {
    grown = false
    for (const [child, parent] of parents) {
      if (family.has(parent) && !family.has(child)) {
        family.add(child)
        grown = true
      }
    }
  }
  return [...family]
}

/** CPU that the processes have used so far, user and system, in ms. */
export function cpuMillisOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (statOf(pid)?.cpuMillis ?? 0), 0)
}

/** Resident memory in MiB. */
export function rssMiBOf(pid: number): number {
  try {
    const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
    return Number(match?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}
