import { normalQuantile } from './normal-quantile.js'

const BINS = 400
/** Candidates for the kernel's width, on the scale of asinh(gap / scale). */
const BANDWIDTHS = [0.02, 0.035, 0.06, 0.1, 0.16, 0.25, 0.4]
/** Part of the likelihood that is left to "anywhere" while bandwidths are compared. */
const COMPARISON_FLOOR = 0.02
/** Gaps shorter than this (µs) are not told apart on the scale. */
const SMALLEST_SCALE_US = 5
const SCALE_WITHOUT_GAPS_US = 100

/** A part of the kernel is this many times as wide: a gap far from all others must not owe its likelihood to itself. */
const WIDE_SHARE = 0.05
const WIDER = 4

interface Grid {
  readonly scale: number
  readonly low: number
  readonly step: number
  readonly range: number
  /** Weight in each bin, linearly shared between the two nearest. */
  readonly counts: Float64Array
  readonly weight: number
  readonly squares: number
}

/**
 * How long one waits between two events (µs, may be negative): a kernel estimate over asinh(gap / scale), its width
 * chosen by leave-one-out likelihood, over a floor that leaves room for what was not seen yet. Densities are per µs.
 */
export class GapDensity {
  /** Mean of the log density over the gaps it was made of: how much it tells. */
  readonly meanLog: number
  readonly #scale: number
  readonly #logScale: number
  readonly #low: number
  readonly #step: number
  readonly #logs: Float64Array
  readonly #scores: Float64Array
  readonly #outside: number

  /** @param weights one for each gap; undefined: all 1. */
  constructor(gaps: Float64Array, weights?: Float64Array) {
    const grid = gridOf(gaps, weights)
    this.#scale = grid.scale
    this.#logScale = Math.log(grid.scale)
    this.#low = grid.low
    this.#step = grid.step
    const { weight, squares, range } = grid
    const effective = weight > 0 ? (weight * weight) / squares : 0
    const floor = Math.min(0.5, Math.max(0.004, 2 / (effective + 4)))
    const smooth = weight > 0 ? smoothed(grid) : grid.counts
    this.#logs = smooth.map(value => Math.log((1 - floor) * (weight > 0 ? value / weight : 0) + floor / range))
    this.#outside = Math.log(floor / range)
    this.#scores = normalScores(this.#logs)
    let sum = 0
    for (let i = 0; i < gaps.length; i++) sum += (weights === undefined ? 1 : weights[i]!) * this.log(gaps[i]!)
    this.meanLog = weight > 0 ? sum / weight : Number.NEGATIVE_INFINITY
  }

  /** Log density of a gap, per µs. */
  log(gap: number): number {
    const z = Math.abs(gap) / this.#scale
    const root = Math.sqrt(1 + z * z)
    const u = Math.log(z + root)
    return this.#logAt(((gap < 0 ? -u : u) - this.#low) / this.#step) - this.#logScale - Math.log(root)
  }

