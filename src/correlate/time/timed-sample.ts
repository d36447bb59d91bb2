/** An incoming operation as far as time is concerned. Times in µs, of one clock within a place. */
export interface TimedRequest {
  /** Number of its kind (operation) within the service, from 0. */
  readonly kind: number
  /** Calls are made where their request is worked on: the same process. */
  readonly place: number
  readonly start: number
  readonly end: number
}

/** An outgoing operation as far as time is concerned. */
export interface TimedCall {
  /** Number of its kind (peer and operation) within the service, from 0. */
  readonly kind: number
  readonly place: number
  readonly start: number
  readonly end: number
  /** What other evidence says of its parent: index of the request, NO_PARENT, or undefined: time is to tell. */
  readonly known?: number | undefined
}

export const NO_PARENT = -1

/** A call's possible parent, with the share of belief it gets. */
export interface TimeCandidate {
  /** Index of the request, or NO_PARENT. */
  readonly parent: number
  readonly confidence: number
}
