import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createPcapSource } from '../../src/capture/pcap-source.js'
import { Attribute } from '../../src/protocols/attribute-names.js'
import { createCounters } from '../../src/telemetry/counters.js'
import type { FinishedSpan } from '../../src/traces/span.js'
import { runPipeline } from '../support/run-pipeline.js'
import { casesFolder, requiresCases } from '../support/shared-cases.js'

interface Batch {
  readonly client_port: number
  readonly in: 'request' | 'response'
  readonly topic: string | null
  readonly partition: number | null
  readonly offsets: readonly number[]
  readonly control?: boolean
}

/** What the capture's own program noted: the batches that were sent, by what is in them. */
const sentIn = (batches: readonly Batch[]) => (span: FinishedSpan) =>
  batches.filter(
    batch =>
      batch.in === 'request' &&
      batch.topic === span.attributes[Attribute.messagingDestinationName] &&
      String(batch.partition) === span.attributes[Attribute.messagingDestinationPartitionId],
  )

test('Whoever consumes a batch of records is the child of whoever sent it: real clients, all codecs and versions', async t => {
  if (!requiresCases(t, 'own-kafka')) return
  const folder = join(casesFolder, 'own-kafka')
  let links = 0
  for (const name of readdirSync(folder).filter(each => each.endsWith('.pcap'))) {
    const truth = JSON.parse(readFileSync(join(folder, name.replace(/pcap$/, 'json')), 'utf8')) as { batches: Batch[] }
    const source = createPcapSource(join(folder, name), { counters: createCounters(), ends: 'both' })
    const { spans } = await runPipeline(source)
    const byId = new Map(spans.map(span => [span.spanId, span]))
    for (const consumer of spans.filter(span => span.kind === 'consumer')) {
      const offset = consumer.attributes[Attribute.kafkaOffset] as number
      const expected = sentIn(truth.batches)(consumer).filter(batch => batch.offsets.includes(offset))
      const parent = byId.get(consumer.parentSpanId ?? '')
      assert.equal(parent?.kind, 'producer', `${name}: ${consumer.name} at ${offset}`)
      const port = Number(parent.sample.local.split(':').at(-1))
      const own = sentIn(truth.batches)(parent).filter(batch => batch.client_port === port)
      // One that wants no acknowledgement is not told its offset.
      const first = parent.attributes[Attribute.kafkaOffset] ?? own[0]?.offsets[0]
      assert.ok(
        expected.some(batch => batch.client_port === port && batch.offsets[0] === first),
        `${name}: ${consumer.name} at ${offset}`,
      )
      links++
    }
  }
  assert.ok(links >= 40, `${links} links`)
})
