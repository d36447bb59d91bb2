import type { EventSource } from '../capture/event-source.js'
import type { PipelineStatus } from '../pipeline.js'
import type { Score } from './score.js'

/** What one run came to, from wherever its events were. */
export interface DemoRun {
  readonly source: EventSource['kind']
  readonly score: Score
  readonly status: PipelineStatus
  /** The load's requests that were not answered. */
  readonly failures: readonly string[]
  /** Seconds from the first server's start to the last one's readiness. */
  readonly startSeconds: number
  /** Seconds from the start of the capture to the last trace. */
  readonly runSeconds: number
}
