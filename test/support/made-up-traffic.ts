import type { TimeSample } from '../../src/correlate/time/link-by-time.js'
import { createSeededRandom } from '../../src/correlate/time/seeded-random.js'

/** A call that every request of the made-up service makes: after all calls of the stage before it, in its own time. */
export interface PlannedCall {
  readonly kind: string
  /** Calls of one stage run side by side; the next stage begins when all of them have ended. */
  readonly stage: number
  /** Mean of its duration, µs. */
  readonly takes: number
  /** Share of the requests that make it; default all. */
  readonly share?: number
  /** How often it is made, one after the other; default once. */
  readonly times?: number
}

export interface Traffic {
  readonly samples: TimeSample[]
  /** Index of the request of each call; -1: it has none. */
  readonly truth: number[]
}

export interface TrafficOptions {
  readonly seed: number
  readonly requests: number
  /** Mean time between two requests, µs. */
  readonly every: number
  readonly plan: readonly PlannedCall[]
  readonly service?: string
  readonly operation?: string
  readonly replicas?: number
  /** Calls besides, which no request makes, as a share of the requests. */
  readonly orphans?: number
  /** Each time is off by up to this much, µs. */
  readonly jitter?: number
  readonly startsAt?: number
}

/** Requests that come at random and do as planned, and who really made which call. */
export function madeUpTraffic(options: TrafficOptions): Traffic {
  const random = createSeededRandom(options.seed)
  const samples: TimeSample[] = []
  const truth: number[] = []
  const service = options.service ?? 'shop'
  const jitter = options.jitter ?? 0
  const exponential = (mean: number): number => -Math.log(1 - random()) * mean
  const about = (mean: number): number => mean * (0.6 + 0.3 * random()) + exponential(mean * 0.25)
  const shake = (time: number): number => time + (random() * 2 - 1) * jitter
  const add = (sample: TimeSample, parent: number): number => {
    const start = shake(sample.start)
    samples.push({ ...sample, start, end: Math.max(start, shake(sample.end)) })
    truth.push(parent)
    return samples.length - 1
  }
  let at = options.startsAt ?? 0
  for (let n = 0; n < options.requests; n++) {
    at += exponential(options.every)
    const place = `replica ${n % (options.replicas ?? 1)}`
    const request = add({ service, place, side: 'server', kind: options.operation ?? 'GET /', start: at, end: at }, -1)
    let now = at
    for (const stage of [...new Set(options.plan.map(call => call.stage))].sort((a, b) => a - b)) {
      let ended = now
      for (const { kind, takes, share, times, ...rest } of options.plan) {
        if (rest.stage !== stage || random() >= (share ?? 1)) continue
        let free = now
        for (let k = 0; k < (times ?? 1); k++) {
          const start = free + about(200)
          const end = start + about(takes)
          add({ service, place, side: 'client', kind, start, end }, request)
          free = end
        }
        ended = Math.max(ended, free)
      }
      now = ended
    }
    samples[request] = { ...samples[request]!, end: Math.max(samples[request]!.start, now + about(300)) }
    if (random() < (options.orphans ?? 0)) {
      const start = at + exponential(options.every)
      const { kind, takes } = options.plan[0]!
      add({ service, place, side: 'client', kind, start, end: start + about(takes) }, -1)
    }
  }
  return { samples, truth }
}

/** Share of the calls that have a parent and got the right one, and of the links made the share that is right. */
export function judged(
  { samples, truth }: Traffic,
  parentOf: (sample: number) => number,
): { recall: number; precision: number; links: number } {
  let links = 0
  let made = 0
  let right = 0
  samples.forEach((sample, index) => {
    if (sample.side !== 'client') return
    if (truth[index]! >= 0) links++
    const parent = parentOf(index)
    if (parent < 0) return
    made++
    if (parent === truth[index]) right++
  })
  return { recall: right / links, precision: right / made, links }
}
