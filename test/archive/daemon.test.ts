import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Archive } from '../../src/archive/archive.js'
import { connectArchive } from '../../src/archive/connect.js'
import { migrate } from '../../src/archive/migrate.js'
import { getTrace } from '../../src/archive/queries/get-trace.js'
import { listTraces } from '../../src/archive/queries/list-traces.js'
import { archiveSummary } from '../../src/archive/queries/summary.js'
import { type ArchiveSink, type ArchiveSinkOptions, createArchiveSink } from '../../src/archive/sink.js'
import { spooledRows } from '../../src/archive/spool.js'
import { type Counters, createCounters } from '../../src/telemetry/counters.js'
import type { FinishedTrace } from '../../src/traces/span.js'
import { eventually, openTestArchive, temporaryDirectory, unlessEmbedded } from './embedded-archive.js'
import { syntheticTraces } from './synthetic-traces.js'

/** The same as in daemon-process.ts, so that both processes make the same traces. */
const NOW = BigInt(Math.floor(Date.now() / 86_400_000) * 86_400) * 1_000_000_000n
const traces = (count: number, seed = 1): FinishedTrace[] => [
  ...syntheticTraces({ count, seed, startNs: NOW, gapNs: 1e5 }),
]

function directoryOf(t: TestContext): string {
  const directory = temporaryDirectory()
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

const sinkOn = (
  archive: Archive,
  directory: string,
  more: Partial<ArchiveSinkOptions> = {},
): ArchiveSink & { readonly counters: Counters } => {
  const counters = createCounters()
  const sink = createArchiveSink({
    archive,
    prepare: () => migrate(archive),
    spoolDirectory: join(directory, 'spool'),
    counters,
    longestBackoffMillis: 500,
    ...more,
  })
  return { ...sink, counters }
}

/** Every span exactly once, in the table and (by trace) in the table of ids. */
async function assertHolds(archive: Archive, expected: readonly FinishedTrace[]): Promise<void> {
  const spans = expected.reduce((sum, trace) => sum + trace.spans.length, 0)
  const [row] = await archive.run(async client =>
    (
      await client.query({
        query: `SELECT count() AS rows, uniqExact(SpanId) AS spans, uniqExact(TraceId) AS traces,
          (SELECT uniqExact(TraceId) FROM ghostspan.otel_traces_trace_id_ts) AS ids FROM ghostspan.otel_traces`,
        format: 'JSONEachRow',
      })
    ).json<Record<'rows' | 'spans' | 'traces' | 'ids', string>>(),
  )
  assert.deepEqual([row!.rows, row!.spans, row!.traces, row!.ids].map(Number), [
    spans,
    spans,
    expected.length,
    expected.length,
  ])
}

/** A daemon as a process of its own, told what to do over IPC. */
async function startDaemon(t: TestContext, directory: string, url?: string): Promise<ChildProcess> {
  const program = fileURLToPath(new URL(`./daemon-process${import.meta.url.slice(-3)}`, import.meta.url))
  const child = fork(program, [directory, ...(url === undefined ? [] : [url])], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let stderr = ''
  child.stderr!.on('data', text => {
    stderr += text
  })
  t.after(() => child.kill('SIGKILL'))
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve())
    child.once('exit', () => reject(new Error(`the daemon did not start: ${stderr}`)))
  })
  return child
}

const told = (child: ChildProcess, message: unknown): Promise<unknown> =>
  new Promise(resolve => {
    child.once('message', resolve)
    child.send(message as object)
  })

const ended = (child: ChildProcess): Promise<void> => new Promise(resolve => child.once('exit', () => resolve()))

