import type { Counters } from '../telemetry/counters.js'
import { LOST_CAUSES } from './control-layout.js'
import type { CaptureHandle, NativeAddon } from './native-addon.js'

export interface Loss {
  readonly cause: string
  readonly count: number
}

/**
 * The events that were lost since the last call, by cause: for `lost` records, whose reader counts them. What cost no
 * event (payload not copied and the like) is added to the counters here.
 */
export type LossReader = () => Loss[]

export function createLossReader(addon: NativeAddon, handle: CaptureHandle, counters: Counters): LossReader {
  const seen = new Map<string, number>()
  const growth = (what: string, total: number): number => {
    const grown = total - (seen.get(what) ?? 0)
    seen.set(what, total)
    return grown
  }
  return () => {
    const losses: Loss[] = []
    const note = (cause: string, count: number): void => {
      if (count > 0) losses.push({ cause, count })
    }
    for (const [index, { cause, counter, event }] of LOST_CAUSES.entries()) {
      const count = growth(cause, readTotal(addon, handle, index))
      if (event) note(cause, count)
      else if (count > 0) counters.add(counter, count)
    }
    const misses = addon.times(handle).reduce((sum, program) => sum + program.misses, 0)
    note('program_busy', growth('program_busy', misses))
    note('oversized', growth('oversized', addon.oversized(handle)))
    return losses
  }
}

function readTotal(addon: NativeAddon, handle: CaptureHandle, index: number): number {
  const key = new Uint8Array(4)
  new DataView(key.buffer).setUint32(0, index, true)
  const perCpu = addon.lookup(handle, 'lost_by_cause', key)
  if (perCpu === undefined) return 0
  const view = new DataView(perCpu.buffer, perCpu.byteOffset, perCpu.byteLength)
  let total = 0
  for (let at = 0; at < perCpu.byteLength; at += 8) total += Number(view.getBigUint64(at, true))
  return total
}
