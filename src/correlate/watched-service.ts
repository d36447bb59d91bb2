import type { ObservedProcess } from '../capture/processes.js'
import type { Sample } from '../samples/sample.js'
import type { Counters } from '../telemetry/counters.js'
import { createKinds } from './time/kinds.js'
import { createServiceStream, type StreamedCall, type StreamedRequest } from './time/service-stream.js'

/** A candidate as time evidence offers it. */
export interface TimedParent {
  readonly parent: Sample
  readonly confidence: number
}

/** A service in which other evidence left calls open: its requests and calls are judged by their times. */
export interface WatchedService {
  /** A request has begun in one of its processes. */
  begin(request: Sample): void
  /** … and ended. */
  complete(request: Sample): void
  /** A call that has ended. `parent`: told by other evidence; undefined: to be decided. */
  add(call: Sample, parent: Sample | undefined): void
  /** Other evidence told the parent of this call, and does so no more: it is to be decided. */
  reopen(call: Sample): void
  advance(nowNs: number): void
  finish(): void
  /** True while a decision is due that could make this request the parent of a call. */
  holds(request: Sample): boolean
  readonly undecided: number
  /** Last moment at which a call was left open, ns. */
  readonly doubtedNs: number
}

export interface WatchedServiceOptions {
  readonly seed: number
  readonly counters: Counters
  readonly decide: (call: Sample, parents: readonly TimedParent[]) => void
}

/** Calls are told of when the assembler asks for their parents, some time after their end. */
const LATE_US = 300e3
/** With few requests to learn from, the models are surer than they can be. */
const ROWS_FOR_HALF_TRUST = 5
const LEAST_CONFIDENCE = 0.02

/**
 * Models take times for more telling than they are where jobs wait in queues, threads share a processor, and others call
 * as well: what they said, and how often it was right, over the services of `npm run accuracy` with all other evidence of
 * a call's parent off, at 1, 10 and 100 requests at a time.
 */
const MEASURED = [
  [0, 0],
  [0.25, 0.115],
  [0.656, 0.28],
  [0.9, 0.55],
  [0.95, 0.7],
  [0.978, 0.945],
  [0.99, 0.99],
  [0.999, 0.999],
  [1, 1],
] as const

function asMeasured(said: number): number {
  for (let i = 1; i < MEASURED.length; i++) {
    const [upper, right] = MEASURED[i]!
    if (said > upper) continue
    const [lower, least] = MEASURED[i - 1]!
    return least + ((said - lower) / (upper - lower)) * (right - least)
  }
  return said
}

interface WatchedRequest extends StreamedRequest {
  readonly sample: Sample
}
interface WatchedCall extends StreamedCall {
  readonly sample: Sample
}

export function createWatchedService({ seed, counters, decide }: WatchedServiceOptions): WatchedService {
  const requestKinds = createKinds()
  const callKinds = createKinds()
  const places = new WeakMap<ObservedProcess, number>()
  const requests = new WeakMap<Sample, WatchedRequest>()
  const known = new WeakMap<Sample, WatchedCall>()
  const decided = counters.counter('correlate.time.decided')
  const withoutParent = counters.counter('correlate.time.without_parent')
  const candidatesCapped = counters.counter('correlate.time.candidates_capped')
  const waysCapped = counters.counter('correlate.time.ways_capped')
  const refused = counters.counter('correlate.time.calls_refused')
  const requestsDropped = counters.counter('correlate.time.requests_dropped')
  const pairsCapped = counters.counter('correlate.time.pairs_capped')
  const changes = counters.counter('correlate.time.behaviour_changed')
  let processes = 0
  let doubtedNs = 0

  const placeOf = (process: ObservedProcess): number => {
    let place = places.get(process)
    if (place === undefined) places.set(process, (place = processes++))
    return place
  }
  const stream = createServiceStream({
    seed,
    lateUs: LATE_US,
    requestKinds: () => Math.max(1, requestKinds.size),
    callKinds: () => callKinds.size,
    decide: (call, candidates) => {
      decided.value++
      if (candidates[0]!.parent === undefined) withoutParent.value++
      const parents: TimedParent[] = []
      for (const { parent, confidence, rows } of candidates) {
        const trusted = asMeasured((confidence * rows) / (rows + ROWS_FOR_HALF_TRUST))
        if (parent === undefined || trusted < LEAST_CONFIDENCE) continue
        parents.push({ parent: (parent as WatchedRequest).sample, confidence: trusted })
      }
      decide((call as WatchedCall).sample, parents)
    },
    refused: calls => {
      refused.value += calls
    },
    dropped: dropped => {
      requestsDropped.value += dropped
    },
    solved: window => {
      candidatesCapped.value += window.candidates
      waysCapped.value += window.ways
      pairsCapped.value += window.pairs
      changes.value += window.changedKinds
    },
  })
  const end = (request: WatchedRequest): void => {
    const { exchange, endNs } = request.sample
    request.kind = requestKinds.of(`${exchange.protocol} ${exchange.name}`)
    request.end = endNs / 1e3
  }
  const callOf = (sample: Sample, owner: WatchedRequest | undefined): WatchedCall => {
    const { connection, exchange } = sample
    const server = connection.role === 'client' ? connection.remote : connection.local
    return {
      kind: callKinds.of(`${exchange.protocol} ${server.port} ${exchange.name}`),
      place: placeOf(sample.process),
      start: sample.startNs / 1e3,
      end: sample.endNs / 1e3,
      known: owner,
      sample,
    }
  }
  return {
    begin: sample => {
      if (requests.has(sample)) return
      const request: WatchedRequest = {
        kind: 0,
        place: placeOf(sample.process),
        start: sample.startNs / 1e3,
        end: Number.NaN,
        sample,
      }
      requests.set(sample, request)
      if (sample.complete) end(request)
      stream.begin(request)
    },
    complete: sample => {
      const request = requests.get(sample)
      if (request !== undefined) end(request)
    },
    add: (sample, parent) => {
      const owner = parent === undefined ? undefined : requests.get(parent)
      // A parent elsewhere, or from before this service was watched, tells nothing about it.
      if (parent !== undefined && owner === undefined) return
      const call = callOf(sample, owner)
      if (owner === undefined) doubtedNs = Math.max(doubtedNs, sample.endNs)
      else known.set(sample, call)
      stream.add(call)
    },
    reopen: sample => {
      const call = known.get(sample)
      doubtedNs = Math.max(doubtedNs, sample.endNs)
      if (call === undefined || !stream.reopen(call)) stream.add(callOf(sample, undefined))
    },
    advance: nowNs => stream.advance(nowNs / 1e3),
    finish: () => stream.finish(),
    holds: request => stream.undecided > 0 && request.endNs / 1e3 >= stream.firstUndecidedUs && requests.has(request),
    get undecided() {
      return stream.undecided
    },
    get doubtedNs() {
      return doubtedNs
    },
  }
}
