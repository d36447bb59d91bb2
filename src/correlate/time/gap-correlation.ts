/** Correlations are believed as if this many pairs of independent gaps had been seen as well. */
const SHRINKAGE = 30
const STRONGEST = 0.9
/** Subsets of gaps are named by a bit each. */
const MOST_GAPS = 30

interface Subset {
  readonly members: Int32Array
  /** Inverse of the correlation matrix, less the unit matrix. */
  readonly inverse: Float64Array
  readonly logDeterminant: number
}

/**
 * What the gaps of one request tell about each other (a slow request is slow throughout): a Gaussian copula over their
 * normal scores, for whatever subset of them is there.
 */
export interface GapCorrelation {
  /** Log density ratio of the scores together to the scores taken apart. `present`: one bit for each gap that is there. */
  log(present: number, scores: Float64Array): number
}

/** Collects the scores of many requests; NaN where a gap is not there. */
export interface CorrelationSums {
  add(scores: Float64Array, weight: number): void
  finish(): GapCorrelation
}

export function createCorrelationSums(gaps: number): CorrelationSums | undefined {
  if (gaps > MOST_GAPS) return undefined
  const products = new Float64Array(gaps * gaps)
  const weights = new Float64Array(gaps * gaps)
  return {
    add: (scores, weight) => {
      for (let a = 1; a < gaps; a++) {
        const first = scores[a]!
        if (Number.isNaN(first)) continue
        for (let b = 0; b < a; b++) {
          const second = scores[b]!
          if (Number.isNaN(second)) continue
          const at = a * gaps + b
          products[at] = products[at]! + weight * first * second
          weights[at] = weights[at]! + weight
        }
      }
    },
    finish: () => {
      const matrix = new Float64Array(gaps * gaps)
      for (let a = 0; a < gaps; a++) {
        matrix[a * gaps + a] = 1
        for (let b = 0; b < a; b++) {
          const raw = products[a * gaps + b]! / (weights[a * gaps + b]! + SHRINKAGE)
          matrix[a * gaps + b] = matrix[b * gaps + a] = Math.max(-STRONGEST, Math.min(STRONGEST, raw))
        }
      }
      return createGapCorrelation(matrix, gaps)
    },
  }
}

function createGapCorrelation(matrix: Float64Array, gaps: number): GapCorrelation {
  const subsets = new Map<number, Subset>()
  const subsetOf = (present: number): Subset => {
    const known = subsets.get(present)
    if (known !== undefined) return known
    const made = makeSubset(matrix, gaps, present)
    subsets.set(present, made)
    return made
  }
  return {
    log: (present, scores) => {
      const { members, inverse, logDeterminant } = subsetOf(present)
      const n = members.length
      let quadratic = 0
      for (let i = 0; i < n; i++) {
        let row = 0
        for (let j = 0; j < n; j++) row += inverse[i * n + j]! * scores[members[j]!]!
        quadratic += row * scores[members[i]!]!
      }
      return -0.5 * (quadratic + logDeterminant)
    },
  }
}

function makeSubset(matrix: Float64Array, gaps: number, present: number): Subset {
  const members: number[] = []
  for (let gap = 0; gap < gaps; gap++) if (((present >> gap) & 1) === 1) members.push(gap)
  const n = members.length
  // Correlations estimated pair by pair need not fit together (the matrix is not positive definite): weaken them until
  // they do.
  for (let strength = 1; ; strength = strength < WEAKEST ? 0 : strength * 0.7) {
    const part = new Float64Array(n * n)
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        part[i * n + j] = i === j ? 1 : strength === 0 ? 0 : matrix[members[i]! * gaps + members[j]!]! * strength
      }
    }
    const logDeterminant = invertInPlace(part, n)
    if (Number.isNaN(logDeterminant)) continue
    for (let i = 0; i < n; i++) part[i * n + i] = part[i * n + i]! - 1
    return { members: Int32Array.from(members), inverse: part, logDeterminant }
  }
}

/** Beyond this nothing is left of the correlations. */
const WEAKEST = 0.05
const SMALLEST_PIVOT = 0.02

/** Gauss-Jordan; returns the logarithm of the determinant, NaN where the matrix is not safely positive definite. */
function invertInPlace(matrix: Float64Array, n: number): number {
  let logDeterminant = 0
  for (let i = 0; i < n; i++) {
    const pivot = matrix[i * n + i]!
    if (!(pivot >= SMALLEST_PIVOT)) return Number.NaN
    logDeterminant += Math.log(pivot)
    matrix[i * n + i] = 1
    for (let j = 0; j < n; j++) matrix[i * n + j] = matrix[i * n + j]! / pivot
    for (let k = 0; k < n; k++) {
      if (k === i) continue
      const factor = matrix[k * n + i]!
      if (factor === 0) continue
      matrix[k * n + i] = 0
      for (let j = 0; j < n; j++) matrix[k * n + j] = matrix[k * n + j]! - factor * matrix[i * n + j]!
    }
  }
  return logDeterminant
}