  /** Log density of a gap; its normal score goes to `scores[index]`. */
  logAndScore(gap: number, scores: Float64Array, index: number): number {
    const z = Math.abs(gap) / this.#scale
    const root = Math.sqrt(1 + z * z)
    const u = Math.log(z + root)
    const at = ((gap < 0 ? -u : u) - this.#low) / this.#step
    scores[index] = this.#scoreAt(at)
    return this.#logAt(at) - this.#logScale - Math.log(root)
  }

  /** Where the gap lies in the distribution, as a standard normal would say it. */
  normalScore(gap: number): number {
    return this.#scoreAt((Math.asinh(gap / this.#scale) - this.#low) / this.#step)
  }

  #logAt(at: number): number {
    if (at < 0) return this.#outside + at * this.#step * 2
    if (at >= BINS) return this.#outside - (at - BINS) * this.#step * 2
    return between(this.#logs, at)
  }

  #scoreAt(at: number): number {
    if (at <= 0) return this.#scores[0]!
    if (at >= BINS) return this.#scores[BINS]!
    return between(this.#scores, at)
  }
}

function between(values: Float64Array, at: number): number {
  const bin = at | 0
  const share = at - bin
  return values[bin]! * (1 - share) + values[bin + 1]! * share
}

function gridOf(gaps: Float64Array, weights: Float64Array | undefined): Grid {
  const n = gaps.length
  const lengths = gaps.map(Math.abs).sort()
  const scale = Math.max(SMALLEST_SCALE_US, n > 0 ? lengths[Math.floor(n * 0.25)]! * 0.3 : SCALE_WITHOUT_GAPS_US)
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  let weight = 0
  let squares = 0
  const u = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    const value = Math.asinh(gaps[i]! / scale)
    const w = weights === undefined ? 1 : weights[i]!
    u[i] = value
    if (value < low) low = value
    if (value > high) high = value
    weight += w
    squares += w * w
  }
  if (n === 0 || weight <= 0) {
    low = 0
    high = 8
  }
  const margin = Math.max(0.5, (high - low) * 0.1)
  low -= margin
  high += margin
  const step = (high - low) / BINS
  const counts = new Float64Array(BINS + 1)
  for (let i = 0; i < n; i++) {
    const at = (u[i]! - low) / step
    const bin = Math.floor(at)
    const w = weights === undefined ? 1 : weights[i]!
    counts[bin] = counts[bin]! + w * (1 - at + bin)
    counts[bin + 1] = counts[bin + 1]! + w * (at - bin)
  }
  return { scale, low, step, range: high - low, counts, weight, squares }
}

/** The counts under the kernel whose width explains each gap best by all the others. */
function smoothed(grid: Grid): Float64Array {
  const { counts, step, weight, squares, range } = grid
  const self = squares / weight
  let best = counts
  let bestWidth = 0
  let bestLikelihood = Number.NEGATIVE_INFINITY
  for (const width of BANDWIDTHS) {
    if (width < step * 0.7) continue
    const kernel = kernelOf(width, step)
    const smooth = convolved(counts, kernel)
    let likelihood = 0
    for (let bin = 0; bin <= BINS; bin++) {
      const count = counts[bin]!
      if (count === 0) continue
      const others = Math.max(0, smooth[bin]! - self * kernel[0]!) / Math.max(1e-9, weight - self)
      likelihood += count * Math.log((1 - COMPARISON_FLOOR) * others + COMPARISON_FLOOR / range)
    }
    if (likelihood > bestLikelihood) {
      bestLikelihood = likelihood
      best = smooth
      bestWidth = width
    }
  }
  if (bestWidth === 0) return best
  const wide = convolved(counts, kernelOf(Math.min(bestWidth * WIDER, range / 4), step))
  return best.map((narrow, bin) => (1 - WIDE_SHARE) * narrow + WIDE_SHARE * wide[bin]!)
}

/** One half of a Gaussian, its whole having the integral 1. */
function kernelOf(width: number, step: number): Float64Array {
  const radius = Math.ceil((3.5 * width) / step)
  const kernel = new Float64Array(radius + 1)
  let sum = 0
  for (let r = 0; r <= radius; r++) {
    kernel[r] = Math.exp(-0.5 * ((r * step) / width) ** 2)
    sum += (r === 0 ? 1 : 2) * kernel[r]!
  }
  return kernel.map(value => value / (sum * step))
}

function convolved(counts: Float64Array, kernel: Float64Array): Float64Array {
  const radius = kernel.length - 1
  const smooth = new Float64Array(BINS + 1)
  for (let bin = 0; bin <= BINS; bin++) {
    const count = counts[bin]!
    if (count === 0) continue
    const last = Math.min(BINS, bin + radius)
    for (let at = Math.max(0, bin - radius); at <= last; at++) {
      smooth[at] = smooth[at]! + count * kernel[at < bin ? bin - at : at - bin]!
    }
  }
  return smooth
}

function normalScores(logs: Float64Array): Float64Array {
  const densities = logs.map(Math.exp)
  let total = 0
  for (const density of densities) total += density
  let below = 0
  return densities.map(density => {
    const share = density / total
    const score = normalQuantile(Math.min(0.9995, Math.max(0.0005, below + share / 2)))
    below += share
    return score
  })
}
