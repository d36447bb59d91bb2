import type { Archive } from '../archive/archive.js'
import { rollUpSketches } from '../archive/roll-up.js'
import { thinOldTraces } from '../archive/thin-old-traces.js'
import type { Counters } from '../telemetry/counters.js'
import type { Job } from './schedule.js'

/** Hours and days of sketches, a few minutes after each hour: what comes later still is rolled up the next time. */
export function sketchJobs(archive: Archive, counters: Counters): Job[] {
  return [
    {
      name: 'roll-up',
      when: '4 * * * *',
      run: async () => {
        const { hours, days } = await rollUpSketches(archive)
        counters.add('sketches.rolled.hours', hours)
        counters.add('sketches.rolled.days', days)
      },
    },
  ]
}

/** Old traces that are kept as shapes lose their values. */
export function shapeJobs(archive: Archive, thinAfterSeconds: number, counters: Counters): Job[] {
  return [
    {
      name: 'thin-traces',
      when: '34 * * * *',
      run: async () => {
        await thinOldTraces({ archive, ageSeconds: thinAfterSeconds, counters })
      },
    },
  ]
}
