import type { ObservedProcess } from '../capture/processes.js'
import { ownerOf } from '../samples/activity.js'
import type { Sample } from '../samples/sample.js'
import { doubtContext } from '../samples/trust.js'
import type { Evidence, EvidenceSource } from './link.js'

/**
 * A proxy passes a request on: method, target and length of the body stay, and so does a trace context that it does not
 * understand. A call with what one of the process' open requests has, and no other one, passes that one on. Where equal
 * requests are open at the same time nothing is said: that is for time to decide.
 */
export interface ForwardEvidence extends EvidenceSource {
  /** Requests that are open, and processes that are known. */
  readonly open: number
}

/** Kinds of content keys that a request and what it is passed on as have in common. */
const FORWARDED = new Set(['http-forward', 'traceparent', 'b3'])

/** Right so often before anything is known of the process, and how many cases that is worth. */
const EXPECTED = 0.97
const EXPECTED_CASES = 4
const MOST_SURE = 0.999
/** Of equal requests, all but one have been passed on: so sure is it the last one, and not another try of one of them. */
const BY_ELIMINATION = 0.97
/** A process that passes less than this share of its requests on is none that does so: what looks like it is chance. */
const LEAST_SHARE = 0.2
const SHARE_CASES = 10
const BY_CHANCE = 0.6
/** A process that passes at least this share of its requests on does nothing else. */
const PROXY_SHARE = 0.8
/** A request whose reading was lost may be open unseen: another one that is equal is not taken for it for so long. */
const AFTER_LOSS_NS = 5e9
const MOST_PROCESSES = 10_000
const MOST_EQUAL = 1_000
const MOST_UNCALLED = 100_000

interface Forwarder {
  /** Open requests by what they may be known by, from the first call on. */
  readonly open: Map<string, Sample[]>
  /** Open requests of a process that has called nobody so far: most busy servers never do. */
  uncalled: Set<Sample> | undefined
  /** Requests that have ended, and those of them that were passed on. */
  requests: number
  forwarded: number
  /** Cases in which context was certain of the same request, and of another one. */
  agreed: number
  contradicted: number
}

interface Match {
  readonly parent: Sample
  readonly strength: number
}

/** @param lossEpoch grows when records were lost. */
export function createForwardEvidence(lossEpoch: () => number): ForwardEvidence {
  const byProcess = new Map<ObservedProcess, Forwarder>()
  const matches = new WeakMap<Sample, Match>()
  const passedOn = new WeakSet<Sample>()
  let epoch = lossEpoch()
  let lostNs = Number.NEGATIVE_INFINITY

  const forwarderOf = (process: ObservedProcess): Forwarder => {
    let forwarder = byProcess.get(process)
    if (forwarder === undefined) {
      if (byProcess.size >= MOST_PROCESSES) byProcess.delete(byProcess.keys().next().value!)
      forwarder = { open: new Map(), uncalled: new Set(), requests: 0, forwarded: 0, agreed: 0, contradicted: 0 }
      byProcess.set(process, forwarder)
    }
    return forwarder
  }
  const list = (request: Sample): void => {
    if (request.complete) return
    const { open, uncalled } = forwarderOf(request.process)
    if (uncalled !== undefined) {
      if (uncalled.size < MOST_UNCALLED) uncalled.add(request)
      return
    }
    for (const { type, value } of request.exchange.contentKeys) {
      if (!FORWARDED.has(type)) continue
      const equal = open.get(value)
      if (equal === undefined) open.set(value, [request])
      else if (equal.length < MOST_EQUAL && !equal.includes(request)) equal.push(request)
    }
  }
  const unlist = (request: Sample): void => {
    const forwarder = byProcess.get(request.process)
    if (forwarder === undefined) return
    let known = forwarder.uncalled?.delete(request) === true
    if (forwarder.open.size > 0) {
      for (const { type, value } of request.exchange.contentKeys) {
        const equal = FORWARDED.has(type) ? forwarder.open.get(value) : undefined
        const at = equal?.indexOf(request) ?? -1
        if (equal === undefined || at < 0) continue
        known = true
        if (equal.length === 1) forwarder.open.delete(value)
        else equal.splice(at, 1)
      }
    }
    if (!known) return
    forwarder.requests++
    if (passedOn.has(request)) forwarder.forwarded++
  }
  /** The process turns out to call others. */
  const callsFrom = (forwarder: Forwarder): void => {
    const waiting = forwarder.uncalled
    if (waiting === undefined) return
    forwarder.uncalled = undefined
    for (const request of waiting) list(request)
  }
  const match = (call: Sample): void => {
    if (epoch !== lossEpoch()) {
      epoch = lossEpoch()
      lostNs = call.startNs
    }
    if (call.startNs - lostNs < AFTER_LOSS_NS) return
    const forwarder = byProcess.get(call.process)
    if (forwarder === undefined) return
    callsFrom(forwarder)
    if (forwarder.open.size === 0) return
    for (const { type, value } of call.exchange.contentKeys) {
      if (!FORWARDED.has(type)) continue
      const equal = forwarder.open.get(value)
      if (equal === undefined) continue
      const found = equal.length === 1 ? equal[0] : onlyOne(equal, request => !passedOn.has(request))
      if (found === undefined) continue
      passedOn.add(found)
      const strength = strengthIn(forwarder, found, call) * (equal.length === 1 ? 1 : BY_ELIMINATION)
      matches.set(call, { parent: found, strength })
      return
    }
  }
  return {
    kind: 'content',
    begin: sample => {
      if (isRequest(sample)) list(sample)
    },
    requested: sample => {
      if (isRequest(sample)) list(sample)
      else if (sample.kind === 'client') match(sample)
    },
    complete: sample => {
      if (isRequest(sample)) unlist(sample)
    },
    candidates: (sample, out: Evidence[]) => {
      const found = sample.kind === 'client' ? matches.get(sample) : undefined
      if (found !== undefined) out.push({ kind: 'content', parent: found.parent, strength: found.strength })
    },
    get open() {
      let sum = 0
      for (const { open, uncalled } of byProcess.values()) sum += open.size + (uncalled?.size ?? 0)
      return sum
    },
  }
}

const isRequest = (sample: Sample): boolean => sample.kind === 'server' && sample.exchange.contentKeys.length > 0

function onlyOne(requests: readonly Sample[], fits: (request: Sample) => boolean): Sample | undefined {
  let found: Sample | undefined
  for (const request of requests) {
    if (!fits(request)) continue
    if (found !== undefined) return undefined
    found = request
  }
  return found
}

/** How sure a match is, by what this process does otherwise; what context says of the call counts for less if it errs. */
function strengthIn(forwarder: Forwarder, request: Sample, call: Sample): number {
  const { activity } = call
  const owner = activity !== undefined && activity.trust === 1 ? ownerOf(activity) : undefined
  if (owner === request) forwarder.agreed++
  else if (owner !== undefined) forwarder.contradicted++
  const { agreed, contradicted, requests, forwarded } = forwarder
  if (requests >= SHARE_CASES && forwarded < LEAST_SHARE * requests) return BY_CHANCE
  if (owner !== undefined && owner !== request) {
    // Context that is right nearly always knows better, except in a process that does nothing but pass on.
    if (agreed > EXPECTED_CASES * contradicted && forwarded < PROXY_SHARE * requests) return BY_CHANCE
    doubtContext(call)
  }
  return Math.min(MOST_SURE, (forwarded + EXPECTED * EXPECTED_CASES) / (forwarded + EXPECTED_CASES))
}
