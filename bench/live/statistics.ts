export interface Estimate {
  readonly mean: number
  /** Half the width of the 95 % confidence interval of the mean; NaN for a single value. */
  readonly ci95: number
}

/** Two-sided 97.5 % quantiles of Student's t for 1 to 10 degrees of freedom (any table of the distribution). */
const STUDENT_T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228]

/** Mean of paired differences or ratios with its confidence interval. */
export function estimate(values: readonly number[]): Estimate {
  const n = values.length
  const mean = values.reduce((sum, value) => sum + value, 0) / n
  if (n < 2) return { mean, ci95: Number.NaN }
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1)
  return { mean, ci95: (STUDENT_T[n - 2] ?? 1.96) * Math.sqrt(variance / n) }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
