/**
 * Two requests of one kind that wait for the same step at the same time: do they go on in the order in which they began
 * to wait, and are they delayed alike?
 */
export interface WaitOrder {
  /** Log of how much likelier order kept, or not kept, is than chance. */
  readonly kept: number
  readonly overtaken: number
  /** Shared delay: normal scores of waits at the same time, as a bivariate normal. */
  readonly mean: number
  readonly deviation: number
  readonly correlation: number
}

/** Two waits whose pairing other evidence settles. */
export interface PairOfWaits {
  /** What the gaps alone say for the pairing (nats). */
  own: number
  readonly tie: boolean
  readonly inOrder: boolean
  /** Normal scores of the two gaps as they are, and as they would be with the calls exchanged. */
  readonly scores: readonly [number, number]
  readonly exchanged: readonly [number, number]
}

/** Nearly no overtaking at all, and almost impossible: the order of a server with one thread. */
const STRICT = 10
const STRICT_PAIRS = 12
const STRICT_SHARE = 0.02
const PRIOR_ORDER_MEAN = 1
const PRIOR_ORDER_VARIANCE = 1
const PRIOR_CORRELATION = 0.2
const PRIOR_CORRELATION_PAIRS = 20

export const STRICT_ORDER: WaitOrder = orderOf(STRICT, { mean: 0, deviation: 1, correlation: PRIOR_CORRELATION })

type SharedDelay = Pick<WaitOrder, 'mean' | 'deviation' | 'correlation'>

/** Log ratio of two scores taken together to taken apart. */
export function sharedDelay({ mean, deviation, correlation }: SharedDelay, first: number, second: number): number {
  const a = (first - mean) / deviation
  const b = (second - mean) / deviation
  const r = correlation
  const k = 1 - r * r
  return -0.5 * Math.log(k) - (r * r * (a * a + b * b) - 2 * r * a * b) / (2 * k)
}

/** True if requests of this service (almost) never overtake each other. */
export function isStrict(pairs: Iterable<readonly PairOfWaits[]>): boolean {
  let count = 0
  let overtaken = 0
  for (const list of pairs) {
    for (const pair of list) {
      if (pair.tie) continue
      count++
      if (!pair.inOrder) overtaken++
    }
  }
  return count >= STRICT_PAIRS && overtaken <= STRICT_SHARE * count
}

export function learnWaitOrder(pairs: readonly PairOfWaits[], strict: boolean): WaitOrder {
  const shared = learnSharedDelay(pairs)
  if (strict) return orderOf(STRICT, shared)
  const ordered = pairs.filter(pair => !pair.tie)
  // Logistic regression of "in order" on a constant, the odds that the gaps alone give being known.
  let strength = 0
  for (let round = 0; round < 25; round++) {
    let slope = (PRIOR_ORDER_MEAN - strength) / PRIOR_ORDER_VARIANCE
    let curvature = 1 / PRIOR_ORDER_VARIANCE
    for (const { inOrder, own, scores, exchanged } of ordered) {
      const told = own + sharedDelay(shared, ...scores) - sharedDelay(shared, ...exchanged)
      const expected = 1 / (1 + Math.exp(-((inOrder ? told : -told) + strength)))
      slope += (inOrder ? 1 : 0) - expected
      curvature += expected * (1 - expected)
    }
    const step = Math.max(-1, Math.min(1, slope / curvature))
    strength += step
    if (Math.abs(step) < 1e-4) break
  }
  return orderOf(strength, shared)
}

function orderOf(strength: number, shared: SharedDelay): WaitOrder {
  return {
    kept: Math.log(2 / (1 + Math.exp(-strength))),
    overtaken: Math.log(2 / (1 + Math.exp(strength))),
    ...shared,
  }
}

function learnSharedDelay(pairs: readonly PairOfWaits[]): SharedDelay {
  const count = pairs.length
  if (count === 0) return { mean: 0, deviation: 1, correlation: 0 }
  let sum = 0
  for (const { scores } of pairs) sum += scores[0] + scores[1]
  const mean = sum / (2 * count)
  let squares = 0
  let products = 0
  for (const { scores } of pairs) {
    squares += (scores[0] - mean) ** 2 + (scores[1] - mean) ** 2
    products += (scores[0] - mean) * (scores[1] - mean)
  }
  const variance = squares / (2 * count)
  const raw =
    (products / Math.max(1e-3, variance) + PRIOR_CORRELATION * PRIOR_CORRELATION_PAIRS) /
    (count + PRIOR_CORRELATION_PAIRS)
  return {
    mean: (mean * count) / (count + 5),
    deviation: Math.sqrt((variance * count + 10) / (count + 10)),
    correlation: Math.max(-0.1, Math.min(0.8, raw)),
  }
}
