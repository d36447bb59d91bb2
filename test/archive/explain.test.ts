import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { migrate } from '../../src/archive/migrate.js'
import { getSpan } from '../../src/archive/queries/get-span.js'
import { createArchiveSink } from '../../src/archive/sink.js'
import { explain } from '../../src/cli/explanation.js'
import { createCounters } from '../../src/telemetry/counters.js'
import type { FinishedSpan, FinishedTrace } from '../../src/traces/span.js'
import { openTestArchive, type TestArchive, unlessEmbedded } from './embedded-archive.js'
import { syntheticTraces } from './synthetic-traces.js'

const START = BigInt(Math.floor(Date.now() / 86_400_000) * 86_400 - 43_200) * 1_000_000_000n
const strengths = { wire: 0, context: 0.3, content: 0, time: 0.7 }

describe('why a span hangs where it hangs', { skip: unlessEmbedded() }, () => {
  let store: TestArchive
  const [plain, doubtful, guessed] = [...syntheticTraces({ count: 3, seed: 5, startNs: START, gapNs: 1e7 })] as [
    FinishedTrace,
    FinishedTrace,
    FinishedTrace,
  ]
  const child = doubtful.spans.at(-1)!
  const likely = plain.spans[0]!

  before(async () => {
    store = await openTestArchive()
    await migrate(store.archive)
    const sink = createArchiveSink({
      archive: store.archive,
      prepare: () => migrate(store.archive),
      spoolDirectory: `${store.directory}/spool`,
      counters: createCounters(),
    })
    sink.accept(plain)
    sink.accept(
      changed(doubtful, child, {
        link: {
          evidence: 'time',
          confidence: 0.75,
          strengths,
          alternatives: [
            { spanId: likely.spanId, confidence: 0.2 },
            { spanId: '00000000deadbeef', confidence: 0.125 },
          ],
        },
      }),
    )
    sink.accept(
      changed(guessed, guessed.spans[0]!, {
        links: [
          {
            traceId: plain.traceId,
            spanId: likely.spanId,
            attributes: { 'ghostspan.link.evidence': 'context', 'ghostspan.link.confidence': 0.3 },
          },
        ],
      }),
    )
    await sink.flush()
    await sink.close()
  })
  after(() => store.close())

  it('tells the parent, what each kind of evidence said, and the other candidates, gone ones too', async () => {
    const found = await getSpan(store.archive, child.spanId)
    assert.equal(found.kind, 'span')
    const { verdict, parent, decidedBy, evidence, others } = explain(found.span, found.related)
    assert.deepEqual([verdict, decidedBy], ['linked', 'time'])
    assert.deepEqual([parent?.spanId, parent?.confidence], [child.parentSpanId, 0.75])
    assert.equal(parent?.span?.spanId, child.parentSpanId)
    assert.match(parent?.times ?? '', /^begun .* after it, ended .* its end$/)
    const said = Object.fromEntries(evidence.map(each => [each.kind, each]))
    assert.ok(Math.abs(said['time']!.strength - 0.7) < 0.01 && Math.abs(said['context']!.strength - 0.3) < 0.01)
    assert.match(said['time']!.says, /its times fit/)
    assert.match(said['context']!.says, /thread \d+ of process \d+/)
    assert.equal(said['content']!.says, 'nothing')
    assert.deepEqual(
      others.map(({ spanId, confidence, span }) => [spanId, confidence, span?.name]),
      [
        [likely.spanId, 0.2, likely.name],
        ['00000000deadbeef', 0.125, undefined],
      ],
    )
  })

  it('tells of a guess below the floor that it is none of its parents', async () => {
    const found = await getSpan(store.archive, guessed.spans[0]!.spanId)
    assert.equal(found.kind, 'span')
    const { verdict, parent, decidedBy } = explain(found.span, found.related)
    assert.deepEqual([verdict, parent?.spanId, parent?.confidence, decidedBy], ['guess', likely.spanId, 0.3, 'context'])
  })

  it('says of a root that nothing spoke for a parent', async () => {
    const found = await getSpan(store.archive, likely.spanId)
    assert.equal(found.kind, 'span')
    assert.deepEqual(explain(found.span, found.related), {
      verdict: 'root',
      parent: undefined,
      decidedBy: undefined,
      evidence: [],
      others: [],
    })
  })

  it('takes the beginning of an id, unless several begin so', async () => {
    const found = await getSpan(store.archive, likely.spanId.slice(0, 8))
    assert.ok(found.kind === 'span' && found.span.spanId === likely.spanId)
    const twin = { ...likely, spanId: `${likely.spanId.slice(0, 15)}${likely.spanId.endsWith('0') ? '1' : '0'}` }
    const sink = createArchiveSink({
      archive: store.archive,
      prepare: async () => {},
      spoolDirectory: `${store.directory}/spool`,
      counters: createCounters(),
    })
    sink.accept({ ...plain, spans: [twin] })
    await sink.flush()
    await sink.close()
    const both = await getSpan(store.archive, likely.spanId.slice(0, 8))
    assert.ok(both.kind === 'ambiguous')
    assert.deepEqual([...both.spanIds].sort(), [likely.spanId, twin.spanId].sort())
  })

  it('knows what is no id, and what is nobody’s', async () => {
    assert.equal((await getSpan(store.archive, 'xyz')).kind, 'invalid')
    assert.equal((await getSpan(store.archive, 'abc')).kind, 'invalid')
    assert.equal((await getSpan(store.archive, "0000' OR 1=1 --")).kind, 'invalid')
    assert.equal((await getSpan(store.archive, '0000000000000001')).kind, 'none')
  })
})

function changed(trace: FinishedTrace, span: FinishedSpan, change: Partial<FinishedSpan>): FinishedTrace {
  return { ...trace, spans: trace.spans.map(each => (each === span ? { ...each, ...change } : each)) }
}
