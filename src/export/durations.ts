import type { WallTime } from '../traces/span.js'

/** For people: `12.4 ms`, `87 µs`, `2.31 s`, `3 min 05 s`. */
export function formatDuration(nanos: number): string {
  if (nanos < 100_000) return `${Math.round(nanos / 1_000)} µs`
  if (nanos < 999_950_000) return `${(nanos / 1e6).toFixed(1)} ms`
  if (nanos < 59_995_000_000) return `${(nanos / 1e9).toFixed(2)} s`
  const seconds = Math.round(nanos / 1e9)
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
}

/** `a` - `b`, ns. */
export function nanosBetween(a: WallTime, b: WallTime): number {
  return (a[0] - b[0]) * 1e9 + (a[1] - b[1])
}

/** ns since 1970 as decimal digits: more than a number holds exactly. */
export function unixNanos(time: WallTime): string {
  return `${time[0]}${String(time[1]).padStart(9, '0')}`
}
