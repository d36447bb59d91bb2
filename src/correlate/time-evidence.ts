import type { ObservedProcess } from '../capture/processes.js'
import { ownerOf } from '../samples/activity.js'
import type { Sample } from '../samples/sample.js'
import { doubtContext } from '../samples/trust.js'
import type { Counters } from '../telemetry/counters.js'
import { createCallBalance } from './call-balance.js'
import type { Evidence, EvidenceSource } from './link.js'
import { createWatchedService, type TimedParent, type WatchedService } from './watched-service.js'

/**
 * Start and end times as evidence: for calls that other evidence leaves open or in doubt, and only in services where
 * there are such calls. Must be the last of the sources: it looks at what the others have said.
 *
 * Decisions are made jointly for a window of a service, so they come late: `awaits` says that one is still to come.
 * They depend on the samples and their times alone.
 *
 * Where context is sure, it only looks for contradictions: a request without calls beside one that has those of two. Then
 * context is believed no more than elsewhere where it is in doubt, and times are asked about the call.
 */
export interface TimeEvidence extends EvidenceSource {
  /** Time has come this far (ns since the capture's base). */
  advance(nowNs: number): void
  /** Decides all that is left. */
  finish(): void
  /** True while this call's window is not decided. */
  awaits(call: Sample): boolean
  /** True while this request may be found to have made a call whose window is not decided. */
  holds(request: Sample): boolean
  /** Services that are watched, and calls that wait for a decision. */
  readonly services: number
  readonly undecided: number
}

export interface TimeEvidenceOptions {
  readonly counters: Counters
  /** Name under which processes share models. */
  readonly serviceOf: (process: ObservedProcess) => string
  /** True if work in this call's process may find its owner later, when the answer is written. */
  readonly mayBindLater: (call: Sample) => boolean
  /** Context is asked as well: where it accounts for a process' work, calls it knows no owner of are nobody's. Default true. */
  readonly besideContext?: boolean
  readonly seed?: number
}

/** Other evidence this strong is not doubted. */
const SURE = 0.9
/** Where the owner may be found late, it is waited for this long. */
const OWNER_WAIT_NS = 5e9
/** A service is not watched any more when it has had no doubtful call for this long. */
const UNWATCHED_AFTER_NS = 60e9
const MOST_SERVICES = 200
/** Requests that are remembered in case their service comes to be watched. */
const RECENT_NS = 10e9
const MOST_RECENT = 4_096
/** Requests of a process that are looked at before anything is said of its calls without an owner. */
const REQUESTS_TO_KNOW = 20
/** Context accounts for a process' work if it told the parents of more than this share of the calls. */
const ACCOUNTED_SHARE = 0.02
/** Calls of which other evidence told the parent before they had ended. */
const MOST_KNOWN_EARLY = 20_000

