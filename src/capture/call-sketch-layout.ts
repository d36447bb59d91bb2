/** Of `bpf/types/sketch.h`; compared with it by `test/capture/event-layout.test.ts`. */
export const CALL_SKETCH_KEY = { pid: 0, port: 4, role: 6, transport: 7, address: 8, family: 24, bytes: 28 } as const

/** Of one CPU. Latency: `LATENCY_BUCKETS` 32-bit numbers. */
export const CALL_SKETCH = {
  sentCalls: 0,
  sentBytes: 8,
  receivedCalls: 16,
  receivedBytes: 24,
  failedCalls: 32,
  uncopiedCalls: 40,
  connections: 48,
  answers: 56,
  latencySumNs: 64,
  latency: 72,
  bytes: 1808,
} as const

/** Slots of the kernel's array; slot 0 is for all that found none of their own. */
export const CALL_SKETCH_SLOTS = 1024

export const LATENCY_FIRST_BITS = 9
export const LATENCY_LAST_BITS = 36
export const LATENCY_STEPS_BITS = 4
const STEPS = 2 ** LATENCY_STEPS_BITS
export const LATENCY_BUCKETS = (LATENCY_LAST_BITS - LATENCY_FIRST_BITS) * STEPS + 2

/** Lower and upper bound of a bucket in ns: [from, to). */
export function latencyBucket(index: number): { readonly from: number; readonly to: number } {
  if (index <= 0) return { from: 0, to: 2 ** LATENCY_FIRST_BITS }
  if (index >= LATENCY_BUCKETS - 1) return { from: 2 ** LATENCY_LAST_BITS, to: Number.POSITIVE_INFINITY }
  const octave = 2 ** (LATENCY_FIRST_BITS + Math.floor((index - 1) / STEPS))
  const step = (index - 1) % STEPS
  return { from: octave * (1 + step / STEPS), to: octave * (1 + (step + 1) / STEPS) }
}

/**
 * The value below which the share `share` (0 to 1) of the latencies lies, in ns, within 3.1 %; NaN of none.
 *
 * @param indexes numbers of buckets, ascending, and how many latencies lie in each
 */
export function latencyQuantile(indexes: ArrayLike<number>, counts: ArrayLike<number>, share: number): number {
  let all = 0
  for (let i = 0; i < counts.length; i++) all += counts[i]!
  if (all === 0) return Number.NaN
  const rank = Math.max(1, Math.ceil(share * all))
  let seen = 0
  for (let i = 0; i < indexes.length; i++) {
    seen += counts[i]!
    if (seen >= rank) return latencyMiddle(indexes[i]!)
  }
  return Number.NaN
}

/** Of a bucket: equally far from both ends, in proportion. */
export function latencyMiddle(index: number): number {
  const { from, to } = latencyBucket(index)
  return Number.isFinite(to) ? (2 * from * to) / (from + to) : from
}
