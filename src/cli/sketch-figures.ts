import type { MergedSketch } from '../archive/queries/read-sketches.js'
import { quantileOf } from '../sketches/quantile-sketch.js'

/** What is told of the calls of an operation or an edge. Times in ns, within 1 % where they are quantiles. */
export interface CallFigures {
  readonly calls: number
  readonly errors: number
  readonly perSecond: number
  readonly meanNs: number
  readonly p50Ns: number
  readonly p90Ns: number
  readonly p99Ns: number
  readonly longestNs: number
  readonly requestBytes: number
  readonly responseBytes: number
}

type Bins = MergedSketch['bins']

/** Sketches of any classes together, all of one format. */
export function callFigures(
  sketches: readonly MergedSketch[],
  seconds: number,
  quantileIn: (bins: Bins, share: number) => number = quantileOf,
): CallFigures {
  const counts = new Map<number, number>()
  for (const { bins } of sketches) {
    bins.indexes.forEach((index, i) => {
      counts.set(index, (counts.get(index) ?? 0) + bins.counts[i]!)
    })
  }
  const sorted = [...counts].sort(([a], [b]) => a - b)
  const bins = { indexes: sorted.map(([index]) => index), counts: sorted.map(([, count]) => count) }
  const sum = (value: (sketch: MergedSketch) => number): number =>
    sketches.reduce((total, sketch) => total + value(sketch), 0)
  const calls = sum(sketch => sketch.calls)
  // A bin's middle may lie above the longest that was seen.
  const longestNs = Math.max(0, ...sketches.map(sketch => sketch.longestNs))
  const quantile = (share: number): number => {
    const value = quantileIn(bins, share)
    return Number.isNaN(value) ? 0 : Math.round(Math.min(value, longestNs))
  }
  return {
    ...{ calls, errors: sum(sketch => sketch.errors), perSecond: seconds > 0 ? calls / seconds : 0 },
    ...{ meanNs: calls === 0 ? 0 : Math.round(sum(sketch => sketch.durationNs) / calls) },
    ...{ p50Ns: quantile(0.5), p90Ns: quantile(0.9), p99Ns: quantile(0.99), longestNs },
    ...{ requestBytes: sum(sketch => sketch.requestBytes), responseBytes: sum(sketch => sketch.responseBytes) },
  }
}

/** Sketches by a key, in the order of their first. */
export function grouped(
  sketches: readonly MergedSketch[],
  key: (sketch: MergedSketch) => string,
): Map<string, MergedSketch[]> {
  const groups = new Map<string, MergedSketch[]>()
  for (const sketch of sketches) {
    const name = key(sketch)
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [sketch])
    else group.push(sketch)
  }
  return groups
}

/** `1.25`, `31`, `0.017`: three digits are enough for a rate. */
export function rateText(perSecond: number): string {
  return perSecond >= 99.5 ? String(Math.round(perSecond)) : String(Number(perSecond.toPrecision(3)))
}

export const percentText = (part: number, whole: number): string =>
  part === 0 || whole === 0 ? '' : `${Number(((100 * part) / whole).toPrecision(2))} %`