describe('one directory, several processes', { skip: unlessEmbedded() }, () => {
  it('is read while a daemon runs, after it has gone, and refused to a second daemon with the first one’s pid', async t => {
    const directory = directoryOf(t)
    await assert.rejects(connectArchive({ dataDirectory: directory, role: 'reader' }), /nothing is archived/)
    const daemon = await startDaemon(t, directory)
    await told(daemon, { write: 5, seed: 1 })

    const reader = await connectArchive({ dataDirectory: directory, role: 'reader' })
    t.after(() => reader.close())
    assert.equal((await listTraces(reader)).length, 5)
    await assert.rejects(
      connectArchive({ dataDirectory: directory, role: 'daemon', waitMillis: 1000 }),
      new RegExp(`the process ${daemon.pid} uses .*archive; stop it, or choose another data directory`),
    )

    const gone = ended(daemon)
    daemon.send({ stop: true })
    await gone
    // The same reader goes on with an engine of its own, and another one uses that.
    assert.equal((await archiveSummary(reader)).spans, 40)
    const second = await connectArchive({ dataDirectory: directory, role: 'reader' })
    assert.equal(second.enginePid(), reader.enginePid())
    assert.equal((await getTrace(second, traces(5)[2]!.traceId)).kind, 'trace')
    await second.close()
    // A daemon waits until a reader has finished.
    const waiting = connectArchive({ dataDirectory: directory, role: 'daemon' })
    await reader.close()
    const next = await waiting
    assert.equal((await archiveSummary(next)).spans, 40)
    await next.close()
  })

  it('is free at once after kill -9 of a daemon, which loses nothing that was spooled or acknowledged', async t => {
    const directory = directoryOf(t)
    const daemon = await startDaemon(t, directory)
    await told(daemon, { write: 5, seed: 1 })
    // Its archive goes away for good, so that what follows is spooled; then it is killed.
    await told(daemon, { away: true })
    await told(daemon, { write: 7, seed: 2 })
    assert.equal(spooledRows(join(directory, 'spool')), 56)
    const gone = ended(daemon)
    daemon.kill('SIGKILL')
    await gone

    const archive = await connectArchive({ dataDirectory: directory, role: 'daemon' })
    t.after(() => archive.close())
    const sink = sinkOn(archive, directory)
    await eventually('the spool is replayed', () => sink.status().spooledBatches === 0)
    await sink.close()
    assert.equal(sink.counters.snapshot()['archive.spool.replayed'], 56)
    await assertHolds(archive, [...traces(5, 1), ...traces(7, 2)])
  })

  it('works in a directory whose name is too long for a socket', async t => {
    const directory = join(directoryOf(t), 'd'.repeat(120))
    const store = await openTestArchive({ dataDirectory: directory })
    assert.equal(await store.count('SELECT 1'), 1)
    const reader = await connectArchive({ dataDirectory: directory, role: 'reader' })
    assert.equal(reader.enginePid(), store.archive.enginePid())
    await reader.close()
    await store.close()
  })

  it('says what is wrong with a directory that cannot be used', async t => {
    const file = join(directoryOf(t), 'file')
    writeFileSync(file, '')
    await assert.rejects(connectArchive({ dataDirectory: file, role: 'daemon' }), /ENOTDIR|EEXIST/)
  })
})

