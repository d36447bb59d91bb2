import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { type ClickHouseClient, ClickHouseError, createClient } from '@clickhouse/client'
import { connectArchive } from '../../src/archive/connect.js'
import { migrate } from '../../src/archive/migrate.js'
import { getTrace } from '../../src/archive/queries/get-trace.js'
import { archiveSummary } from '../../src/archive/queries/summary.js'
import { createArchiveSink } from '../../src/archive/sink.js'
import { createCounters } from '../../src/telemetry/counters.js'
import {
  eventually,
  openTestArchive,
  type TestArchive,
  temporaryDirectory,
  unlessEmbedded,
} from './embedded-archive.js'
import { syntheticTraces } from './synthetic-traces.js'

const codeIs = (code: string) => (error: unknown) => error instanceof ClickHouseError && error.code === code

describe('the embedded engine over HTTP', { skip: unlessEmbedded() }, () => {
  let store: TestArchive
  const run = <T>(work: (client: ClickHouseClient) => Promise<T>): Promise<T> => store.archive.run(work)
  const text = (query: string): Promise<string> =>
    run(async client => (await (await client.query({ query, format: 'TabSeparated' })).text()).trim())

  before(async () => {
    store = await openTestArchive()
    await run(client => client.command({ query: 'CREATE DATABASE lab' }))
    await run(client =>
      client.command({ query: 'CREATE TABLE lab.victim (n UInt32, s String) ENGINE = MergeTree ORDER BY n' }),
    )
  })
  after(async () => {
    await store?.close()
  })

  it('answers an error, not the left-overs of the query before', async () => {
    await assert.rejects(
      run(async client =>
        (
          await client.query({
            query: 'SELECT throwIf(number = 2000000) FROM numbers(10000000)',
            format: 'JSONEachRow',
          })
        ).json(),
      ),
      codeIs('395'),
    )
    assert.equal(await text('SELECT 45'), '45')
    await assert.rejects(text('SELECT nonsense'), codeIs('47'))
    assert.equal(await text('SELECT 46'), '46')
  })

  it('takes a payload as data, whatever it looks like', async () => {
    const values = Readable.from([Buffer.from('1,"x"\n\nDROP TABLE lab.victim\n')], { objectMode: false })
    await run(client => client.exec({ query: 'INSERT INTO lab.victim FORMAT CSV', values })).then(
      async result => {
        for await (const _ of result.stream) assert.fail('an INSERT answers nothing')
      },
      (error: unknown) => assert.ok(error instanceof ClickHouseError),
    )
    const rows = [{ n: 7, s: "a\n\nDROP TABLE lab.victim\n\n'" }]
    await run(client => client.insert({ table: 'lab.victim', values: rows, format: 'JSONEachRow' }))
    assert.equal(await text('SELECT count() FROM lab.victim WHERE n = 7'), '1')
  })

  it('keeps settings and parameters of a request to that request', async () => {
    const ask = (settings: Record<string, string>): Promise<string> =>
      run(async client => {
        const result = await client.query({
          query: "SELECT {what:String}, getSetting('max_threads')",
          query_params: { what: "it's\n\\\t" },
          clickhouse_settings: settings,
          format: 'JSONCompactEachRow',
        })
        return JSON.stringify(await result.json())
      })
    const answer = [["it's\n\\\t", 3]]
    assert.deepEqual(JSON.parse(await ask({ max_threads: '3' })), answer)
    assert.notDeepEqual(JSON.parse(await ask({})), answer)
  })

  it('stops a query whose client has gone away', async () => {
    const abort = new AbortController()
    const running = run(client =>
      client.query({
        query: 'SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))',
        abort_signal: abort.signal,
      }),
    )
    const count = (): Promise<string> =>
      text("SELECT count() FROM system.processes WHERE query LIKE '%1000000000000%' AND query NOT LIKE '%processes%'")
    await eventually('the query runs', async () => (await count()) === '1')
    abort.abort()
    await assert.rejects(running)
    await eventually('the query has ended', async () => (await count()) === '0')
  })

  it('streams a large result, and says when it breaks off', async () => {
    const sum = await run(async client => {
      const result = await client.query({ query: 'SELECT number AS n FROM numbers(300000)', format: 'JSONEachRow' })
      let total = 0
      for await (const rows of result.stream<{ n: string }>()) for (const row of rows) total += Number(row.json().n)
      return total
    })
    assert.equal(sum, (299_999 * 300_000) / 2)
    await assert.rejects(
      run(async client => {
        const result = await client.query({
          query:
            'SELECT throwIf(number = 900000) FROM numbers(1000000) SETTINGS max_block_size = 10000, max_threads = 1',
          format: 'JSONEachRow',
        })
        for await (const _ of result.stream()) {
          // Only the end matters.
        }
      }),
    )
  })

  it('writes no file for anybody', async () => {
    const path = join(store.directory, 'out.csv')
    await assert.rejects(text(`SELECT 1 INTO OUTFILE '${path}'`), codeIs('164'))
    assert.ok(!existsSync(path))
  })
})

