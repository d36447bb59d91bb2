import type { ProcessContext } from '../correlate/context-counts.js'
import type { Unknown } from '../samples/activity.js'

/** Processes that are named one by one, those with the most calls; the rest is counted. */
const MOST_NAMED = 10

const REASONS: Readonly<Record<Unknown, string>> = {
  unseen: 'its carriers are not seen',
  loop: 'made by the loop itself',
  lost: 'records were lost',
  unread: 'after something that could not be read',
  over: 'after the answer',
  odd: 'another thread read the answer',
  detached: 'after a timer or the like',
}

/** What `ghostspan status` says of the calls whose owner context was asked for: the counts behind what is trusted. */
export function contextLines(processes: readonly ProcessContext[]): string[] {
  const busiest = [...processes].sort((a, b) => b.calls - a.calls || a.pid - b.pid)
  const lines = busiest.slice(0, MOST_NAMED).map(({ pid, program, runTimes, ...counts }) => {
    const refused = Object.entries(counts.refused).map(([why, count]) => `${count} ${REASONS[why as Unknown]}`)
    const rest = refused.length === 0 ? '' : `, refused: ${refused.join(', ')}`
    return (
      `pid ${pid} (${program}, ${runTimes.join(' and ')}): ${counts.calls} calls, ${counts.trusted} with an owner, ` +
      `${counts.inferred} inferred by habit, ${counts.nobodys} of nobody${rest}`
    )
  })
  const more = busiest.length - MOST_NAMED
  if (more > 0) lines.push(`… and ${more} process${more === 1 ? '' : 'es'} more: see --json`)
  return lines
}
