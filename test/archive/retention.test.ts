import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { migrate } from '../../src/archive/migrate.js'
import { archiveSummary } from '../../src/archive/queries/summary.js'
import { enforceRetention } from '../../src/archive/retention.js'
import { createArchiveSink } from '../../src/archive/sink.js'
import { archiveJobs } from '../../src/jobs/archive-jobs.js'
import { startSchedule } from '../../src/jobs/schedule.js'
import { createCounters } from '../../src/telemetry/counters.js'
import { eventually, openTestArchive, type TestArchive, unlessEmbedded } from './embedded-archive.js'
import { syntheticTraces } from './synthetic-traces.js'

const DAY = 86_400n * 1_000_000_000n
const TODAY = ((BigInt(Date.now()) * 1_000_000n) / DAY) * DAY

describe('retention', { skip: unlessEmbedded() }, () => {
  let store: TestArchive
  const counters = createCounters()
  const write = async (daysAgo: bigint, count: number, seed: number): Promise<void> => {
    const sink = createArchiveSink({
      archive: store.archive,
      prepare: () => migrate(store.archive),
      spoolDirectory: `${store.directory}/spool`,
      counters,
    })
    for (const trace of syntheticTraces({ count, seed, startNs: TODAY - daysAgo * DAY })) sink.accept(trace)
    await sink.flush()
    await sink.close()
  }
  const spansOf = (daysAgo: bigint): Promise<number> =>
    store.count(
      `SELECT count() FROM ghostspan.otel_traces WHERE toDate(Timestamp) = toDate(${(TODAY - daysAgo * DAY) / 1_000_000_000n})`,
    )

  before(async () => {
    store = await openTestArchive()
  })
  after(async () => {
    await store?.close()
  })

  it('keeps a recording of long ago as long as what has just happened', async () => {
    await write(400n, 50, 1)
    await write(1n, 400, 2)
    await write(0n, 400, 3)
    await store.archive.run(client => client.command({ query: 'OPTIMIZE TABLE ghostspan.otel_traces FINAL' }))
    const result = await enforceRetention({
      archive: store.archive,
      retentionSeconds: 3600,
      limitBytes: 1e9,
      counters,
    })
    assert.equal(result.droppedSpans, 0)
    assert.equal(await spansOf(400n), 400)
  })

  it('drops the oldest days first until the archive fits', async () => {
    const { bytesOnDisk } = await archiveSummary(store.archive)
    const warnings: string[] = []
    const result = await enforceRetention({
      archive: store.archive,
      retentionSeconds: 3600,
      limitBytes: Math.round(bytesOnDisk * 0.6),
      counters,
      warn: message => warnings.push(message),
    })
    assert.deepEqual([await spansOf(400n), await spansOf(1n), await spansOf(0n)], [0, 0, 3200])
    assert.equal(result.droppedSpans, 3600)
    assert.equal(counters.snapshot()['archive.retention.size.spans'], 3600)
    assert.ok(result.bytesOnDisk <= bytesOnDisk * 0.6)
    assert.equal(result.bytesOnDisk, (await archiveSummary(store.archive)).bytesOnDisk)
    assert.equal(warnings.length, 1)
    assert.equal(await store.count('SELECT count() FROM ghostspan.otel_traces_trace_id_ts'), 400)
  })

  it('drops what is too old', async () => {
    const drop = (): ReturnType<typeof enforceRetention> =>
      enforceRetention({ archive: store.archive, retentionSeconds: 1, limitBytes: 1e9, counters })
    await eventually('the spans are older than a second', async () => (await drop()).droppedSpans > 0)
    assert.equal(await spansOf(0n), 0)
    assert.equal(counters.snapshot()['archive.retention.age.spans'], 3200)
  })

  it('is done by the tables themselves, too, after the setting has changed', async () => {
    await write(0n, 50, 4)
    assert.equal((await migrate(store.archive, { retentionSeconds: 1 })).retentionChanged, true)
    assert.equal((await migrate(store.archive, { retentionSeconds: 1 })).retentionChanged, false)
    await eventually('the server drops them', async () => {
      await store.archive.run(client => client.command({ query: 'OPTIMIZE TABLE ghostspan.otel_traces FINAL' }))
      return (await spansOf(0n)) === 0
    })
    assert.equal((await migrate(store.archive)).retentionChanged, true)
  })

  it('checks that what was acknowledged is there, and notices when it is not', async () => {
    const sink = createArchiveSink({
      archive: store.archive,
      prepare: () => migrate(store.archive),
      spoolDirectory: `${store.directory}/spool`,
      counters,
    })
    const warnings: string[] = []
    const schedule = startSchedule({
      jobs: archiveJobs({
        archive: store.archive,
        sink,
        retentionSeconds: 3600,
        limitBytes: 1e9,
        counters,
        warn: message => warnings.push(message),
      }),
      counters,
      warn: message => warnings.push(message),
    })
    const put = async (seed: number): Promise<void> => {
      for (const trace of syntheticTraces({ count: 20, seed, startNs: TODAY })) sink.accept(trace)
      await sink.flush()
    }
    await put(5)
    assert.equal(await schedule.runNow('retention'), true)
    assert.equal(await schedule.runNow('self-check'), true)
    await put(6)
    assert.equal(await schedule.runNow('self-check'), true)
    await put(7)
    await store.archive.run(client => client.command({ query: 'TRUNCATE TABLE ghostspan.otel_traces' }))
    assert.equal(await schedule.runNow('self-check'), false)
    assert.match(warnings.at(-1)!, /lacks 160 acknowledged spans/)
    assert.equal(counters.snapshot()['archive.check.missing_rows'], 160)
    await schedule.stop()
    await sink.close()
  })
})
