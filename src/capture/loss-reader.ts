import type { Counters } from '../telemetry/counters.js'
import { LOST_CAUSES } from './control-layout.js'
import type { CaptureHandle, NativeAddon } from './native-addon.js'

export interface Loss {
  readonly cause: string
  readonly count: number
}

/** What the kernel counted as lost since the last call; adds it to the counters. Only lost events are returned. */
export type LossReader = () => Loss[]

export function createLossReader(addon: NativeAddon, handle: CaptureHandle, counters: Counters): LossReader {
  const seen = LOST_CAUSES.map(() => 0)
  let missesSeen = 0
  let oversizedSeen = 0
  return () => {
    const losses: Loss[] = []
    for (const [index, { cause, counter, event }] of LOST_CAUSES.entries()) {
      const total = readTotal(addon, handle, index)
      const count = total - seen[index]!
      if (count === 0) continue
      seen[index] = total
      counters.add(counter, count)
      if (event) losses.push({ cause, count })
    }
    const misses = addon.times(handle).reduce((sum, { misses }) => sum + misses, 0)
    if (misses > missesSeen) {
      losses.push({ cause: 'program_busy', count: misses - missesSeen })
      counters.add('capture.lost.program_busy', misses - missesSeen)
      missesSeen = misses
    }
    const oversized = addon.oversized(handle)
    if (oversized > oversizedSeen) {
      losses.push({ cause: 'oversized', count: oversized - oversizedSeen })
      counters.add('capture.lost.oversized', oversized - oversizedSeen)
      oversizedSeen = oversized
    }
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
