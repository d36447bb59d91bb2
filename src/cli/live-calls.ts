import { setTimeout as sleep } from 'node:timers/promises'
import { LATENCY_BUCKETS } from '../capture/call-sketch-layout.js'
import { CALL_COUNTS, type CallCounts } from '../capture/call-sketches.js'
import { kernelRow } from '../sketches/call-totals.js'
import { KERNEL_SKETCH_FORMAT, type SketchRow } from '../sketches/sketch-row.js'
import type { CallReport, ReportedCalls } from './call-report.js'
import { CommandError } from './command-error.js'

/** What the kernel counted between two looks. */
export interface LiveCalls {
  readonly rows: readonly SketchRow[]
  readonly seconds: number
}

const LONGEST_WAIT_MILLIS = 5_000

/** Asks a running daemon again and again; each time tells what came since the time before. */
export function createLiveCalls(url: string): (millis: number, signal?: AbortSignal) => Promise<LiveCalls> {
  let before: CallReport | undefined
  return async (millis, signal) => {
    before ??= await ask(url)
    await sleep(millis, undefined, signal === undefined ? {} : { signal }).catch(() => {})
    const after = await ask(url)
    const rows = differences(before, after)
    const seconds = Math.max(0.001, (after.at - before.at) / 1_000)
    before = after
    return { rows, seconds }
  }
}

async function ask(url: string): Promise<CallReport> {
  let report: CallReport
  try {
    const response = await fetch(`${url}/calls`, { signal: AbortSignal.timeout(LONGEST_WAIT_MILLIS) })
    if (!response.ok) throw new Error(`it answered ${response.status}`)
    report = (await response.json()) as CallReport
  } catch (error) {
    const { message, cause } = error as Error & { cause?: { code?: string; message?: string } }
    const reason = cause?.code ?? cause?.message ?? message
    throw new CommandError(
      `no daemon tells at ${url} what the kernel counts: ${reason}; start one with: sudo ghostspan run`,
    )
  }
  if (report.format !== KERNEL_SKETCH_FORMAT) {
    throw new CommandError(
      `the daemon at ${url} counts in format ${report.format}, and this version reads format ${KERNEL_SKETCH_FORMAT} only: use the version that runs`,
    )
  }
  return report
}

const keyOf = ({ service, peer, direction }: ReportedCalls): string => JSON.stringify([service, peer, direction])

/** Rows of what grew. A group that was forgotten meanwhile, or a daemon that was started anew, begins at nothing. */
export function differences(before: CallReport, after: CallReport): SketchRow[] {
  const known = new Map(before.groups.map(group => [keyOf(group), group]))
  const rows: SketchRow[] = []
  for (const group of after.groups) {
    const base = known.get(keyOf(group))
    const anew = base === undefined || CALL_COUNTS.some(name => group.counts[name] < base.counts[name])
    const from = (name: keyof CallCounts): number => (anew ? 0 : base.counts[name])
    const sums = Object.fromEntries(CALL_COUNTS.map(name => [name, group.counts[name] - from(name)])) as Record<
      keyof CallCounts,
      number
    >
    if (CALL_COUNTS.every(name => sums[name] === 0)) continue
    const latency = spread(group)
    if (!anew) {
      base.latency.indexes.forEach((index, i) => {
        latency[index]! -= base.latency.counts[i]!
      })
    }
    rows.push(kernelRow(0, group, sums, latency))
  }
  return rows
}

function spread({ latency: { indexes, counts } }: ReportedCalls): Uint32Array {
  const latency = new Uint32Array(LATENCY_BUCKETS)
  indexes.forEach((index, i) => {
    latency[index] = counts[i]!
  })
  return latency
}
