import type { ConnectOptions } from '../archive/connect.js'
import type { HooksChoice } from '../capture/hooks.js'
import type { OtlpEndpoint } from '../export/otlp-options.js'

export interface DemoOptions {
  /** Requests that the load sends. */
  readonly requests: number
  /** … so many at a time. */
  readonly concurrency: number
  /** Fail when a figure misses its goal. */
  readonly check: boolean
  /** One JSON object as the last line of the output, and no trees. */
  readonly json: boolean
  /** auto: from the kernel where that is possible, else from the recording that the package brings along. */
  readonly source: 'auto' | 'live' | 'recording'
  /** What tells of socket calls. Default auto. */
  readonly hooks?: HooksChoice
  /** Where traces are archived; undefined: nowhere. */
  readonly archive: Omit<ConnectOptions, 'role' | 'warn'> | undefined
  /** Where traces are sent over OTLP; undefined: nowhere. */
  readonly otlp: OtlpEndpoint | undefined
  /** Seconds that the set-up before us took. */
  readonly setupSeconds: number
  /** Threads of the worker that consume, and messages that each may hold unacknowledged. Default 2 and 1. */
  readonly consumers?: number
  readonly prefetch?: number
  /** A folder: the capture and the services' notes are written there, as the package brings them along. */
  readonly recordTo?: string
  /** Columns of the terminal, and whether it shows colours. Default 120, false. */
  readonly width?: number
  readonly colours?: boolean
  /** Stops the demo; its servers are stopped, too. */
  readonly signal?: AbortSignal
  /** Standard output and standard error: one text, ended by a newline. */
  readonly print: (text: string) => void
  readonly progress: (text: string) => void
}
