import { createKinds } from './kinds.js'
import { createServiceWindow } from './service-window.js'
import { type Capped, type SolvedWindow, solveWindow } from './solve-window.js'
import { NO_PARENT, type TimeCandidate, type TimedCall, type TimedRequest } from './timed-sample.js'

/** One operation at one end, as far as time evidence needs it. */
export interface TimeSample {
  /** Whose models apply: samples of one service are judged together. */
  readonly service: string
  /** Where within the service (a process): a call is only made where its request is worked on. Default: one place. */
  readonly place?: string
  readonly side: 'client' | 'server'
  /** What it is: the operation; for the client side the peer as well. */
  readonly kind: string
  /** In µs, on one clock within a place. A sample without an end (not finite) is not judged, nor given calls. */
  readonly start: number
  readonly end: number
  /** Client side: index of the parent where it is known otherwise, NO_PARENT where it is known that there is none. */
  readonly known?: number
}

export interface TimeLinks {
  /** For each sample of the client side its possible parents (indexes of samples, or NO_PARENT), the chosen one first. */
  readonly candidates: readonly (readonly TimeCandidate[] | undefined)[]
  readonly capped: Capped
}

export interface LinkByTimeOptions {
  readonly seed?: number
  readonly candidates?: number
}

interface ServiceSamples {
  readonly servers: number[]
  readonly clients: number[]
}

/** Who made which call, for a whole capture at once. Each service is judged by itself; deterministic for a seed. */
export function linkByTime(samples: readonly TimeSample[], options: LinkByTimeOptions = {}): TimeLinks {
  const candidates: (readonly TimeCandidate[] | undefined)[] = samples.map(() => undefined)
  const capped = { candidates: 0, ways: 0, pairs: 0 }
  for (const service of servicesOf(samples).values()) {
    const { servers, clients } = service
    const solved = solveService(samples, service, options)
    clients.forEach((sample, call) => {
      candidates[sample] = solved.candidates[call]!.map(({ parent, confidence }) => {
        return { parent: parent >= 0 ? servers[parent]! : NO_PARENT, confidence }
      })
    })
    capped.candidates += solved.capped.candidates
    capped.ways += solved.capped.ways
    capped.pairs += solved.capped.pairs
  }
  return { candidates, capped }
}

function servicesOf(samples: readonly TimeSample[]): Map<string, ServiceSamples> {
  const services = new Map<string, ServiceSamples>()
  samples.forEach((sample, index) => {
    if (!Number.isFinite(sample.start) || !Number.isFinite(sample.end)) return
    let service = services.get(sample.service)
    if (service === undefined) services.set(sample.service, (service = { servers: [], clients: [] }))
    ;(sample.side === 'server' ? service.servers : service.clients).push(index)
  })
  const byStart = (a: number, b: number): number => samples[a]!.start - samples[b]!.start || a - b
  for (const { servers, clients } of services.values()) {
    servers.sort(byStart)
    clients.sort(byStart)
  }
  return services
}

function solveService(
  samples: readonly TimeSample[],
  { servers, clients }: ServiceSamples,
  options: LinkByTimeOptions,
): SolvedWindow {
  const requestKinds = createKinds()
  const callKinds = createKinds()
  const places = createKinds(Number.POSITIVE_INFINITY)
  const requestOf = new Map(servers.map((sample, request) => [sample, request]))
  const requests: TimedRequest[] = servers.map(index => {
    const { kind, place, start, end } = samples[index]!
    return { kind: requestKinds.of(kind), place: places.of(place ?? ''), start, end }
  })
  const calls: TimedCall[] = clients.map(index => {
    const { kind, place, start, end, known } = samples[index]!
    const parent = known === undefined ? undefined : (requestOf.get(known) ?? NO_PARENT)
    return { kind: callKinds.of(kind), place: places.of(place ?? ''), start, end, known: parent }
  })
  const window = createServiceWindow({
    requests,
    calls,
    requestKinds: requestKinds.size,
    callKinds: callKinds.size,
  })
  return solveWindow(window, { seed: options.seed ?? 1, candidates: options.candidates ?? 5 })
}
