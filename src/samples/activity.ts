import type { Sample } from './sample.js'
import type { ThreadBirths } from './thread-births.js'

/**
 * A stretch of work with one owner, wherever carriers take it (design: Context). The owner is the request read or the
 * message consumed that the work was done for; it may become known only when the answer is written, so it is looked up
 * late, through `parent` where the activity was spawned inside another one.
 */
export interface Activity {
  owner: Sample | undefined
  parent: Activity | undefined
  /** How the owner was found: read (its carrier read it), reply (its carrier answered it). */
  boundBy: 'read' | 'reply' | undefined
  /** From 0 to 1: what the carrier's kind and its behaviour so far let one expect. */
  trust: number
  /** Of an activity that found its owner when its carrier answered: how far such carriers are believed. */
  answering?: { readonly trust: number }
  /** Of a thread that was started in `parent`: what is known of such threads. */
  born?: ThreadBirths
  /** It began where nothing told for whom; whoever is answered at its end owns it. */
  detached?: boolean
  /** A greenlet, task or goroutine was born in it. */
  hasCarriers?: boolean
  /** A thread was started in it. */
  hasThreads?: boolean
  /** Calls made in it so far. */
  calls?: number
  readonly sinceNs: number
}

const LONGEST_CHAIN = 64

/** The owner of an activity: its own, or the nearest ancestor's. Bounded; undefined while nobody is known. */
export function ownerOf(activity: Activity | undefined): Sample | undefined {
  let steps = 0
  for (let a = activity; a !== undefined && steps < LONGEST_CHAIN; a = a.parent, steps++) {
    if (a.owner !== undefined) return a.owner
  }
  return undefined
}

/** From 0 to 1: how far a call in this activity was made for its owner, as far as is known now. */
export function trustIn(activity: Activity): number {
  let trust = 1
  let steps = 0
  for (let a: Activity | undefined = activity; a !== undefined && steps < LONGEST_CHAIN; a = a.parent, steps++) {
    trust = Math.min(trust, a.trust, a.answering?.trust ?? 1)
    if (a.owner !== undefined) break
    trust = Math.min(trust, a.born?.trust ?? 1)
  }
  return trust
}
