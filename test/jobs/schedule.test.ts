import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startSchedule } from '../../src/jobs/schedule.js'
import { createCounters } from '../../src/telemetry/counters.js'

const NEVER = '0 0 1 1 *'

describe('the schedule', () => {
  it('runs a job when its time has come', async () => {
    const counters = createCounters()
    let tick = (): void => {}
    const ran = new Promise<void>(resolve => {
      tick = resolve
    })
    const schedule = startSchedule({
      jobs: [{ name: 'tick', when: '* * * * * *', run: async () => tick() }],
      counters,
    })
    // The schedule itself keeps no process alive; this does.
    const alive = setInterval(() => {}, 1000)
    await ran
    clearInterval(alive)
    await schedule.stop()
    assert.ok(counters.snapshot()['jobs.tick.runs']! >= 1)
  })

  it('runs one job at a time, and skips one that still waits', async () => {
    const counters = createCounters()
    const order: string[] = []
    let go = (): void => {}
    const gate = new Promise<void>(resolve => {
      go = resolve
    })
    const schedule = startSchedule({
      jobs: [
        {
          name: 'slow',
          when: NEVER,
          run: async () => {
            order.push('slow begins')
            await gate
            order.push('slow ends')
          },
        },
        { name: 'quick', when: NEVER, run: async () => void order.push('quick') },
      ],
      counters,
    })
    const runs = [schedule.runNow('slow'), schedule.runNow('quick'), schedule.runNow('slow'), schedule.runNow('quick')]
    go()
    assert.deepEqual(await Promise.all(runs), [true, true, false, false])
    assert.deepEqual(order, ['slow begins', 'slow ends', 'quick'])
    assert.deepEqual(counters.snapshot('jobs.'), {
      'jobs.quick.runs': 1,
      'jobs.quick.skipped': 1,
      'jobs.slow.runs': 1,
      'jobs.slow.skipped': 1,
    })
    await schedule.stop()
  })

  it('counts a failure and goes on', async () => {
    const counters = createCounters()
    const warnings: string[] = []
    const job = { name: 'bad', when: NEVER, run: () => Promise.reject(new Error('no luck')) }
    const schedule = startSchedule({ jobs: [job], counters, warn: message => warnings.push(message) })
    assert.equal(await schedule.runNow('bad'), false)
    assert.equal(await schedule.runNow('bad'), false)
    assert.equal(counters.snapshot()['jobs.bad.failed'], 2)
    assert.deepEqual(warnings, ['jobs: bad failed: no luck', 'jobs: bad failed: no luck'])
    await schedule.stop()
  })

  it('waits at its end for what runs, and starts nothing after it', async () => {
    const counters = createCounters()
    let finished = false
    const job = {
      name: 'job',
      when: NEVER,
      run: async () => {
        await new Promise(resolve => setTimeout(resolve, 20))
        finished = true
      },
    }
    const schedule = startSchedule({ jobs: [job], counters })
    const running = schedule.runNow('job')
    await new Promise(resolve => setImmediate(resolve))
    await schedule.stop()
    assert.equal(finished, true)
    assert.equal(await running, true)
    assert.equal(await schedule.runNow('job'), false)
  })

  it('refuses a time that nobody can read', () => {
    const job = { name: 'job', when: 'every now and then', run: async () => {} }
    assert.throws(() => startSchedule({ jobs: [job], counters: createCounters() }), /'every now and then' \(job\)/)
  })
})
