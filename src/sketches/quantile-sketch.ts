/**
 * DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees",
 * VLDB 2019): values are counted in bins whose borders grow by a constant factor, so that every quantile is within a
 * relative error of what it is, and merging is adding counts. Numbers from 1 to 2^53 (nanoseconds) need at most 1,838
 * bins, so nothing has to be collapsed; what is below 1 is zero.
 */
export interface QuantileSketch {
  /** Relative error of a quantile. Two sketches merge only if theirs is the same. */
  readonly error: number
  add(value: number, times?: number): void
  /** False, and nothing done, if the other has another error: their bins mean something else. */
  merge(other: QuantileSketch): boolean
  count(): number
  /** The value below which this share (0 to 1) lies; NaN of nothing. */
  quantile(share: number): number
  /** Bins that hold something, in ascending order. */
  bins(): Bins
}

export interface Bins {
  readonly indexes: number[]
  readonly counts: number[]
}

export const QUANTILE_ERROR = 0.01
/** Index of the bin of values below 1. */
export const ZERO_BIN = -1
/** Bins by which the window grows. 2^53 lies in bin 1,837 at an error of 1 %. */
const STEP = 64

export function createQuantileSketch(error = QUANTILE_ERROR): QuantileSketch {
  if (!(error > 0 && error < 1)) throw new RangeError(`a sketch's error must be between 0 and 1, not ${error}`)
  const gamma = (1 + error) / (1 - error)
  const scale = 1 / Math.log(gamma)
  // A window of bins: `counts[i]` counts bin `first + i`.
  let first = 0
  let counts = new Float64Array(0)
  let zeros = 0
  let total = 0

  const widen = (index: number): void => {
    const empty = counts.length === 0
    const from = Math.min(empty ? index : first, index - (index % STEP))
    const to = Math.max(empty ? index : first + counts.length, index - (index % STEP) + STEP)
    const wider = new Float64Array(to - from)
    if (!empty) wider.set(counts, first - from)
    counts = wider
    first = from
  }
  const addTo = (index: number, times: number): void => {
    if (index === ZERO_BIN) zeros += times
    else {
      if (counts.length === 0 || index < first || index >= first + counts.length) widen(index)
      counts[index - first]! += times
    }
    total += times
  }
  const bins = (): Bins => {
    const found: Bins = { indexes: [], counts: [] }
    if (zeros > 0) {
      found.indexes.push(ZERO_BIN)
      found.counts.push(zeros)
    }
    for (let i = 0; i < counts.length; i++) {
      if (counts[i] === 0) continue
      found.indexes.push(first + i)
      found.counts.push(counts[i]!)
    }
    return found
  }
  return {
    error,
    add: (value, times = 1) => {
      if (value >= 1 && value <= Number.MAX_SAFE_INTEGER) addTo(Math.ceil(Math.log(value) * scale), times)
      else addTo(ZERO_BIN, times)
    },
    merge: other => {
      if (other.error !== error) return false
      const { indexes, counts: more } = other.bins()
      for (let i = 0; i < indexes.length; i++) addTo(indexes[i]!, more[i]!)
      return true
    },
    count: () => total,
    quantile: share => quantileOf(bins(), share, error),
    bins,
  }
}

/** The quantile of bins that were read or merged elsewhere, in SQL for instance. */
export function quantileOf({ indexes, counts }: Bins, share: number, error = QUANTILE_ERROR): number {
  let total = 0
  for (const count of counts) total += count
  if (total === 0) return Number.NaN
  const rank = Math.min(1, Math.max(0, share)) * (total - 1)
  let below = 0
  for (let i = 0; i < indexes.length; i++) {
    below += counts[i]!
    if (below > rank) return binValue(indexes[i]!, error)
  }
  return binValue(indexes.at(-1)!, error)
}

/** The value that stands for a bin: within the relative error of everything that is counted in it. */
export function binValue(index: number, error = QUANTILE_ERROR): number {
  if (index === ZERO_BIN) return 0
  const gamma = (1 + error) / (1 - error)
  return (2 * gamma ** index) / (gamma + 1)
}

/** A sketch from the bins that another one gave. */
export function quantileSketchOf({ indexes, counts }: Bins, error = QUANTILE_ERROR): QuantileSketch {
  const sketch = createQuantileSketch(error)
  sketch.merge({ ...sketch, bins: () => ({ indexes, counts }) })
  return sketch
}