export function createTimeEvidence(options: TimeEvidenceOptions): TimeEvidence {
  const { counters } = options
  const doubtful = counters.counter('correlate.time.doubtful')
  const contradictions = counters.counter('correlate.time.contradictions')
  const tooManyServices = counters.counter('correlate.time.too_many_services')
  const byName = new Map<string, WatchedService>()
  const byProcess = new Map<ObservedProcess, WatchedService>()
  const recent = createRecentRequests()
  const decisions = new WeakMap<Sample, readonly TimedParent[] | 'awaited'>()
  const knownEarly = new Map<Sample, Sample>()
  const accounts = createAccounts()
  const balance = createCallBalance()
  /** Calls whose contradiction is not decided yet, and calls that other evidence told the parent of. */
  const balancing = new WeakSet<Sample>()
  const toldOf = new WeakSet<Sample>()
  let now = 0
  let cleanAt = UNWATCHED_AFTER_NS

  const watch = (process: ObservedProcess): WatchedService | undefined => {
    const name = options.serviceOf(process)
    let service = byName.get(name)
    if (service === undefined) {
      if (byName.size >= MOST_SERVICES) {
        tooManyServices.value++
        return undefined
      }
      service = createWatchedService({
        seed: options.seed ?? 1,
        counters,
        decide: (call, parents) => decisions.set(call, parents),
      })
      byName.set(name, service)
    }
    byProcess.set(process, service)
    for (const request of recent.of(process)) service.begin(request)
    return service
  }
  const unwatchQuiet = (): void => {
    cleanAt = now + UNWATCHED_AFTER_NS
    for (const [name, service] of byName) {
      if (service.undecided > 0 || now - service.doubtedNs < UNWATCHED_AFTER_NS) continue
      byName.delete(name)
      for (const [process, other] of byProcess) if (other === service) byProcess.delete(process)
    }
  }
  const told = (call: Sample, evidence: readonly Evidence[]): Sample | undefined => {
    let best: Evidence | undefined
    for (const each of evidence) if (best === undefined || each.strength > best.strength) best = each
    return best !== undefined && best.strength >= SURE && best.parent !== call ? best.parent : undefined
  }
  const doubt = (call: Sample): void => {
    if (options.mayBindLater(call) && now - call.endNs < OWNER_WAIT_NS) return
    // Where records were lost, requests are missing too, and the next best one would be taken.
    if (call.activity?.trust === 0) return
    if (options.besideContext !== false && accounts.nobodys(call)) return
    if (!recent.serves(call.process)) return
    recent.calls(call.process)
    const service = byProcess.get(call.process) ?? watch(call.process)
    if (service === undefined) return
    doubtful.value++
    decisions.set(call, 'awaited')
    if (toldOf.has(call)) service.reopen(call)
    else service.add(call, undefined)
  }

  /** Context says who made this call, and the numbers of calls say that it need not be so. */
  const contradicted = (call: Sample, parent: Sample): boolean => {
    if (parent !== ownerOf(call.activity) || parent.process !== call.process) return false
    balance.told(call, parent)
    const contradiction = balance.contradicts(call, parent, now)
    const open = contradiction === 'open' && now - call.endNs < OWNER_WAIT_NS
    if (open) balancing.add(call)
    else balancing.delete(call)
    if (contradiction !== true) return false
    contradictions.value++
    doubtContext(call)
    return true
  }

  return {
    kind: 'time',
    begin: sample => {
      if (sample.side !== 'server') {
        recent.calls(sample.process)
        return
      }
      recent.add(sample)
      accounts.request(sample)
      balance.begin(sample)
      if (byProcess.size > 0) byProcess.get(sample.process)?.begin(sample)
    },
    complete: sample => {
      if (sample.side === 'server') balance.complete(sample)
      if (byProcess.size === 0) return
      const service = byProcess.get(sample.process)
      if (service === undefined) return
      if (sample.side === 'server') service.complete(sample)
      else {
        const parent = knownEarly.get(sample)
        if (parent === undefined) return
        knownEarly.delete(sample)
        service.add(sample, parent)
      }
    },
    candidates: (sample, out: Evidence[]) => {
      if (sample.side !== 'client') return
      const parent = told(sample, out)
      if (parent !== undefined && !contradicted(sample, parent)) {
        accounts.told(sample)
        const service = byProcess.size > 0 ? byProcess.get(sample.process) : undefined
        if (service === undefined || decisions.has(sample) || toldOf.has(sample)) return
        toldOf.add(sample)
        if (sample.complete) service.add(sample, parent)
        else if (knownEarly.size < MOST_KNOWN_EARLY) knownEarly.set(sample, parent)
        return
      }
      if (!sample.complete) return
      const decision = decisions.get(sample)
      if (decision === undefined) doubt(sample)
      else if (decision !== 'awaited') {
        for (const { parent: likely, confidence } of decision) {
          out.push({ kind: 'time', parent: likely, strength: confidence })
        }
      }
    },
    forget: sample => {
      if (knownEarly.size > 0) knownEarly.delete(sample)
      balance.forget(sample)
    },
    advance: nowNs => {
      now = nowNs
      if (byName.size === 0) return
      for (const service of byName.values()) service.advance(nowNs)
      if (now >= cleanAt) unwatchQuiet()
    },
    finish: () => {
      for (const service of byName.values()) service.finish()
    },
    awaits: call => balancing.has(call) || (byName.size > 0 && decisions.get(call) === 'awaited'),
    holds: request => byProcess.size > 0 && byProcess.get(request.process)?.holds(request) === true,
    get services() {
      return byName.size
    },
    get undecided() {
      let sum = 0
      for (const { undecided } of byName.values()) sum += undecided
      return sum
    },
  }
}

