import type { CaptureOrigin } from './event-source.js'

/** Seconds and nanoseconds since 1970. */
export type WallTime = [seconds: number, nanos: number]

const BILLION = 1_000_000_000n

/**
 * Turns the kernel's monotonic 64-bit times into ns since the capture's base (a number, exact for 104 days of capture
 * whatever the machine's uptime) and those into wall-clock times.
 */
export interface CaptureClock {
  /** From the two halves of a CLOCK_MONOTONIC time. */
  relative(low: number, high: number): number
  wallTime(relativeNs: number): WallTime
  /** ns since 1970. */
  wallNs(relativeNs: number): bigint
}

export function createCaptureClock(origin: CaptureOrigin): CaptureClock {
  const baseLow = Number(origin.monotonicBaseNs & 0xffffffffn)
  const baseHigh = Number(origin.monotonicBaseNs >> 32n)
  const wallSeconds = Number(origin.wallBaseNs / BILLION)
  const wallNanos = Number(origin.wallBaseNs % BILLION)
  return {
    relative: (low, high) => (high - baseHigh) * 4_294_967_296 + (low - baseLow),
    wallTime: relativeNs => {
      const wholeSeconds = Math.floor(relativeNs / 1e9)
      const nanos = wallNanos + Math.round(relativeNs - wholeSeconds * 1e9)
      return nanos >= 1e9 ? [wallSeconds + wholeSeconds + 1, nanos - 1e9] : [wallSeconds + wholeSeconds, nanos]
    },
    wallNs: relativeNs => origin.wallBaseNs + BigInt(Math.round(relativeNs)),
  }
}
