import type { CallTotals } from './call-totals.js'
import type { SketchRow } from './sketch-row.js'

export interface KernelMinutesOptions {
  readonly totals: CallTotals
  readonly addRows: (rows: readonly SketchRow[]) => void
  /** Milliseconds since 1970. */
  readonly now: () => number
}

const MINUTE_MILLIS = 60_000
/** A clock that is set back must not have a minute wait for an hour. */
const LONGEST_WAIT_MILLIS = MINUTE_MILLIS

/**
 * Takes what the kernel counted at the end of every minute, and what is left when it is stopped. Rows carry the minute
 * in which their time began: after a jump of the clock the one before the jump, whatever the clock says now.
 */
export function startKernelMinutes({ totals, addRows, now }: KernelMinutesOptions): { stop(): void } {
  let began = now()
  let timer: NodeJS.Timeout
  const take = (): void => {
    const minute = Math.floor(began / MINUTE_MILLIS) * 60
    began = now()
    addRows(totals.take(minute))
  }
  const wait = (): void => {
    const left = MINUTE_MILLIS - (now() % MINUTE_MILLIS)
    timer = setTimeout(
      () => {
        // Timers may be a little early: then the minute has not ended yet.
        if (Math.floor(now() / MINUTE_MILLIS) !== Math.floor(began / MINUTE_MILLIS)) take()
        wait()
      },
      Math.min(left + 1, LONGEST_WAIT_MILLIS),
    )
    timer.unref()
  }
  wait()
  return {
    stop: () => {
      clearTimeout(timer)
      take()
    },
  }
}
