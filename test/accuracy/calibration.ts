/** Of the links that say so sure, how many are right. */
export interface CalibrationBin {
  /** The band's bounds: from (included) to. */
  readonly from: number
  readonly to: number
  /** Mean of the confidences, and the share that was right. */
  readonly said: number
  readonly was: number
  readonly n: number
}

export interface Calibration {
  readonly bins: readonly CalibrationBin[]
  /** Largest difference of said and was, of bands with enough links. */
  readonly maxError: number
}

export interface Claim {
  readonly confidence: number
  readonly right: boolean
}

const BOUNDS = [0, 0.5, 0.8, 0.95, 0.99, 1.000001]
export const ENOUGH_LINKS = 100

export function calibrationOf(claims: readonly Claim[]): Calibration {
  const bins: CalibrationBin[] = []
  let maxError = 0
  for (let i = 0; i + 1 < BOUNDS.length; i++) {
    const from = BOUNDS[i]!
    const to = BOUNDS[i + 1]!
    const inside = claims.filter(({ confidence }) => confidence >= from && confidence < to)
    const n = inside.length
    if (n === 0) continue
    const said = inside.reduce((sum, { confidence }) => sum + confidence, 0) / n
    const was = inside.filter(({ right }) => right).length / n
    bins.push({ from, to: Math.min(1, to), said: round(said), was: round(was), n })
    if (n >= ENOUGH_LINKS) maxError = Math.max(maxError, round(Math.abs(said - was)))
  }
  return { bins, maxError }
}

/** Several calibrations as one, from their bins. */
export function mergeCalibrations(all: readonly Calibration[]): Calibration {
  const bins: CalibrationBin[] = []
  let maxError = 0
  for (let i = 0; i + 1 < BOUNDS.length; i++) {
    const same = all.flatMap(each => each.bins.filter(({ from }) => from === BOUNDS[i]))
    const n = same.reduce((sum, bin) => sum + bin.n, 0)
    if (n === 0) continue
    const said = same.reduce((sum, bin) => sum + bin.said * bin.n, 0) / n
    const was = same.reduce((sum, bin) => sum + bin.was * bin.n, 0) / n
    bins.push({ from: BOUNDS[i]!, to: Math.min(1, BOUNDS[i + 1]!), said: round(said), was: round(was), n })
    if (n >= ENOUGH_LINKS) maxError = Math.max(maxError, round(Math.abs(said - was)))
  }
  return { bins, maxError }
}

function round(share: number): number {
  return Math.round(share * 1e5) / 1e5
}