describe('an archive that goes away', { skip: unlessEmbedded() }, () => {
  it('loses and doubles nothing when the engine is killed in mid-insert, again and again', async t => {
    const store = await openTestArchive()
    t.after(() => store.close())
    const sink = sinkOn(store.archive, store.directory, { batchRows: 400 })
    const all = traces(1500)
    let kills = 0
    for (const [i, trace] of all.entries()) {
      sink.accept(trace)
      if (i % 25 === 24) await new Promise(resolve => setTimeout(resolve, 5))
      if (i % 500 === 250) {
        await eventually('an insert runs', () => sink.status().inFlight > 0 && store.archive.enginePid() !== undefined)
        process.kill(store.archive.enginePid()!, 'SIGKILL')
        kills++
      }
    }
    await eventually('all is there', async () => {
      await sink.flush()
      return sink.status().spooledBatches === 0
    })
    await sink.close()
    assert.equal(kills, 3)
    assert.ok(store.warnings.some(line => /ended unexpectedly/.test(line)))
    assert.deepEqual(sink.counters.snapshot('archive.lost.'), {})
    await assertHolds(store.archive, all)
  })

  it('spools what comes while it is away and hands it over when it is back', async t => {
    const store = await openTestArchive()
    t.after(() => store.close())
    let away = true
    const flaky: Archive = {
      ...store.archive,
      run: work =>
        away ? Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })) : store.archive.run(work),
    }
    const warnings: string[] = []
    const sink = sinkOn(flaky, store.directory, { batchRows: 80, warn: message => warnings.push(message) })
    const all = traces(60)
    for (const trace of all) sink.accept(trace)
    // Resolves though the archive is away: all is on disk.
    await sink.flush()
    assert.deepEqual([sink.status().away, sink.status().spooledBatches], [true, 6])
    assert.equal(sink.counters.snapshot()['archive.spans.inserted'], undefined)
    away = false
    await eventually('the spool is empty', () => sink.status().spooledBatches === 0)
    await sink.close()
    assert.deepEqual(sink.counters.snapshot('archive.lost.'), {})
    assert.match(warnings[0]!, /does not take spans .* spooled/)
    assert.match(warnings.at(-1)!, /answers again/)
    await assertHolds(store.archive, all)
  })

  it('makes its tables again when somebody has dropped them', async t => {
    const store = await openTestArchive()
    t.after(() => store.close())
    const sink = sinkOn(store.archive, store.directory)
    sink.accept(traces(1)[0]!)
    await sink.flush()
    await store.archive.run(client => client.command({ query: 'DROP DATABASE ghostspan' }))
    const later = traces(3, 9)
    for (const trace of later) sink.accept(trace)
    await eventually('the spans are there', async () => {
      await sink.flush()
      return sink.status().spooledBatches === 0
    })
    await sink.close()
    await assertHolds(store.archive, later)
  })
})

describe('an archive that never answers', () => {
  const dead: Archive = {
    place: 'server',
    address: 'http://127.0.0.1:1/x',
    database: 'x',
    run: () => Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })),
    enginePid: () => undefined,
    readPort: () => undefined,
    close: async () => {},
  }

  it('costs bounded disk and memory, and every lost span is counted', async t => {
    const directory = directoryOf(t)
    const sink = sinkOn(dead, directory, {
      prepare: () => dead.run(async () => {}),
      batchRows: 100,
      spoolLimitBytes: 400_000,
    })
    const all = traces(400)
    for (const trace of all) {
      sink.accept(trace)
      await new Promise(resolve => setImmediate(resolve))
    }
    await sink.close()
    const { spooledBytes } = sink.status()
    const lost = sink.counters.snapshot('archive.lost.')
    assert.ok(spooledBytes <= 400_000 && spooledBytes > 200_000)
    assert.equal(spooledRows(join(directory, 'spool')) + lost['archive.lost.spool_full']!, 3200)
    sink.accept(all[0]!)
    assert.equal(sink.counters.snapshot('archive.lost.')['archive.lost.closed'], 8)
  })

  it('does not hold up closing when it hangs', async t => {
    const directory = directoryOf(t)
    const hanging: Archive = {
      ...dead,
      // As a client does: it gives up when it is told to.
      run: work =>
        work({
          exec: ({ abort_signal: signal }: { abort_signal: AbortSignal }) =>
            new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
        } as never),
    }
    const sink = sinkOn(hanging, directory, { prepare: async () => {}, closeMillis: 100 })
    sink.accept(traces(1)[0]!)
    await sink.close()
    assert.equal(spooledRows(join(directory, 'spool')), 8)
  })

  it('lets nobody else write into its spool meanwhile', async t => {
    const directory = directoryOf(t)
    const sink = sinkOn(dead, directory, { prepare: async () => {} })
    assert.throws(() => sinkOn(dead, directory), new RegExp(`the process ${process.pid} uses`))
    await sink.close()
    await sinkOn(dead, directory).close()
  })
})
