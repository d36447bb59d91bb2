import type { Archive } from '../archive/archive.js'
import { enforceRetention } from '../archive/retention.js'
import { selfCheck, serverTime } from '../archive/self-check.js'
import type { ArchiveSink } from '../archive/sink.js'
import type { Counters } from '../telemetry/counters.js'
import type { Job } from './schedule.js'

export interface ArchiveJobsOptions {
  readonly archive: Archive
  /** For the self-check: what has been acknowledged. */
  readonly sink: ArchiveSink
  readonly retentionSeconds: number
  readonly limitBytes: number
  readonly counters: Counters
  readonly warn?: (message: string) => void
}

/** Keeps the archive within its bounds every ten minutes, and checks every hour that what was written is there. */
export function archiveJobs(options: ArchiveJobsOptions): Job[] {
  const { archive, sink, counters, warn } = options
  let dropped = 0
  let base: { time: number; rows: number } | undefined

  return [
    {
      name: 'retention',
      when: '*/10 * * * *',
      run: async () => {
        const { retentionSeconds, limitBytes } = options
        const result = await enforceRetention({
          archive,
          retentionSeconds,
          limitBytes,
          counters,
          ...(warn === undefined ? {} : { warn }),
        })
        dropped += result.droppedSpans
      },
    },
    {
      name: 'self-check',
      when: '7 * * * *',
      run: async () => {
        const from = base
        const result = await selfCheck({
          archive,
          expectedRows: () => (from === undefined ? 0 : sink.status().firstTryRows - from.rows - dropped),
          since: from?.time ?? 0,
        })
        // The next run looks at what comes from here on: longer than that the server may drop rows by itself.
        const time = await serverTime(archive)
        const { firstTryRows, firstTryInFlight } = sink.status()
        base = { time, rows: firstTryRows + firstTryInFlight }
        dropped = 0
        if (result.agrees) return
        counters.add('archive.check.missing_rows', result.missingRows)
        counters.add('archive.check.unknown_traces', result.unknownTraces)
        throw new Error(
          `the archive lacks ${result.missingRows} acknowledged spans and the ids of ${result.unknownTraces} traces; ` +
            `it counts ${result.spans} spans, its parts ${result.partRows}`,
        )
      },
    },
  ]
}
