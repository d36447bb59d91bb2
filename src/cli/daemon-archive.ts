import type { Archive } from '../archive/archive.js'
import type { ArchiveSink } from '../archive/sink.js'
import type { Schedule } from '../jobs/schedule.js'
import { openArchive } from './archive-access.js'
import { type ArchiveTargets, createArchiveTargets, type SinkContext } from './trace-sinks.js'

/** The archive of a daemon: the way to it, the sink, and the jobs that keep it within its bounds. */
export interface DaemonArchive {
  readonly archive: Archive
  readonly sink: ArchiveSink
  readonly targets: ArchiveTargets
  close(): Promise<void>
}

/**
 * Opens the archive and starts its jobs. undefined where the embedded engine is not installed: the daemon goes on
 * without, and says so. Throws ArchiveError where the archive cannot be had for another reason.
 */
export async function openDaemonArchive(context: SinkContext): Promise<DaemonArchive | undefined> {
  const { ArchiveError } = await import('../archive/archive.js')
  const { log, settings } = context
  const warn = (message: string): void => log.warn({ component: 'archive' }, message)
  let archive: Archive
  try {
    archive = await openArchive(settings, { role: 'daemon', warn })
  } catch (error) {
    if (!(error instanceof ArchiveError) || error.reason !== 'missing') throw error
    warn(`nothing is archived: ${error.message}`)
    return undefined
  }
  const targets = await createArchiveTargets(archive, context)
  const sink = targets.rows
  const schedule = await startJobs(archive, sink, context)
  return {
    archive,
    sink,
    targets,
    close: async () => {
      await schedule.stop()
      await targets.close()
      await archive.close()
    },
  }
}

async function startJobs(
  archive: Archive,
  sink: ArchiveSink,
  { settings, counters, log }: SinkContext,
): Promise<Schedule> {
  const { archiveJobs } = await import('../jobs/archive-jobs.js')
  const { shapeJobs, sketchJobs } = await import('../jobs/sketch-jobs.js')
  const { startSchedule } = await import('../jobs/schedule.js')
  const { ageMillis, sizeBytes } = settings.archive.retention
  const warn = (message: string): void => log.warn({ component: 'jobs' }, message)
  const keep = archiveJobs({ archive, sink, retentionSeconds: ageMillis / 1000, limitBytes: sizeBytes, counters, warn })
  const sketching = settings.sketches.enabled ? sketchJobs(archive, counters) : []
  const shaping = shapeJobs(archive, settings.shapes.thinAfterSeconds, counters)
  const jobs = [...keep, ...sketching, ...shaping]
  return startSchedule({ jobs, counters, warn })
}
