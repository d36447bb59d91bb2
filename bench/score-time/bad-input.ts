import type { TimeSample } from '../../src/correlate/time/link-by-time.js'
import { createSeededRandom } from '../../src/correlate/time/seeded-random.js'
import { madeUpTraffic, type PlannedCall, type Traffic } from '../../test/support/made-up-traffic.js'

/** Made-up traffic of one service with something wrong in it, or far too much of it. */
export interface BadInput {
  readonly name: string
  readonly traffic: () => Traffic
}

const PLAN: readonly PlannedCall[] = [
  { kind: 'db SELECT', stage: 0, takes: 12_000 },
  { kind: 'stock GET /', stage: 0, takes: 18_000 },
  { kind: 'mail POST /', stage: 1, takes: 9_000 },
]
const OTHER_PLAN: readonly PlannedCall[] = [
  { kind: 'mail POST /', stage: 0, takes: 36_000 },
  { kind: 'db SELECT', stage: 1, takes: 5_000 },
  { kind: 'stock GET /', stage: 2, takes: 24_000 },
]
const REQUESTS = 1_000
/** About one and a half requests are open at any time. */
const EVERY_US = 24_000
const MS = 1_000

const plain = (requests = REQUESTS): Traffic => madeUpTraffic({ seed: 1, requests, every: EVERY_US, plan: PLAN })

export const badInputs: readonly BadInput[] = [
  { name: 'nothing wrong', traffic: plain },
  { name: 'clock steps forth by 50 ms, four times', traffic: () => steppingClock(plain(), 50 * MS) },
  { name: 'clock steps back by 50 ms, four times', traffic: () => steppingClock(plain(), -50 * MS) },
  { name: 'calls timed by a clock 1 ms behind', traffic: () => skewed(plain(), -1 * MS) },
  { name: 'calls timed by a clock 1 ms ahead', traffic: () => skewed(plain(), 1 * MS) },
  { name: 'calls timed by a clock 5 ms ahead', traffic: () => skewed(plain(), 5 * MS) },
  { name: 'calls timed by a clock 50 ms ahead', traffic: () => skewed(plain(), 50 * MS) },
  { name: 'one sample in ten twice', traffic: () => repeated(plain(), 0.1) },
  {
    name: 'one call in ten never returns',
    traffic: () => changed(plain(), 0.1, call => ({ ...call, end: Number.NaN })),
  },
  {
    name: 'one call in ten outlives its request by 20 ms',
    traffic: () => changed(plain(), 0.1, call => ({ ...call, end: call.end + 20 * MS })),
  },
  { name: 'other behaviour from the middle on', traffic: changedBehaviour },
  { name: 'a thousand operations, three requests each', traffic: thousandOperations },
  {
    name: 'a thousand calls in each request',
    traffic: () =>
      madeUpTraffic({
        seed: 1,
        requests: 20,
        every: 150 * MS,
        plan: [{ kind: 'db SELECT', stage: 0, takes: 100, times: 1_000 }],
      }),
  },
  ...[100, 1_000, 10_000].map(requests => ({
    name: `${requests.toLocaleString('en')} requests at once`,
    traffic: () => madeUpTraffic({ seed: 1, requests, every: 1, plan: PLAN }),
  })),
]

/** Whatever happens after a step is timed by a clock that is off by one step more. */
function steppingClock({ samples, truth }: Traffic, by: number): Traffic {
  const last = samples.reduce((end, sample) => Math.max(end, sample.end), 0)
  const read = (time: number): number => time + Math.floor((time / last) * 4.999) * by
  return { samples: samples.map(sample => ({ ...sample, start: read(sample.start), end: read(sample.end) })), truth }
}

function skewed({ samples, truth }: Traffic, by: number): Traffic {
  const off = (sample: TimeSample): number => (sample.side === 'client' ? by : 0)
  return {
    samples: samples.map(sample => ({ ...sample, start: sample.start + off(sample), end: sample.end + off(sample) })),
    truth,
  }
}

/** The copies are as true as the originals: a copy of a call belongs to the same request. */
function repeated({ samples, truth }: Traffic, share: number): Traffic {
  const random = createSeededRandom(3)
  const again = samples.flatMap((_, index) => (random() < share ? [index] : []))
  return {
    samples: [...samples, ...again.map(index => ({ ...samples[index]! }))],
    truth: [...truth, ...again.map(index => truth[index]!)],
  }
}

function changed({ samples, truth }: Traffic, share: number, change: (call: TimeSample) => TimeSample): Traffic {
  const random = createSeededRandom(3)
  return {
    samples: samples.map(sample => (sample.side === 'client' && random() < share ? change(sample) : sample)),
    truth,
  }
}

function changedBehaviour(): Traffic {
  return inOneRun([
    startsAt => madeUpTraffic({ seed: 1, requests: 2 * REQUESTS, every: EVERY_US, plan: PLAN, startsAt }),
    startsAt => madeUpTraffic({ seed: 2, requests: 2 * REQUESTS, every: EVERY_US, plan: OTHER_PLAN, startsAt }),
  ])
}

function thousandOperations(): Traffic {
  const { samples, truth } = plain(3_000)
  const random = createSeededRandom(3)
  return {
    samples: samples.map(sample => {
      return sample.side === 'server' ? { ...sample, kind: `GET /${Math.floor(random() * 1_000)}` } : sample
    }),
    truth,
  }
}

function inOneRun(parts: readonly ((startsAt: number) => Traffic)[]): Traffic {
  const samples: TimeSample[] = []
  const truth: number[] = []
  let startsAt = 0
  for (const part of parts) {
    const traffic = part(startsAt)
    const shift = samples.length
    for (const sample of traffic.samples) {
      samples.push(sample)
      startsAt = Math.max(startsAt, sample.end)
    }
    for (const parent of traffic.truth) truth.push(parent < 0 ? parent : parent + shift)
  }
  return { samples, truth }
}
