/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

export interface Dataset {
  readonly name: string
  readonly n: number
  readonly values: (n: number) => Float64Array
}

const filled = (draw: (random: () => number, i: number) => number): Dataset['values'] => {
  return n => {
    const random = seeded(n)
    return Float64Array.from({ length: n }, (_, i) => Math.max(1, Math.round(draw(random, i))))
  }
}

/** The borders of bins are where a sketch is most wrong: values just above and just below them. */
const GAMMA = 1.01 / 0.99

/** Durations in nanoseconds. */
export const DATASETS: readonly Dataset[] = [
  { name: 'uniform', n: 1_000_000, values: filled(random => 1e9 * random()) },
  { name: 'log-normal', n: 10_000_000, values: filled(random => 2e6 * Math.exp(0.8 * normal(random))) },
  { name: 'Pareto', n: 1_000_000, values: filled(random => 1e5 / (1 - random())) },
  {
    name: 'bimodal',
    n: 1_000_000,
    values: filled(random => (random() < 0.9 ? 2e5 : 5e9) * Math.exp(0.1 * normal(random))),
  },
  { name: 'constant', n: 1_000_000, values: filled(() => 1_234_567) },
  {
    name: 'adversarial',
    n: 1_000_000,
    values: filled((random, i) => GAMMA ** (400 + (i % 1_400)) * (1 + (random() < 0.5 ? -1 : 1) * 1e-9)),
  },
]
