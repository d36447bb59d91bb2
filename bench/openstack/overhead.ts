import { estimate } from '../live/statistics.js'
import type { Turn, Variant } from './turns.js'

export interface Overhead {
  /** on/off - 1 of the pairs: duration, and latency of Tempest's calls. */
  readonly durationShare: number
  readonly p50Share: number
  readonly p95Share: number
  readonly p99Share: number
  /** CPU that came on top, over the machine's (processors × time). Ghostspan: its own, counted; OSProfiler: what services and back ends use more. */
  readonly machineCpuShare: number
  /** … over what services and back ends use without it. */
  readonly servicesCpuShare: number
  /** Half the 95 % confidence interval of each; null with one pair. */
  readonly ci95: Readonly<Record<string, number | null>>
  readonly pairs: number
}

/** Undefined if there is no pair. */
export function overheadOf(turns: readonly Turn[], variant: Variant, processors: number): Overhead | undefined {
  const pairs = turns
    .filter(turn => turn.variant === variant)
    .flatMap(on => {
      const off = turns.find(
        ({ variant: other, suite, concurrency, pair }) =>
          other === 'off' && suite === on.suite && concurrency === on.concurrency && pair === on.pair,
      )
      return off === undefined ? [] : [{ on, off }]
    })
  if (pairs.length === 0) return undefined
  const added = ({ on, off }: { on: Turn; off: Turn }): number =>
    on.watched === undefined
      ? on.servicesCpuMs + on.backEndsCpuMs - off.servicesCpuMs - off.backEndsCpuMs
      : on.watched.ownCpuMs + on.watched.bpfMs
  const figures = {
    durationShare: pairs.map(({ on, off }) => on.durationS / off.durationS - 1),
    p50Share: pairs.map(({ on, off }) => on.p50Ms / off.p50Ms - 1),
    p95Share: pairs.map(({ on, off }) => on.p95Ms / off.p95Ms - 1),
    p99Share: pairs.map(({ on, off }) => on.p99Ms / off.p99Ms - 1),
    machineCpuShare: pairs.map(pair => added(pair) / (processors * pair.on.durationS * 1_000)),
    servicesCpuShare: pairs.map(pair => added(pair) / (pair.off.servicesCpuMs + pair.off.backEndsCpuMs)),
  }
  const means: Record<string, number> = {}
  const ci95: Record<string, number | null> = {}
  for (const [name, values] of Object.entries(figures)) {
    const { mean, ci95: half } = estimate(values)
    means[name] = round(mean)
    ci95[name] = Number.isNaN(half) ? null : round(half)
  }
  return { ...(means as unknown as Omit<Overhead, 'ci95' | 'pairs'>), ci95, pairs: pairs.length }
}

const round = (value: number): number => Math.round(value * 1e5) / 1e5
