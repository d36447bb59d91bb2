import { createKinds } from './kinds.js'
import type { LinkByTimeOptions, TimeLinks, TimeSample } from './link-by-time.js'
import { createServiceStream, type ServiceStream, type StreamedCall, type StreamedRequest } from './service-stream.js'
import { NO_PARENT, type TimeCandidate } from './timed-sample.js'

/** What went on while a stream was linked. */
export interface StreamLinks extends TimeLinks {
  readonly windows: number
  /** How often a kind of request was found to go another way than before. */
  readonly changes: number
  /** Longest time between a call's end and its decision, µs. */
  readonly longestDelayUs: number
}

interface Service {
  readonly stream: ServiceStream
  readonly requestKinds: ReturnType<typeof createKinds>
  readonly callKinds: ReturnType<typeof createKinds>
  readonly places: ReturnType<typeof createKinds>
}

interface Happening {
  readonly at: number
  readonly order: number
  readonly happen: () => void
}

/** Links a capture as if it came in just now: each sample is told of when it begins and ends, decisions are final. */
export function linkStreamByTime(samples: readonly TimeSample[], options: LinkByTimeOptions = {}): StreamLinks {
  const candidates: (readonly TimeCandidate[] | undefined)[] = samples.map(() => undefined)
  const indexOf = new Map<StreamedRequest | StreamedCall, number>()
  const requestOf = new Map<number, StreamedRequest>()
  const services = new Map<string, Service>()
  const totals = { candidates: 0, ways: 0, pairs: 0, windows: 0, changes: 0, delay: 0 }
  let now = Number.NEGATIVE_INFINITY

  const serviceOf = (name: string): Service => {
    const known = services.get(name)
    if (known !== undefined) return known
    const requestKinds = createKinds()
    const callKinds = createKinds()
    const stream = createServiceStream({
      seed: options.seed ?? 1,
      requestKinds: () => requestKinds.size,
      callKinds: () => callKinds.size,
      decide: (call, those) => {
        totals.delay = Math.max(totals.delay, now - call.end)
        candidates[indexOf.get(call)!] = those.map(({ parent, confidence }) => {
          return { parent: parent === undefined ? NO_PARENT : indexOf.get(parent)!, confidence }
        })
      },
      solved: window => {
        totals.windows++
        totals.candidates += window.candidates
        totals.ways += window.ways
        totals.pairs += window.pairs
        totals.changes += window.changedKinds
      },
    })
    const service = { stream, requestKinds, callKinds, places: createKinds(Number.POSITIVE_INFINITY) }
    services.set(name, service)
    return service
  }

  const happenings: Happening[] = []
  samples.forEach((sample, index) => {
    const { stream, requestKinds, callKinds, places } = serviceOf(sample.service)
    const { start, end } = sample
    if (!Number.isFinite(start)) return
    const place = places.of(sample.place ?? '')
    if (sample.side === 'server') {
      const request: StreamedRequest = { kind: requestKinds.of(sample.kind), place, start, end: Number.NaN }
      indexOf.set(request, index)
      requestOf.set(index, request)
      happenings.push({ at: start, order: 0, happen: () => stream.begin(request) })
      if (Number.isFinite(end)) happenings.push({ at: end, order: 2, happen: () => void (request.end = end) })
      return
    }
    if (!Number.isFinite(end)) return
    const kind = callKinds.of(sample.kind)
    const add = (): void => {
      const known = sample.known === undefined ? undefined : requestOf.get(sample.known)
      const call: StreamedCall = { kind, place, start, end, known }
      indexOf.set(call, index)
      stream.add(call)
    }
    happenings.push({ at: end, order: 1, happen: add })
  })
  happenings.sort((a, b) => a.at - b.at || a.order - b.order)
  for (const { at, happen } of happenings) {
    now = at
    happen()
    for (const { stream } of services.values()) stream.advance(at)
  }
  for (const { stream } of services.values()) stream.finish()
  return {
    candidates,
    capped: { candidates: totals.candidates, ways: totals.ways, pairs: totals.pairs },
    windows: totals.windows,
    changes: totals.changes,
    longestDelayUs: totals.delay,
  }
}
