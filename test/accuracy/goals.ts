import type { Measured } from './measure.js'
import type { Goal } from './workload.js'

/** What of the goal was missed; empty when it was reached. */
export function missedGoals(measured: Measured, goal: Goal): string[] {
  const { precision, recall } = measured.sure
  const missed: string[] = []
  // Nothing linked is nothing wrong.
  if (precision !== null && precision < goal.precision) missed.push(`precision ${precision} < ${goal.precision}`)
  if (recall < goal.recall) missed.push(`recall ${recall} < ${goal.recall}`)
  if (measured.lostEvents > 0) missed.push(`${measured.lostEvents} events lost`)
  if (measured.links.expected === 0) missed.push('no calls')
  return missed
}
