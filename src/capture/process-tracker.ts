import type { CarrierDiscovery } from './carriers/carrier-discovery.js'
import { ProcessDecision, type ProcessDecisionValue } from './control-layout.js'
import type { ProcessInfo } from './process-info.js'
import type { ProcessReader } from './process-reader.js'
import type { Selector } from './selection.js'

export interface ProcessTrackerOptions {
  readonly reader: ProcessReader
  readonly selector: Selector
  /** Our own processes; `ownChildren`: with all that they start. */
  readonly ownPids: readonly number[]
  readonly ownChildren: boolean
  /** Writes into the kernel's process_by_tgid. */
  readonly decide: (pid: number, decision: ProcessDecisionValue) => void
  /** Lets every connection look its process up again: dear, hence only where a decision changed. */
  readonly renew: () => void
  /** Is told of every traced process; what it says of one goes into the descriptions. */
  readonly carriers?: CarrierDiscovery
}

/** Which processes there are, which of them are traced, and what user space has been told of them. */
export interface ProcessTracker {
  /** Looks through /proc and decides on every process that has not been decided on. */
  scan(): void
  addOwn(pid: number): void
  /** True once the process was described (or could not be): nothing more to say before its records. */
  isKnown(pid: number): boolean
  /** Describes a process that is seen for the first time. */
  meet(pid: number): ProcessInfo | undefined
  /** A process became another program: is it traced, and how is it described, unless it is gone already? */
  replaced(pid: number): { readonly traced: boolean; readonly info: ProcessInfo | undefined }
  /** A process listens on a port, or accepted a connection on one. Its new description, if that changed. */
  listens(pid: number, port: number): ProcessInfo | undefined
  /** A traced process forked. */
  forked(child: number, parent: number): void
  /** Its description anew, if it has been told before: something else is known of its carriers. */
  describe(pid: number): ProcessInfo | undefined
  /** What is known of it, or /proc says now; nothing is remembered. */
  lookUp(pid: number): ProcessInfo | undefined
  /** True when its records had been handed on. */
  ended(pid: number): boolean
}

interface Known {
  info: ProcessInfo | undefined
  told: boolean
}

export function createProcessTracker(options: ProcessTrackerOptions): ProcessTracker {
  const { reader, selector, carriers } = options
  const known = new Map<number, Known>()
  const own = new Set<number>()
  const decisions = new Map<number, ProcessDecisionValue>()
  const ownDecision = options.ownChildren ? ProcessDecision.ownTree : ProcessDecision.own

  const addOwn = (pid: number): void => {
    own.add(pid)
    decisions.set(pid, ownDecision)
    options.decide(pid, ownDecision)
    options.renew()
  }

  /** Whether the process is traced; tells the kernel where rules exist. */
  const judge = (info: ProcessInfo): boolean => {
    if (!selector.hasRules) return true
    const selected = selector.selects(info)
    const decision = decisionOf(selected)
    // A child begins with its parent's decision, in the kernel as well.
    const before = decisions.get(info.pid) ?? decisions.get(info.parent) ?? decisionOf(selector.byDefault)
    decisions.set(info.pid, decision)
    options.decide(info.pid, decision)
    if (decision !== before) options.renew()
    return selected
  }

  const remember = (pid: number, info: ProcessInfo | undefined): ProcessInfo | undefined => {
    known.set(pid, { info, told: true })
    return info
  }

  const withCarriers = (info: ProcessInfo): ProcessInfo => {
    const found = carriers?.carriersOf(info.pid)
    return found === undefined ? info : { ...info, carriers: found }
  }
  const meetWithCarriers = (info: ProcessInfo): ProcessInfo => {
    carriers?.met(info)
    return withCarriers(info)
  }

  return {
    addOwn,
    scan() {
      for (const pid of options.ownPids) addOwn(pid)
      const all = reader.readAll()
      if (options.ownChildren) for (const pid of descendants(all, own)) addOwn(pid)
      for (const info of all) {
        if (own.has(info.pid) || known.has(info.pid)) continue
        known.set(info.pid, { info, told: false })
        if (judge(info)) carriers?.met(info)
      }
    },
    isKnown: pid => known.get(pid)?.told === true,
    meet(pid) {
      const entry = known.get(pid)
      if (entry?.info !== undefined) {
        remember(pid, entry.info)
        return meetWithCarriers(entry.info)
      }
      const info = reader.read(pid)
      if (info === undefined) return remember(pid, undefined)
      // Forked and not replaced since, else `replaced` had come first: it has its parent's sockets.
      const whole = { ...info, listens: known.get(info.parent)?.info?.listens ?? [] }
      remember(pid, whole)
      return meetWithCarriers(whole)
    },
    replaced(pid) {
      const info = remember(pid, reader.read(pid))
      const traced = info === undefined ? selector.byDefault : judge(info)
      carriers?.replaced(pid, traced ? info : undefined)
      return { traced, info: info === undefined ? undefined : withCarriers(info) }
    },
    listens(pid, port) {
      const before = known.get(pid)?.info ?? reader.read(pid)
      if (before === undefined || port === 0 || before.listens.includes(port)) return undefined
      const info = { ...before, listens: [...before.listens, port].sort((a, b) => a - b) }
      remember(pid, info)
      if (!judge(info)) return undefined
      carriers?.listens(info)
      return withCarriers(info)
    },
    forked: (child, parent) => carriers?.forked(child, parent),
    describe(pid) {
      const entry = known.get(pid)
      return entry?.told === true && entry.info !== undefined ? withCarriers(entry.info) : undefined
    },
    lookUp: pid => known.get(pid)?.info ?? reader.read(pid),
    ended(pid) {
      const told = known.get(pid)?.told === true
      known.delete(pid)
      own.delete(pid)
      decisions.delete(pid)
      carriers?.ended(pid)
      return told
    },
  }
}

function decisionOf(selected: boolean): ProcessDecisionValue {
  return selected ? ProcessDecision.traced : ProcessDecision.ignored
}

/** Pids of all processes below the given ones. */
function descendants(all: readonly ProcessInfo[], ancestors: ReadonlySet<number>): Set<number> {
  const found = new Set(ancestors)
  for (let grown = true; grown; ) {
    grown = false
    for (const info of all) {
      if (!found.has(info.parent) || found.has(info.pid)) continue
      found.add(info.pid)
      grown = true
    }
  }
  return found
}
