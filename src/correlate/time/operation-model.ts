import type { GapCorrelation } from './gap-correlation.js'
import type { GapDensity } from './gap-density.js'

/** Occurrences of one kind of call that are modelled apart; later ones share the last step. */
export const OCCURRENCES = 3

/** Number of a step: the n-th (from 0) call of a kind. */
export function stepOf(kind: number, nth: number): number {
  return kind * OCCURRENCES + (nth < OCCURRENCES ? nth : OCCURRENCES - 1)
}

/**
 * What a call adds to the number of its request's pattern: sums of these are (almost surely) different where the
 * numbers of calls of each kind are; all calls from the fourth on count alike as nothing.
 */
export function stepCode(kind: number, nth: number): number {
  if (nth >= OCCURRENCES) return 0
  let code = Math.imul(kind * OCCURRENCES + nth + 1, 0x9e3779b1)
  code = Math.imul(code ^ (code >>> 15), 0x85ebca6b)
  return code ^ (code >>> 13)
}

/** One step of an operation: when does the n-th call of a kind start? */
export interface Step {
  readonly step: number
  /** Requests in which it was seen. */
  readonly seen: number
  /** Since the request's start. */
  readonly sinceRequest: GapDensity
  /** What it waits for: the request's start, or the start or the end of another step's call. */
  readonly waitsFor: 'request' | 'start' | 'end'
  /** Index of that other step in the model; -1 for the request. */
  readonly after: number
  /** Since what it waits for. */
  readonly gap: GapDensity
  /** How long the call takes, where that is part of the correlation. */
  readonly duration: GapDensity | undefined
}

/** How the requests of one kind go: which calls, how many, after what, how soon. */
export interface OperationModel {
  /** Requests it was learned from. */
  readonly rows: number
  readonly steps: readonly Step[]
  /** Index in `steps` by step number; -1 where unknown. */
  readonly indexOf: Int32Array
  /** Log probability of each pattern seen often enough, and of any other. */
  readonly patterns: ReadonlyMap<number, number>
  readonly otherPattern: number
  /** From the last call's end, or from the end of the step `endsAfter`, to the request's end. */
  readonly ending: GapDensity
  /** Index of the step; -1: whichever call ends last. */
  readonly endsAfter: number
  /** Duration of a request without calls. */
  readonly childless: GapDensity
  /** Over gaps of the steps, the end's gap, durations of the steps, in this order; undefined where there are too many. */
  correlation: GapCorrelation | undefined
}

/** A service: its operations, and how often calls come whose request was not seen. */
export interface ServiceModel {
  readonly operations: readonly OperationModel[]
  /** By kind of call: log of the number of orphans per µs. */
  readonly orphanLog: Float64Array
}