/** How far context accounts for what the processes do. */
interface Accounts {
  request(request: Sample): void
  /** Somebody knew the parent of this call. */
  told(call: Sample): void
  /**
   * A call made where context is trusted, and for no request that it knows of, in a process whose work it accounts for:
   * a periodic task's, whatever the times say. Where context accounts for nothing, jobs go from hand to hand.
   */
  nobodys(call: Sample): boolean
}

function createAccounts(): Accounts {
  const byProcess = new WeakMap<ObservedProcess, { requests: number; told: number; nobodys: number }>()
  const of = (process: ObservedProcess): { requests: number; told: number; nobodys: number } => {
    let account = byProcess.get(process)
    if (account === undefined) byProcess.set(process, (account = { requests: 0, told: 0, nobodys: 0 }))
    return account
  }
  return {
    request: request => {
      of(request.process).requests++
    },
    told: call => {
      of(call.process).told++
    },
    nobodys: call => {
      const { activity } = call
      if (activity === undefined || activity.trust < 1 || activity.detached || ownerOf(activity) !== undefined)
        return false
      const account = of(call.process)
      account.nobodys++
      return account.requests < REQUESTS_TO_KNOW || account.told > ACCOUNTED_SHARE * account.nobodys
    },
  }
}

interface RecentRequests {
  add(request: Sample): void
  /** A process makes calls: its requests are remembered from now on. Of one that never does, only the latest few. */
  calls(process: ObservedProcess): void
  /** True if the process has been seen to serve requests. */
  serves(process: ObservedProcess): boolean
  of(process: ObservedProcess): Sample[]
}

/** Latest requests of a process that calls nobody: one of them may be the first that does. */
const FIRST_CALLERS = 16

interface Served {
  calls: boolean
  readonly latest: (Sample | undefined)[]
  next: number
}

/** The latest requests of all processes that make calls, in a ring. */
function createRecentRequests(): RecentRequests {
  const ring: (Sample | undefined)[] = []
  const served = new WeakMap<ObservedProcess, Served>()
  let next = 0
  let last: ObservedProcess | undefined
  let ofLast: Served | undefined
  let lastNs = 0

  const servedBy = (process: ObservedProcess): Served => {
    if (process === last && ofLast !== undefined) return ofLast
    let found = served.get(process)
    if (found === undefined) {
      found = { calls: false, latest: [], next: 0 }
      served.set(process, found)
    }
    last = process
    ofLast = found
    return found
  }
  const keep = (request: Sample): void => {
    ring[next] = request
    next = (next + 1) % MOST_RECENT
    lastNs = request.startNs
  }
  return {
    add: request => {
      const by = servedBy(request.process)
      if (by.calls) keep(request)
      else {
        by.latest[by.next] = request
        by.next = (by.next + 1) % FIRST_CALLERS
      }
    },
    calls: process => {
      const by = process === last ? ofLast : served.get(process)
      if (by === undefined || by.calls) return
      by.calls = true
      const { latest } = by
      for (let i = 0; i < latest.length; i++) {
        const request = latest[(by.next + i) % latest.length]
        if (request !== undefined) keep(request)
      }
      latest.length = 0
    },
    serves: process => served.has(process),
    of: process => {
      const found: Sample[] = []
      for (let i = 0; i < ring.length; i++) {
        const request = ring[(next + i) % ring.length]
        if (request?.process === process && lastNs - request.startNs < RECENT_NS) found.push(request)
      }
      return found
    },
  }
}
