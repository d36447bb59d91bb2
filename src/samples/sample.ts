import type { Connection } from '../capture/connection.js'
import type { ObservedProcess } from '../capture/processes.js'
import type { Exchange } from '../protocols/protocol.js'
import type { Activity } from './activity.js'

/**
 * One operation as observed at one end of a connection: the raw material of everything that follows.
 * All times are ns since the capture's base.
 */
export interface Sample {
  /** Order of birth in this capture, from 1; the tie-breaker wherever order must be the same twice. */
  readonly serial: number
  /** client: this end started the operation; server: this end got it. A consumed message is a server sample. */
  readonly side: 'client' | 'server'
  /** internal: no exchange at all, but a process that is the root over its requests. */
  readonly kind: 'client' | 'server' | 'producer' | 'consumer' | 'internal'
  readonly exchange: Exchange
  readonly connection: Connection
  readonly process: ObservedProcess
  /** Name of the observed service, as exported; decided when the sample is complete. */
  service: string
  /** Who ran at the first byte: thread, and the carrier on it (0: the thread itself). */
  readonly tid: number
  readonly carrier: number
  /**
   * Server side: the activity that the operation started and owns. Client side: the activity in which the call was
   * made, whose owner is looked up late.
   */
  activity: Activity | undefined
  /** From 0 to 1: how far what its carrier does is to be believed of this call, beside the activity's own trust. */
  contextTrust: number
  /**
   * Wire key: connection key + position of the request's first byte, mixed to 64 bits as two halves of 32 (signed); the same
   * at both ends. Both 0 when the connection key is unknown.
   */
  wireHigh: number
  wireLow: number
  /** Position of the request's first byte in its direction, and the exchange's number on the connection (from 0). */
  readonly requestPosition: number
  readonly ordinal: number
  readonly startNs: number
  requestEndNs: number
  /** First byte of the answer; NaN when none was seen. */
  responseStartNs: number
  /** Last byte; for an operation that never ended, the last moment that is known of it. */
  endNs: number
  requestBytes: number
  responseBytes: number
  /** An answer was seen (or none belongs to it). */
  responseObserved: boolean
  /** The end was seen: no more changes. */
  complete: boolean
  /** Trace it was exported in, 32 hex digits; '' until then. What turns out later to be caused by it joins that trace. */
  traceId: string
  /** Of a message that answers another one: the message that asked, as this process read or sent it. */
  answers: Sample | undefined
  /** 16 hex digits once asked for (`spanIdOf`), '' before. */
  spanId: string
  /** For whoever puts the sample into a trace; nobody else looks at it. */
  node: object | undefined
}
