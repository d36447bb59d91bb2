import type { Sample } from './sample.js'
import type { ThreadBirths } from './thread-births.js'
import { DOUBTED } from './trust.js'

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
  /** Of a greenlet's or task's: it goes on long after whoever it was born for has been answered, as a periodic one does. */
  livesOn?: boolean
  /** Of a greenlet's or task's: how many are above it. */
  depth?: number
  /** Why nobody is known to own it. */
  unknown?: Unknown
  /** A greenlet, task or goroutine was born in it. */
  hasCarriers?: boolean
  /** A thread was started in it. */
  hasThreads?: boolean
  /** Calls made in it so far. */
  calls?: number
  readonly sinceNs: number
}

/**
 * Why the owner of a stretch of work is not known: the run-time's carriers are not seen; a loop reads for all its tasks;
 * records were lost; what was read was not understood; whoever asked has been answered; another thread than the caller
 * read the answer; a timer or the like began it.
 */
export type Unknown = 'unseen' | 'loop' | 'lost' | 'unread' | 'over' | 'odd' | 'detached'

/** So far up an owner is looked for. */
export const LONGEST_CHAIN = 64
/** Work that is born in a request and goes on for so long after its answer is no part of it: it would go on for ever. */
const LATE_CALL_NS = 1.5e9
/** A message is settled before it is worked on. */
const LATE_MESSAGE_NS = 60e9

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
    trust = Math.min(trust, a.trust, a.answering?.trust ?? 1, a.livesOn === true ? DOUBTED : 1)
    if (a.owner !== undefined) break
    trust = Math.min(trust, a.born?.trust ?? 1)
  }
  return trust
}

/** How long after its answer what was born in a request may still be told from what lives on, ns. */
function lateNs(owner: Sample): number {
  return owner.exchange.shape === 'message' ? LATE_MESSAGE_NS : LATE_CALL_NS
}

/** Something is done now in this activity: late enough after its owner's answer, and the branch of work lives on. */
export function noteLateWork(activity: Activity, timeNs: number): void {
  if (activity.owner !== undefined || activity.parent === undefined) return
  let branch = activity
  for (let steps = 0; branch.parent !== undefined && steps < LONGEST_CHAIN; steps++) {
    const { owner } = branch.parent
    if (owner !== undefined) {
      if (owner.complete && timeNs > owner.endNs + lateNs(owner)) branch.livesOn = true
      return
    }
    branch = branch.parent
  }
}

/** True while it may turn out that this call was made by something that lives on after its owner's answer. */
export function mayLiveOn(call: Sample, nowNs: number): boolean {
  const { activity } = call
  if (activity?.parent === undefined || activity.owner !== undefined) return false
  const owner = ownerOf(activity)
  if (owner === undefined || !owner.complete || owner.exchange.shape === 'message') return false
  return call.startNs > owner.endNs && nowNs < owner.endNs + LATE_CALL_NS
}
