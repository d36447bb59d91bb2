import { DOUBTED } from './trust.js'

/**
 * Whether the tasks of a process (greenlets, asyncio tasks) that answer requests are tasks. A task answers on one
 * connection; a loop that writes for all of them, later than they asked it to (uvloop before 0.18 queues what is written
 * to the end of its turn), looks like one task that works for everybody.
 */
export interface TaskAnswers {
  /** From 0 to 1: how far what a task did was done for the request that it answers. */
  readonly trust: number
  /** Enough was seen to believe it. */
  readonly settled: boolean
  /** @param sameConnection false: the task has answered on another connection before */
  answered(sameConnection: boolean): void
}

const SETTLED_AFTER = 20
/** More than this share of the answers on another connection than before, and tasks are none. */
const MOST_ON_OTHERS = 0.05

export function createTaskAnswers(): TaskAnswers {
  let answers = 0
  let onOthers = 0
  return {
    get trust() {
      return onOthers > MOST_ON_OTHERS * answers ? DOUBTED : 1
    },
    get settled() {
      return answers >= SETTLED_AFTER
    },
    answered: sameConnection => {
      answers++
      if (!sameConnection) onOthers++
    },
  }
}
