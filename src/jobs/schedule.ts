import cron, { type ScheduledTask } from 'node-cron'
import type { Counters } from '../telemetry/counters.js'

/** A piece of work that is done again and again. */
export interface Job {
  readonly name: string
  /** Five fields, or six with seconds in front; UTC. */
  readonly when: string
  /** May throw: that is counted and the job comes again. */
  readonly run: () => Promise<void>
}

export interface ScheduleOptions {
  readonly jobs: readonly Job[]
  /** `jobs.<name>.{runs,failed,skipped}`. */
  readonly counters: Counters
  readonly warn?: (message: string) => void
}

export interface Schedule {
  /** Runs a job now, after whatever runs. Resolves to false if it failed or was skipped. */
  runNow(name: string): Promise<boolean>
  /** No job starts any more; resolves when none runs. */
  stop(): Promise<void>
}

/**
 * Runs jobs at their times, one at a time: they all ask the same archive. A job whose last run still waits or runs is
 * skipped, counted. Throws for an expression that cron cannot read.
 */
export function startSchedule(options: ScheduleOptions): Schedule {
  const { counters } = options
  const pending = new Set<string>()
  let last: Promise<unknown> = Promise.resolve()
  let stopped = false

  const run = (job: Job): Promise<boolean> => {
    if (stopped || pending.has(job.name)) {
      counters.add(`jobs.${job.name}.skipped`)
      return Promise.resolve(false)
    }
    pending.add(job.name)
    const result = last.then(async () => {
      if (stopped) return false
      try {
        await job.run()
        counters.add(`jobs.${job.name}.runs`)
        return true
      } catch (error) {
        counters.add(`jobs.${job.name}.failed`)
        options.warn?.(`jobs: ${job.name} failed: ${error instanceof Error ? error.message : String(error)}`)
        return false
      } finally {
        pending.delete(job.name)
      }
    })
    last = result
    return result
  }
  for (const job of options.jobs) {
    if (!cron.validate(job.when)) throw new Error(`jobs: '${job.when}' (${job.name}) is not a cron expression`)
  }
  const tasks: ScheduledTask[] = options.jobs.map(job =>
    cron.schedule(job.when, () => run(job), {
      name: job.name,
      timezone: 'UTC',
      unref: true,
      // A busy host is late now and then; the job comes again.
      suppressMissedWarning: true,
    }),
  )
  return {
    runNow: async name => {
      const job = options.jobs.find(candidate => candidate.name === name)
      if (job === undefined) throw new Error(`jobs: there is no job ${name}`)
      return run(job)
    },
    stop: async () => {
      stopped = true
      for (const task of tasks) await task.destroy()
      await last
    },
  }
}
