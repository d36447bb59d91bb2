import type { EvidenceKind } from '../../src/correlate/link.js'
import type { Requirement } from '../support/requirements.js'
import type { Lab } from './lab.js'

/** What a workload is to reach. Only links said to be at least this sure count, for both figures. */
export interface Goal {
  readonly sure: number
  readonly precision: number
  readonly recall: number
}

/** Carriers that are followed from birth to death: nothing wrong, nothing missing. */
export const certain: Goal = { sure: 0, precision: 1, recall: 0.999 }
/** Handed over and back out of sight: what is said to be sure is right, the rest may be left open. */
export const handedOver: Goal = { sure: 0.9, precision: 0.99, recall: 0 }

/** A service under load whose links are judged: one small file each in workloads/. */
export interface Workload {
  readonly name: string
  /** What runs one piece of work at a time: thread, greenlet, asyncio, goroutine, event loop, pool. */
  readonly carrier: string
  /** What is particular about it, for the table. */
  readonly about: string
  readonly needs: readonly Requirement[]
  /** Requests at a time, one measurement each. */
  readonly concurrency: readonly number[]
  /** Default 600; more at high concurrency than at 1 makes sense only where a request is cheap. */
  readonly requests?: number
  /** Whether the load keeps its connections. Default true. */
  readonly keepAlive?: boolean
  /** The backend answers after up to this long. Default 8 ms. */
  readonly backendMillis?: number
  /** Default: wire and context; content is off wherever context is judged. */
  readonly evidence?: readonly EvidenceKind[]
  readonly goal: Goal
  /** Part of the short form, at its first level of concurrency over 1. */
  readonly short?: boolean
  /** Starts its servers; the one that the load asks listens on `lab.port`. */
  start(lab: Lab): Promise<void>
}

export const DEFAULT_EVIDENCE: readonly EvidenceKind[] = ['wire', 'context']
export const DEFAULT_REQUESTS = 600
export const DEFAULT_BACKEND_MILLIS = 8
