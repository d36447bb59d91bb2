import type { RowsSender } from '../archive/rows-sender.js'
import type { Counters } from '../telemetry/counters.js'
import type { TraceSink } from '../traces/span.js'
import { encodeSketchRows, SKETCH_COLUMNS, type SketchRow } from './sketch-row.js'
import { createSketcher } from './sketcher.js'

export interface SketchSinkOptions {
  readonly sender: RowsSender
  readonly counters: Counters
  /** Seconds since 1970. */
  readonly now: () => number
  /** Told now and then up to when, in seconds since 1970, sketches are in the archive or on disk. */
  readonly flushed?: (until: number) => void
  /** How long close() waits for the archive. */
  readonly closeMillis?: number
}

export interface SketchSink extends TraceSink {
  /** Rows of others, from the kernel's counters for instance; sent with the next flush. */
  addRows(rows: readonly SketchRow[]): void
}

/** A minute is kept open so long for traces that are still being assembled; what comes later makes rows of its own. */
const STRAGGLER_SECONDS = 5
const TICK_MILLIS = 1_000
const MINUTE = 60
const TABLE = 'sketches_minutes'

/**
 * Sketches of finished spans, sent to the archive minute by minute. Whoever kills the process loses the minute that is
 * open (and the five seconds that it is kept for stragglers), and nothing before it.
 */
export function createSketchSink(options: SketchSinkOptions): SketchSink {
  const { sender, counters, now } = options
  let waiting: SketchRow[] = []
  const sketcher = createSketcher({
    counters,
    early: rows => {
      send(rows)
    },
  })
  const send = (rows: readonly SketchRow[]): void => {
    // One batch a day: the table has a partition a day, and a batch must not have a hundred.
    const days = new Map<number, SketchRow[]>()
    for (const row of rows) {
      const day = Math.floor(row.time / 86_400)
      days.set(day, [...(days.get(day) ?? []), row])
    }
    for (const [, ofDay] of days) sender.send(TABLE, SKETCH_COLUMNS, ofDay.length, encodeSketchRows(ofDay))
  }
  const flushOpen = (until?: number): void => {
    const rows = [...waiting, ...sketcher.take(until)]
    waiting = []
    if (rows.length > 0) send(rows)
  }
  let minute = Math.floor((now() - STRAGGLER_SECONDS) / MINUTE)
  const tick = (): void => {
    const until = now() - STRAGGLER_SECONDS
    flushOpen(until)
    // After a jump of the clock backwards as well.
    if (Math.floor(until / MINUTE) === minute) return
    minute = Math.floor(until / MINUTE)
    const end = minute * MINUTE
    if (options.flushed !== undefined) void sender.settled().then(() => closed || options.flushed?.(end))
  }
  const timer = setInterval(tick, TICK_MILLIS)
  timer.unref()
  let closed = false
  return {
    accept: trace => {
      if (closed) counters.add('sketches.lost.closed', trace.spans.length)
      else sketcher.add(trace)
    },
    addRows: rows => {
      waiting.push(...rows)
    },
    flush: async () => {
      flushOpen()
      await sender.settled()
    },
    close: async () => {
      if (closed) return
      closed = true
      clearInterval(timer)
      flushOpen()
      await sender.close(options.closeMillis ?? 10_000)
    },
  }
}
