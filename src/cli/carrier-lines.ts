import type { CarrierStatus } from '../capture/carriers/carrier-discovery.js'

/** Processes that are named one by one; the rest is counted. */
const MOST_NAMED = 10

/** What `ghostspan status` says of greenlets, tasks and goroutines: how many processes, and each that is not seen. */
export function carrierLines(carriers: readonly CarrierStatus[]): string[] {
  const lines: string[] = []
  const seen = carriers.filter(({ state }) => state === 'resolved')
  const byKind = new Map<string, CarrierStatus[]>()
  for (const each of seen) {
    const kinds = each.kinds.join(' and ')
    byKind.set(kinds, [...(byKind.get(kinds) ?? []), each])
  }
  for (const [kinds, processes] of byKind) {
    const sum = (of: 'lookups' | 'faults' | 'mismatches' | 'births'): number =>
      processes.reduce((total, { counts }) => total + (counts?.[of] ?? 0), 0)
    lines.push(
      `${kinds} in ${count(processes.length, 'process')}: ${sum('lookups')} calls looked up, ${sum('births')} births, ` +
        `${sum('faults') + sum('mismatches')} failed`,
    )
  }
  const others = carriers.filter(({ state }) => state !== 'resolved')
  for (const { pid, program, kinds, state, reason } of others.slice(0, MOST_NAMED)) {
    lines.push(`pid ${pid} (${program}): ${kinds.join(' and ')} ${state}: ${reason}; no links by context there`)
  }
  if (others.length > MOST_NAMED) lines.push(`… and ${count(others.length - MOST_NAMED, 'process')} more: see --json`)
  return lines
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 'es'}`
