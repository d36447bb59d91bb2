import type { ObservedProcess } from '../capture/processes.js'
import type { Sample } from '../samples/sample.js'

/**
 * Identifiers that everything done for one request has in common (a request id, the id of an instrumented caller's
 * trace): a service that passes them on confirms a candidate that has the same, and doubts one that has another. Alone
 * they never make a parent. Whether a service passes them on is learned from the links that are sure without them.
 */
export interface GroupAgreement {
  /** How many times likelier it is now that `parent` caused `child`; 1: nothing is said. */
  ratio(child: Sample, parent: Sample): number
  /** This link is sure by other evidence. */
  learn(child: Sample, parent: Sample): void
}

/** How often a request that is not the parent has the same identifier by chance: its neighbours may be the same user's. */
const SAME_BY_CHANCE = 0.1
const LEAST_RATIO = 0.02
const MOST_REMEMBERED = 1_000

interface Habit {
  same: number
  other: number
}

export function createGroupAgreement(): GroupAgreement {
  const habits = new WeakMap<ObservedProcess, Habit>()
  return {
    ratio: (child, parent) => {
      const same = compare(child, parent)
      if (same === undefined) return 1
      const { same: agreed, other } = habits.get(child.process) ?? { same: 0, other: 0 }
      const passesOn = (agreed + 1) / (agreed + other + 2)
      // One that makes up new identifiers says nothing with them.
      return same
        ? Math.max(1, passesOn / SAME_BY_CHANCE)
        : Math.min(1, Math.max(LEAST_RATIO, (1 - passesOn) / (1 - SAME_BY_CHANCE)))
    },
    learn: (child, parent) => {
      const same = compare(child, parent)
      if (same === undefined) return
      let habit = habits.get(child.process)
      if (habit === undefined) habits.set(child.process, (habit = { same: 0, other: 0 }))
      if (same) habit.same++
      else habit.other++
      if (habit.same + habit.other > MOST_REMEMBERED) {
        habit.same /= 2
        habit.other /= 2
      }
    },
  }
}

/** True: they have an identifier in common; false: both have identifiers of one kind, and none in common. */
function compare(child: Sample, parent: Sample): boolean | undefined {
  let comparable: false | undefined
  for (const { type, value } of child.exchange.contentKeys) {
    const group = groupOf(type, value)
    if (group === undefined) continue
    for (const other of parent.exchange.contentKeys) {
      if (other.type !== type) continue
      if (groupOf(type, other.value) === group) return true
      comparable = false
    }
  }
  return comparable
}

/** What the whole group has in common: of a trace context only the trace's id. */
function groupOf(type: string, value: string): string | undefined {
  switch (type) {
    case 'x-request-id':
    case 'x-openstack-request-id':
      return value
    case 'traceparent':
      return value.slice(3, 35)
    case 'b3':
      return value.slice(0, value.indexOf('-'))
    default:
      return undefined
  }
}
