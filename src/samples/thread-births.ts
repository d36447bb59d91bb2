import { DOUBTED } from './trust.js'

/**
 * Whether the threads that a process starts while it works for a request work for that request alone, or live on: a
 * pool that grows, a task that was started when it was first needed. A thread that lives on works for nobody known once
 * the request is over; before that, its first job may already be another's.
 */
export interface ThreadBirths {
  /** From 0 to 1: how far what such a thread does before the request is over is done for the request. */
  readonly trust: number
  /** Enough was seen to believe it. */
  readonly settled: boolean
  /** A thread was started for a request. */
  born(): void
  /** One of them has called after its request was over. */
  outlived(): void
}

const SETTLED_AFTER = 40
/** More than this share of them that live on, and none of them is believed. */
const MOST_THAT_LIVE_ON = 0.05
/** So many are imagined that live on, in proportion, before any is seen. */
const PRIOR_BIRTHS = 2
const PRIOR_LIVE_ON = 0.2

export function createThreadBirths(): ThreadBirths {
  let births = 0
  let livedOn = 0
  return {
    get trust() {
      if (livedOn > MOST_THAT_LIVE_ON * births) return DOUBTED
      return 1 - (livedOn + PRIOR_LIVE_ON) / (births + PRIOR_BIRTHS)
    },
    get settled() {
      return births >= SETTLED_AFTER
    },
    born: () => {
      births++
    },
    outlived: () => {
      livedOn++
    },
  }
}
