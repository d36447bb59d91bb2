/** A service under load: what is measured without and with Ghostspan. */
export interface LiveTarget {
  readonly url: string
  readonly connections: number
  /** Executables that Ghostspan is told to trace. */
  readonly executables: readonly string[]
  /** Spans that a complete trace of one request has. */
  readonly spansPerRequest: number
  /** Processes whose CPU (with their children's) is the service's own. */
  readonly pids: readonly number[]
  stop(): Promise<void>
}
