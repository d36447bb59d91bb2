import { binsOf, type CallGroup, type CallTotals } from '../sketches/call-totals.js'
import { KERNEL_SKETCH_FORMAT } from '../sketches/sketch-row.js'

/** What `/calls` answers: everything that the kernel has counted since the daemon started. */
export interface CallReport {
  /** Of the histograms; another one means something else. */
  readonly format: number
  /** Milliseconds since 1970. */
  readonly at: number
  readonly groups: readonly ReportedCalls[]
}

export interface ReportedCalls extends Omit<CallGroup, 'latency'> {
  readonly latency: { readonly indexes: readonly number[]; readonly counts: readonly number[] }
}

/** undefined: the capture has not started yet. */
export function callReport(totals: CallTotals | undefined, at: number): CallReport {
  const groups = (totals?.groups() ?? []).map(({ service, peer, direction, counts, latency }) => {
    return { service, peer, direction, counts: { ...counts }, latency: binsOf(latency) }
  })
  return { format: KERNEL_SKETCH_FORMAT, at, groups }
}
