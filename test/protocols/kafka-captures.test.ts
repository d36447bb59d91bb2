import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createPcapSource } from '../../src/capture/pcap-source.js'
import { Attribute } from '../../src/protocols/attribute-names.js'
import type { KafkaCall } from '../../src/protocols/kafka/call.js'
import { CODECS, unpack } from '../../src/protocols/kafka/compression.js'
import { kafka } from '../../src/protocols/kafka/index.js'
import type { KafkaMessage } from '../../src/protocols/kafka/message.js'
import { headerOfBatch, readBatch } from '../../src/protocols/kafka/record-batch.js'
import {
  packedValue,
  type RecordVisitor,
  readOldMessage,
  readOldSet,
  readRecords,
} from '../../src/protocols/kafka/records.js'
import { type CapturedExchange, readCapture } from '../support/captured-exchanges.js'
import { runPipeline } from '../support/run-pipeline.js'
import { casesFolder, hasCases, requiresCases } from '../support/shared-cases.js'

/** `CASE.json`, as far as it is compared; see README.md beside the captures. */
interface Truth {
  readonly topic_ids: Record<string, string>
  readonly requests: readonly {
    readonly client_port: number
    readonly api_key: number
    readonly api_version: number
    readonly correlation_id: number
    readonly client_id: string | null
    readonly request_bytes: number
    readonly response_bytes: number | null
    readonly began_before_capture: boolean
  }[]
  readonly batches: readonly {
    readonly client_port: number
    readonly correlation_id: number
    readonly in: 'request' | 'response'
    readonly topic: string | null
    readonly partition: number | null
    readonly offsets: readonly number[]
    readonly magic: number
    readonly base_offset: number
    readonly bytes: number
    readonly crc: number
    readonly codec: string
    readonly control?: boolean
    readonly transactional?: boolean
    readonly producer_id?: number
    readonly producer_epoch?: number
    readonly base_sequence?: number
  }[]
  readonly records: readonly {
    readonly topic: string
    readonly partition: number
    readonly offset: number
    readonly key: string | null
    readonly headers: readonly (readonly [string, string | null])[]
    readonly value_len: number | null
    readonly value_sha256: string | null
    readonly produced: readonly Place[]
    readonly fetched: readonly Place[]
  }[]
}

interface Place {
  readonly client_port: number
  readonly correlation_id: number
}

const SUITE = 'own-kafka'
const folder = join(casesFolder, SUITE)
const cases = hasCases(SUITE)
  ? readdirSync(folder)
      .filter(file => file.endsWith('.pcap'))
      .map(file => file.slice(0, -'.pcap'.length))
  : []

const isMessage = ({ exchange }: CapturedExchange): boolean => exchange.shape === 'message'
const message = ({ exchange }: CapturedExchange): KafkaMessage => exchange as KafkaMessage
const sorted = (rows: readonly (readonly unknown[])[]): string[] => rows.map(row => JSON.stringify(row)).sort()

/** A text as the truth has it: text where it can be printed, else base64. */
function shown(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8')
  const printable = Buffer.from(text).equals(bytes) && !/[\p{Cc}\p{Cn}]/u.test(text)
  return printable ? text : `base64:${Buffer.from(bytes).toString('base64')}`
}

type Row = [
  offset: number,
  key: string | null,
  headers: [string, string | null][],
  length: number | null,
  sha: string | null,
]

/** The records of a batch, whose bytes were taken from the connection. */
function recordsOf({ batch, offset, count }: KafkaMessage, bytes: Uint8Array): Row[] {
  const rows: Row[] = []
  const slice = (from: Uint8Array, start: number, length: number): Uint8Array | undefined =>
    length < 0 ? undefined : from.subarray(start, start + length)
  const visitor: RecordVisitor = {
    record: (index, from, keyStart, keyLength, valueStart, valueLength) => {
      const key = slice(from, keyStart, keyLength)
      const value = slice(from, valueStart, valueLength)
      rows.push([
        offset! + index,
        key === undefined ? null : shown(key),
        [],
        value?.length ?? null,
        value === undefined ? null : createHash('sha256').update(value).digest('hex'),
      ])
    },
    header: (from, nameStart, nameLength, valueStart, valueLength) => {
      const value = slice(from, valueStart, valueLength)
      const name = shown(slice(from, nameStart, nameLength)!)
      rows.at(-1)![2].push([name, value === undefined ? null : shown(value)])
    },
  }
  const header = headerOfBatch(bytes, 0)
  assert.deepEqual(readBatch(bytes, 0), batch)
  if (batch.codec === 0) {
    if (batch.magic === 2) assert.equal(readRecords(bytes, header, bytes.length, count, visitor), count)
    else readOldMessage(bytes, header, bytes.length, visitor)
    return rows
  }
  const [start, end] = batch.magic === 2 ? [header, bytes.length] : packedValue(bytes, header, bytes.length)!
  const unpacked = unpack(batch.codec, bytes, start, end)
  assert.ok(unpacked, `${CODECS[batch.codec]} can be unpacked`)
  if (batch.magic === 2) assert.equal(readRecords(unpacked, 0, unpacked.length, count, visitor), count)
  else assert.equal(readOldSet(unpacked, 0, unpacked.length, count, visitor), count)
  return rows
}

