import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Attribute } from '../../src/protocols/attribute-names.js'
import type { FinishedSpan } from '../../src/traces/span.js'
import { repositoryPath } from '../accuracy/repository-path.js'
import { requiresKafka, startKafka } from '../support/kafka-broker.js'
import { pythonModule, requires } from '../support/requirements.js'
import { liveCapture, traceLive } from '../support/trace-live.js'

/** As its client knows it; the number is in its value, which is never told. */
type KafkaRecord = readonly [topic: string, partition: number, offset: number, number: string]

const GROUPS = ['store', 'mail']

/** What the producer sends. */
const RECORDS = 140

async function startClients(t: TestContext) {
  const broker = await startKafka()
  t.after(() => broker.stop())
  const port = String(broker.port)
  const script = repositoryPath('test', 'pipeline', 'programs', 'kafka_records.py')
  const start = (role: string, ...words: string[]) => {
    const child = spawn('/usr/bin/python3', [script, role, port, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => child.kill('SIGKILL'))
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    return {
      ready: once(child.stdout, 'data'),
      records: once(child, 'close').then(() => JSON.parse(said.trimEnd().split('\n').at(-1)!) as KafkaRecord[]),
    }
  }
  return { port, start }
}

/** Whether the batch that the span tells of holds the record. */
function holds(span: FinishedSpan, [topic, partition, offset]: KafkaRecord): boolean {
  const { attributes } = span
  const first = attributes[Attribute.kafkaOffset] as number
  const count = (attributes[Attribute.messagingBatchMessageCount] as number | undefined) ?? 1
  return (
    attributes[Attribute.messagingDestinationName] === topic &&
    attributes[Attribute.messagingDestinationPartitionId] === String(partition) &&
    offset >= first &&
    offset < first + count
  )
}

test('What librdkafka consumes of a real broker is linked to what produced it, in one trace, in each group', async t => {
  if (!requiresKafka(t)) return
  if (!requires(t, ...liveCapture, pythonModule('confluent_kafka'))) return
  const { port, start } = await startClients(t)
  await start('topics').records
  const tracing = await traceLive(t, {
    // All but ours is left out by a rule, not by default: a new process is watched until it is looked at.
    selection: {
      rules: [{ action: 'exclude', commandLine: `^(?![^]*kafka_records[.]py (producer|consumer) ${port})` }],
      otherwise: 'include',
    },
  })
  const consumers = GROUPS.map(group => start('consumer', group, String(RECORDS)))
  await Promise.all(consumers.map(({ ready }) => ready))
  const produced = await start('producer').records
  const consumed = await Promise.all(consumers.map(({ records }) => records))
  await sleep(1_000)
  await tracing.stop()

  assert.equal(tracing.status().lostEvents, 0)
  const spans = tracing.traces.flatMap(trace => trace.spans)
  const [sends, gets] = ['producer', 'consumer'].map(kind => spans.filter(span => span.kind === kind))
  assert.equal(produced.length, RECORDS)
  for (const records of consumed) assert.deepEqual(records.map(String).sort(), produced.map(String).sort())
  for (const record of produced) {
    const [sent, ...others] = sends!.filter(span => holds(span, record))
    assert.ok(sent !== undefined && others.length === 0, `${record}: sent by ${others.length + (sent ? 1 : 0)}`)
    const got = gets!.filter(span => holds(span, record))
    assert.equal(got.length, GROUPS.length, `${record}: consumed by ${got.length}`)
    for (const { traceId, parentSpanId, links } of got) {
      assert.deepEqual({ traceId, parentSpanId }, { traceId: sent.traceId, parentSpanId: sent.spanId })
      assert.deepEqual(
        links.map(link => [link.traceId, link.spanId]),
        [[sent.traceId, sent.spanId]],
      )
    }
  }
})
