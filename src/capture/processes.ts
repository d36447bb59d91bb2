import type { ProcessInfo } from './process-info.js'

/** A process of the capture, alive or gone. `info` arrives with its first `processInfo` record. */
export interface ObservedProcess {
  readonly pid: number
  info: ProcessInfo | undefined
  /** Changes when the process is replaced by exec or its pid is used again. */
  generation: number
  /** Time of its end in ns since the capture's base; undefined while it lives. */
  endedNs: number | undefined
}