describe("others' Kafka conversations, compared with what is known of them", { concurrency: false }, () => {
  if (cases.length === 0) test('captures', t => void requiresCases(t, SUITE))

  for (const name of cases) {
    const truth = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Truth
    const capture = readCapture(join(folder, `${name}.pcap`), [kafka])
    const topicOf = ({ exchange }: CapturedExchange): string | undefined => {
      const { topic, attributes } = exchange as KafkaMessage
      const named = attributes[Attribute.messagingDestinationName] as string | undefined
      // An id whose name had not been told by then.
      return named ?? Object.entries(truth.topic_ids).find(([, id]) => id === topic.id)?.[0]
    }
    const written = new Set(truth.batches.map(({ topic }) => topic))

    test(`${name}: requests`, () => {
      const found = capture.exchanges.filter(each => !isMessage(each))
      assert.deepEqual(
        sorted(
          found.map(({ clientPort, exchange, begin, requestEnd, responseBegin, end }) => {
            const { api, version, correlationId, clientId } = exchange as KafkaCall
            const requestBytes = (requestEnd ?? end)! - begin
            const responseBytes = responseBegin === undefined ? null : end! - responseBegin
            return [clientPort, correlationId, api.key, version, clientId ?? null, requestBytes, responseBytes]
          }),
        ),
        sorted(
          truth.requests.map(each => [
            each.client_port,
            each.correlation_id,
            each.api_key,
            each.api_version,
            each.client_id,
            each.request_bytes,
            each.response_bytes,
          ]),
        ),
      )
      for (const each of found) assert.equal(each.exchange.truncated, false, each.exchange.name)
    })

    test(`${name}: batches`, () => {
      assert.deepEqual(
        sorted(
          capture.exchanges
            .filter(isMessage)
            .filter(each => written.has(topicOf(each) ?? ''))
            .map(each => {
              const { batch, correlationId, partition, offset, count } = message(each)
              const { magic, baseOffset, size, crc, codec } = batch
              const place = [each.clientPort, correlationId, topicOf(each), partition, offset ?? null, count || null]
              const old =
                magic < 2 ? [] : [batch.transactional, batch.producerId, batch.producerEpoch, batch.baseSequence]
              return [...place, magic, baseOffset, size, crc, CODECS[codec], ...old]
            }),
        ),
        sorted(
          truth.batches
            .filter(({ control }) => control !== true)
            .map(each => {
              // Nobody answers a request with acks = 0: what the client knows, the wire does not say.
              const request = capture.exchanges.find(
                ({ clientPort, exchange }) =>
                  exchange.shape === 'call' &&
                  clientPort === each.client_port &&
                  (exchange as KafkaCall).correlationId === each.correlation_id,
              )!
              const told = request.responseBegin !== undefined
              const place = [each.client_port, each.correlation_id, each.topic, each.partition]
              const offsets = [told ? each.offsets[0] : null, each.offsets.length]
              const old =
                each.magic < 2 ? [] : [each.transactional, each.producer_id, each.producer_epoch, each.base_sequence]
              return [...place, ...offsets, each.magic, each.base_offset, each.bytes, each.crc, each.codec, ...old]
            }),
        ),
      )
    })

    test(`${name}: records`, () => {
      const places = (side: 'produced' | 'fetched'): string[] =>
        sorted(
          truth.records.flatMap(each =>
            each[side].map(place => [
              place.client_port,
              place.correlation_id,
              each.topic,
              each.partition,
              [each.offset, each.key, each.headers, each.value_len, each.value_sha256],
            ]),
          ),
        )
      const found = (initiator: 'client' | 'server'): string[] =>
        sorted(
          capture.exchanges
            .filter(
              each => isMessage(each) && each.exchange.initiator === initiator && written.has(topicOf(each) ?? ''),
            )
            .filter(each => message(each).offset !== undefined)
            .flatMap(each => {
              const { batch, correlationId, partition } = message(each)
              const bytes = capture.bytesOf(each, batch.size)
              return recordsOf(message(each), bytes).map(row => [
                each.clientPort,
                correlationId,
                topicOf(each),
                partition,
                row,
              ])
            }),
        )
      const [produced, fetched] = [found('client'), found('server')]
      for (const row of produced) assert.ok(places('produced').includes(row), row)
      for (const row of fetched) assert.ok(places('fetched').includes(row), row)
      const isTold = (row: string): boolean => {
        const [port, correlationId] = JSON.parse(row) as [number, number]
        return capture.exchanges.some(
          each =>
            isMessage(each) &&
            each.clientPort === port &&
            message(each).correlationId === correlationId &&
            message(each).offset !== undefined,
        )
      }
      assert.deepEqual(produced, places('produced').filter(isTold))
      assert.deepEqual(fetched, places('fetched'))
    })

    test(`${name}: what is fetched is what was produced`, () => {
      const messages = capture.exchanges.filter(isMessage).filter(each => written.has(topicOf(each) ?? ''))
      const keysOf = ({ exchange }: CapturedExchange): string[] =>
        exchange.contentKeys
          .filter(({ scope, type }) => scope === 'one' && type !== 'traceparent')
          .map(({ type, value }) => `${type} ${value}`)
      const producers = new Map<string, KafkaMessage[]>()
      for (const each of messages) {
        if (each.exchange.initiator !== 'client') continue
        for (const key of keysOf(each)) producers.set(key, [...(producers.get(key) ?? []), message(each)])
      }
      let joined = 0
      for (const each of messages) {
        if (each.exchange.initiator !== 'server') continue
        const key = keysOf(each).find(one => producers.has(one))
        const wanted = truth.batches.some(
          one =>
            one.in === 'request' &&
            one.topic === topicOf(each) &&
            one.partition === message(each).partition &&
            one.offsets.includes(message(each).offset!),
        )
        assert.equal(key !== undefined, wanted, `${topicOf(each)} ${message(each).partition} ${message(each).offset}`)
        if (key === undefined) continue
        joined++
        const found = producers.get(key)!
        assert.equal(found.length, 1, key)
        assert.equal(found[0]!.partition, message(each).partition)
        const { offset, count } = found[0]!
        if (offset !== undefined) {
          assert.ok(message(each).offset! >= offset && message(each).offset! < offset + count)
        }
      }
      const fetched = messages.filter(({ exchange }) => exchange.initiator === 'server').length
      assert.ok(joined > 0 || fetched === 0)
    })
  }

  test('rdkafka-plain: eight traces, each from what was sent to what was consumed', async t => {
    if (!requiresCases(t, SUITE)) return
    const { traces } = await runPipeline(createPcapSource(join(folder, 'rdkafka-plain.pcap'), { ends: 'client' }))
    assert.equal(traces.length, 8)
    for (const [step, trace] of traces.entries()) {
      const [sent, consumed] = trace.spans
      assert.deepEqual([sent!.kind, sent!.name], ['producer', `send plain.step${step}`])
      assert.deepEqual([consumed!.kind, consumed!.name], ['consumer', `process plain.step${step}`])
      assert.equal(consumed!.parentSpanId, sent!.spanId)
      assert.equal(consumed!.link?.evidence, 'content')
      assert.equal(consumed!.attributes[Attribute.kafkaOffset], sent!.attributes[Attribute.kafkaOffset])
    }
  })

  test('openstack-notifications: identifiers of requests, and no token', t => {
    if (!requiresCases(t, SUITE)) return
    const capture = readCapture(join(folder, 'openstack-notifications.pcap'), [kafka])
    const truth = JSON.parse(readFileSync(join(folder, 'openstack-notifications.json'), 'utf8')) as {
      readonly records: readonly {
        readonly oslo: { readonly message_id: string; readonly request_id: string | null }
      }[]
    }
    const keys = capture.exchanges.flatMap(({ exchange }) => exchange.contentKeys)
    const values = (type: string): string[] => keys.filter(key => key.type === type).map(({ value }) => value)
    const notifications = values('oslo-notification')
    for (const { oslo } of truth.records) assert.ok(notifications.includes(oslo.message_id), oslo.message_id)
    const requests = truth.records.flatMap(({ oslo }) => (oslo.request_id === null ? [] : [oslo.request_id]))
    assert.ok(requests.length > 0)
    for (const id of requests) assert.ok(values('x-openstack-request-id').includes(id), id)
    assert.doesNotMatch(JSON.stringify(capture.exchanges.map(({ exchange }) => exchange)), /gAAAA/)
  })
})
