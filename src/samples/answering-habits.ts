import type { Sample } from './sample.js'
import { DOUBTED } from './trust.js'

/**
 * Whether the threads of a process that answer requests which others have read do whole jobs, or parts of many.
 *
 * A worker that takes a request, calls, and answers owns all that it did since its answer before. Where jobs are done in
 * stages by whichever thread is free (futures, reactors), a thread answers one request with calls for others behind it,
 * and shows no border between them. What tells: calls that are older than the request, answers with no call behind
 * them, and once in a while very many.
 */
export interface AnsweringHabits {
  /** From 0 to 1: how far what a thread did since its answer before was done for the request that it answers. */
  readonly trust: number
  /** Enough was seen to believe it. */
  readonly settled: boolean
  /**
   * A thread answers a request that another one has read.
   * @param calls what it did since its answer before, the first of them at `sinceNs`
   */
  answered(request: Sample, calls: number, sinceNs: number): void
}

/** How often each happens: where threads do whole jobs, and where they do parts of many. */
const LIKELIHOOD = {
  /** Calls that are older than the request: something after an answer, now and then. */
  older: { whole: 0.002, parts: 0.1 },
  /** Answers without a call: some come from a cache. */
  none: { whole: 0.15, parts: 0.33 },
  /** Far more calls than such a request usually has. */
  many: { whole: 0.005, parts: 0.09 },
} as const

const SETTLED_AFTER = 40
/** What is learned can be unlearned. */
const SUREST_LOG_ODDS = 9
/** Events of two processors may seem so much out of order. */
const ORDER_SLACK_NS = 1e6
const MOST_OPERATIONS = 200
/** Latest numbers of calls of an operation that are remembered. */
const REMEMBERED = 9

export function createAnsweringHabits(): AnsweringHabits {
  const callsByOperation = new Map<string, number[]>()
  let logOdds = 0
  let answers = 0
  const observe = (what: keyof typeof LIKELIHOOD, seen: boolean): void => {
    const { whole, parts } = LIKELIHOOD[what]
    logOdds += seen ? Math.log(whole / parts) : Math.log((1 - whole) / (1 - parts))
  }
  const isMany = (operation: string, calls: number): boolean => {
    let known = callsByOperation.get(operation)
    if (known === undefined) {
      if (callsByOperation.size >= MOST_OPERATIONS) return false
      callsByOperation.set(operation, (known = []))
    }
    const usual = [...known].sort((a, b) => a - b)[known.length >> 1]
    known.push(calls)
    if (known.length > REMEMBERED) known.shift()
    return usual !== undefined && calls > 2 * usual + 2
  }
  return {
    get trust() {
      const whole = 1 / (1 + Math.exp(-logOdds))
      return whole + (1 - whole) * DOUBTED
    },
    get settled() {
      return answers >= SETTLED_AFTER
    },
    answered: (request, calls, sinceNs) => {
      answers++
      observe('none', calls === 0)
      if (calls > 0) {
        observe('older', sinceNs < request.startNs - ORDER_SLACK_NS)
        observe('many', isMany(request.exchange.name, calls))
      }
      logOdds = Math.max(-SUREST_LOG_ODDS, Math.min(SUREST_LOG_ODDS, logOdds))
    },
  }
}
