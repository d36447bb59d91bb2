/** How long to wait after a failure: doubled each time up to a limit, within a jitter of a half. */
export interface BackOff {
  /** Failures since the last success. */
  readonly failures: number
  /** Notes a failure; returns the ms to wait. A receiver's own wish (Retry-After) counts if it is longer. */
  failed(wishedMillis: number | undefined): number
  succeeded(): void
}

export interface BackOffOptions {
  readonly firstMillis: number
  readonly longestMillis: number
  /** 0 to below 1. */
  readonly random: () => number
}

/** A receiver may not keep us away for longer than this. */
const longestWishMillis = 600_000

export function createBackOff(options: BackOffOptions): BackOff {
  let failures = 0
  return {
    get failures() {
      return failures
    },
    failed(wishedMillis) {
      const full = Math.min(options.firstMillis * 2 ** Math.min(failures, 30), options.longestMillis)
      failures++
      const wait = full * (0.5 + options.random() / 2)
      return Math.max(wait, Math.min(wishedMillis ?? 0, longestWishMillis))
    },
    succeeded() {
      failures = 0
    },
  }
}