describe('a port for readers', { skip: unlessEmbedded() }, () => {
  let store: TestArchive
  let reader: ClickHouseClient
  before(async () => {
    store = await openTestArchive({ listen: { port: 0 } })
    await migrate(store.archive)
    reader = createClient({ url: `http://127.0.0.1:${store.archive.readPort()}`, log: { level: 127 } })
  })
  after(async () => {
    await reader?.close()
    await store?.close()
  })
  const text = async (query: string, settings: Record<string, string> = {}): Promise<string> =>
    (await (await reader.query({ query, format: 'TabSeparated', clickhouse_settings: settings })).text()).trim()

  it('reads, with limits of its own', async () => {
    assert.equal(await text('SELECT count() FROM ghostspan.otel_traces', { max_execution_time: '5' }), '0')
    assert.match(await text('SHOW TABLES FROM ghostspan'), /otel_traces/)
    assert.equal(await text("WITH 1 AS x SELECT x, 'a; b' AS t"), '1\ta; b')
  })

  for (const query of [
    'INSERT INTO ghostspan.migrations (number) VALUES (5)',
    'DROP TABLE ghostspan.otel_traces',
    'ALTER TABLE ghostspan.otel_traces DELETE WHERE 1',
    'SYSTEM STOP MERGES',
    'KILL QUERY WHERE 1 ASYNC',
    "BACKUP DATABASE ghostspan TO File('x')",
    "SELECT file('/etc/hostname')",
    "SELECT file/**/('/etc/hostname')",
    "SELECT `fi\\x6ce`('/etc/hostname')",
    "SELECT * FROM file('/etc/hostname', 'LineAsString')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
    "SELECT * FROM s3('http://127.0.0.1:1/bucket/x', 'CSV', 'a String')",
    "SELECT * FROM remote('127.0.0.1', 'system.one')",
    "SELECT 1 INTO/**/OUTFILE '/tmp/ghostspan-out.csv'",
    'SELECT 1; SYSTEM STOP MERGES',
    'SELECT 1 SETTINGS max_threads = 1',
    'SET max_threads = 1',
  ]) {
    it(`refuses ${query}`, async () => {
      await assert.rejects(
        reader.query({ query, format: 'TabSeparated' }).then(result => result.text()),
        codeIs('164'),
      )
    })
  }

  it('refuses every function for tables that is not known to stay inside', async () => {
    const inside =
      /^(?:numbers(?:_mt)?|zeros(?:_mt)?|primes|generate(?:Random|Series|_series)|values|SQLStandardValues|null|format|loop|merge|view\w*|timeSeries\w+)$/
    const names = (await text("SELECT name FROM system.table_functions WHERE name != ''")).split('\n')
    assert.ok(names.length > 50)
    for (const name of names) {
      if (inside.test(name)) continue
      const query = `SELECT * FROM ${name}('a', 'b')`
      const answer = reader.query({ query, format: 'TabSeparated' }).then(result => result.text())
      await assert.rejects(answer, /beyond the archive|readonly mode/, name)
    }
  })

  it('refuses settings that reach further than a query', async () => {
    for (const name of ['readonly', 'allow_introspection_functions', 'output_format_schema', 'format_schema']) {
      await assert.rejects(text('SELECT 1', { [name]: '0' }), codeIs('164'), name)
    }
  })

  it('refuses web pages', async () => {
    const status = (headers: Record<string, string>): Promise<number> =>
      new Promise((resolve, reject) => {
        http
          .get({ port: store.archive.readPort(), path: '/?query=SELECT%201', headers, agent: false }, response => {
            response.resume()
            resolve(response.statusCode ?? 0)
          })
          .on('error', reject)
      })
    assert.equal(await status({}), 200)
    assert.equal(await status({ host: 'attacker.example' }), 403)
    assert.equal(await status({ origin: 'http://attacker.example' }), 403)
  })
})

describe('a ClickHouse server by URL', { skip: unlessEmbedded() }, () => {
  it('is written and read as the embedded engine is', async t => {
    const directory = temporaryDirectory()
    const far = await openTestArchive({
      dataDirectory: directory,
      listen: { port: 0, rights: 'write', password: 'geheim' },
    })
    t.after(() => far.close())
    const url = `http://127.0.0.1:${far.archive.readPort()}/elsewhere`
    const archive = await connectArchive({ url, password: 'geheim', role: 'daemon' })
    t.after(() => archive.close())
    assert.equal(archive.place, 'server')
    assert.equal(archive.address, url)
    const sink = createArchiveSink({
      archive,
      prepare: () => migrate(archive),
      spoolDirectory: join(directory, 'spool'),
      counters: createCounters(),
    })
    const traces = [...syntheticTraces({ count: 20, startNs: BigInt(Date.now()) * 1_000_000n })]
    for (const trace of traces) sink.accept(trace)
    await sink.flush()
    await sink.close()
    const summary = await archiveSummary(archive)
    assert.deepEqual([summary.engine, summary.spans, summary.traces], ['server', 160, 20])
    assert.equal((await getTrace(archive, traces[3]!.traceId)).kind, 'trace')
    const wrong = await connectArchive({ url, password: 'falsch', role: 'reader' })
    t.after(() => wrong.close())
    await assert.rejects(archiveSummary(wrong), codeIs('516'))
  })

  it('is not written without a password over a port', async () => {
    await assert.rejects(openTestArchive({ listen: { port: 0, rights: 'write' } }), /needs a password/)
  })

  it('is refused with a reason when its URL cannot be meant', async () => {
    const connect = (url: string): Promise<unknown> => connectArchive({ url, role: 'reader' })
    await assert.rejects(connect('clickhouse://localhost:9000'), /only the HTTP interface/)
    await assert.rejects(connect('localhost'), /http:\/\/host:8123/)
    await assert.rejects(connect('http://u:secret@host:8123/a-b;c'), (error: Error) => {
      return /cannot be a database/.test(error.message) && !error.message.includes('secret')
    })
    const archive = await connectArchive({ url: 'http://u:secret@127.0.0.1:1/db', role: 'reader' })
    assert.equal(archive.address, 'http://127.0.0.1:1/db')
    await assert.rejects(archiveSummary(archive), /ECONNREFUSED/)
    await archive.close()
  })
})
