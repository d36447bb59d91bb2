import { linkByTime, type TimeLinks } from '../../src/correlate/time/link-by-time.js'
import { linkStreamByTime } from '../../src/correlate/time/link-stream-by-time.js'
import type { Capped } from '../../src/correlate/time/solve-window.js'
import type { Traffic } from '../../test/support/made-up-traffic.js'
import type { BadInput } from './bad-input.js'

/** How well calls are linked in spite of what is wrong with the input. Shares of 1. */
export interface BadInputScore {
  readonly name: string
  readonly calls: number
  /** Right ones among all calls. */
  readonly right: number
  /** Mean confidence of all first guesses, and the share of them that is right. */
  readonly said: number
  readonly was: number
  /** Links said to be 0.95 sure or more: their share of all calls, and the share of them that is right. */
  readonly sure: number
  readonly sureRight: number
  readonly capped: Capped
  /** CPU time. */
  readonly seconds: number
  readonly rssMiB: number
}

export interface BadInputScores {
  readonly atOnce: BadInputScore
  /** In windows, as on a live stream. */
  readonly windows: BadInputScore
}

const SURE = 0.95

export function scoreBadInput({ name, traffic }: BadInput, seed: number): BadInputScores {
  const made = traffic()
  return {
    atOnce: score(name, made, () => linkByTime(made.samples, { seed })),
    windows: score(name, made, () => linkStreamByTime(made.samples, { seed })),
  }
}

function score(name: string, traffic: Traffic, link: () => TimeLinks): BadInputScore {
  const { samples, truth } = traffic
  const cpu = process.cpuUsage()
  const linked = link()
  const { user, system } = process.cpuUsage(cpu)
  const same = sameRequest(traffic)
  const tally = { calls: 0, right: 0, guesses: 0, said: 0, sure: 0, sureRight: 0 }
  samples.forEach((sample, index) => {
    if (sample.side === 'server' || !Number.isFinite(sample.end)) return
    tally.calls++
    const { parent, confidence } = linked.candidates[index]?.[0] ?? { parent: -1, confidence: 0 }
    if (parent < 0) return
    const right = same(parent, truth[index]!)
    tally.guesses++
    tally.said += confidence
    if (right) tally.right++
    if (confidence < SURE) return
    tally.sure++
    if (right) tally.sureRight++
  })
  return {
    name,
    calls: tally.calls,
    right: share(tally.right, tally.calls),
    said: share(tally.said, tally.guesses),
    was: share(tally.right, tally.guesses),
    sure: share(tally.sure, tally.calls),
    sureRight: share(tally.sureRight, tally.sure),
    capped: linked.capped,
    seconds: Math.round((user + system) / 1e4) / 100,
    rssMiB: Math.round(process.resourceUsage().maxRSS / 1024),
  }
}

/** A copy of a request is as good as the request. */
function sameRequest({ samples }: Traffic): (a: number, b: number) => boolean {
  return (a, b) => {
    if (a === b) return true
    const one = samples[a]
    const other = samples[b]
    return one !== undefined && other !== undefined && one.start === other.start && one.end === other.end
  }
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 1e4) / 1e4
}
