/**
 * struct carrier_config and what it holds, as in `bpf/types/control.h`; compared with it by
 * test/capture/event-layout.test.ts.
 */
export const CarrierBit = { greenlet: 1, asyncio: 2, go: 4, node: 8, uvloop: 16 } as const

export const CARRIER_CONFIG = { kinds: 0, generation: 4, counts: 8, layout: 40, bytes: 168 } as const
export const CARRIER_COUNTS = { lookups: 0, faults: 8, mismatches: 16, births: 24, bytes: 32 } as const
export const GREENLET_LAYOUT = {
  type: 0,
  module: 8,
  stateOffset: 16,
  vectorOffset: 20,
  vectorEntry: 24,
  bytes: 32,
} as const
export const ASYNCIO_LAYOUT = {
  contextType: 0,
  key: 8,
  specificOffset: 12,
  threadId: 16,
  context: 20,
  bytes: 24,
} as const
/** Both may be in one process. */
export const PYTHON_LAYOUT = { greenlet: 0, asyncio: GREENLET_LAYOUT.bytes, bytes: 56 } as const

export interface CarrierCounts {
  readonly lookups: number
  /** A word of memory could not be read. */
  readonly faults: number
  /** What was found was not what it should be. */
  readonly mismatches: number
  readonly births: number
}

export function decodeCounts(config: Uint8Array): CarrierCounts {
  const view = new DataView(config.buffer, config.byteOffset, config.byteLength)
  const count = (field: number): number => Number(view.getBigUint64(CARRIER_CONFIG.counts + field, true))
  return {
    lookups: count(CARRIER_COUNTS.lookups),
    faults: count(CARRIER_COUNTS.faults),
    mismatches: count(CARRIER_COUNTS.mismatches),
    births: count(CARRIER_COUNTS.births),
  }
}
