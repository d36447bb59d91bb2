import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KafkaCall } from '../../src/protocols/kafka/call.js'
import { CODECS } from '../../src/protocols/kafka/compression.js'
import type { KafkaMessage } from '../../src/protocols/kafka/message.js'
import { type ReadExchange, readCapture } from './capture-exchanges.js'
import { type ScoredCase, type Suite, scoreCase } from './verdict.js'

/** `CASE.json`, as far as it is compared. */
interface Truth {
  readonly topic_ids: Readonly<Record<string, string>>
  readonly requests: readonly {
    readonly client_port: number
    readonly api: string
    readonly api_version: number
    readonly correlation_id: number
    readonly client_id: string | null
    readonly response_frame: number | null
  }[]
  readonly batches: readonly {
    readonly client_port: number
    readonly correlation_id: number
    readonly in: 'request' | 'response'
    readonly topic: string | null
    readonly partition: number | null
    readonly offsets: readonly number[]
    readonly magic: number
    readonly crc: number
    readonly codec: string
    readonly control?: boolean
  }[]
}

/** Captures beside which stands what client, dissector and a search by checksum know of them. */
export const ownKafkaSuite: Suite = {
  name: 'own-kafka',
  protocol: 'kafka',
  folder: 'own-kafka',
  rule:
    'A case is one capture. Every request is compared by connection, api, version, correlation id and client, and by ' +
    'whether it was answered; every batch of records by request, topic, partition, first offset, number of records, ' +
    'format, checksum and compression; and every fetched batch that was produced in the capture is to share a key ' +
    'with exactly that one.',
  score: async folder => {
    const scored: ScoredCase[] = []
    for (const file of readdirSync(folder).sort()) {
      if (!file.endsWith('.pcap')) continue
      const name = file.slice(0, -'.pcap'.length)
      scored.push(await scoreCase(name, {}, () => compare(join(folder, name))))
    }
    return scored
  },
}

function compare(path: string): string | undefined {
  const truth = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as Truth
  const read = readCapture(`${path}.pcap`).filter(({ exchange }) => exchange.protocol === 'kafka')
  return requestDifference(truth, read) ?? batchDifference(truth, read) ?? joinDifference(truth, read)
}

function requestDifference(truth: Truth, read: readonly ReadExchange[]): string | undefined {
  const ours = read.flatMap(({ exchange, clientPort, answered }) => {
    if (exchange.shape !== 'call') return []
    const { api, version, correlationId, clientId } = exchange as KafkaCall
    return [row(clientPort, api.name, version, correlationId, clientId ?? null, answered)]
  })
  const theirs = truth.requests.map(each =>
    row(
      each.client_port,
      each.api,
      each.api_version,
      each.correlation_id,
      each.client_id,
      each.response_frame !== null,
    ),
  )
  return difference('requests', theirs, ours)
}

function batchDifference(truth: Truth, read: readonly ReadExchange[]): string | undefined {
  const written = new Set(truth.batches.map(({ topic }) => topic))
  const ours = read.flatMap(each => {
    if (each.exchange.shape !== 'message' || !written.has(topicOf(truth, each))) return []
    const { batch, correlationId, partition, offset, count } = each.exchange as KafkaMessage
    const place = [each.clientPort, correlationId, topicOf(truth, each), partition, offset ?? null, count]
    return [row(...place, batch.magic, batch.crc, CODECS[batch.codec])]
  })
  const isAnswered = new Map(
    read
      .filter(({ exchange }) => exchange.shape === 'call')
      .map(({ exchange, clientPort, answered }) => [
        `${clientPort} ${(exchange as KafkaCall).correlationId}`,
        answered,
      ]),
  )
  const theirs = truth.batches
    .filter(({ control }) => control !== true)
    .map(each => {
      // Where nobody answers (acks = 0) no offset is told.
      const told = isAnswered.get(`${each.client_port} ${each.correlation_id}`) === true
      const place = [each.client_port, each.correlation_id, each.topic, each.partition]
      return row(...place, told ? each.offsets[0] : null, each.offsets.length, each.magic, each.crc, each.codec)
    })
  return difference('batches', theirs, ours)
}

/** Which produced batches are joined with which fetched ones, by keys that name one operation. */
function joinDifference(truth: Truth, read: readonly ReadExchange[]): string | undefined {
  const messages = read.filter(({ exchange }) => exchange.shape === 'message')
  const producers = new Map<string, Set<string>>()
  for (const each of messages) {
    if (each.exchange.initiator !== 'client') continue
    for (const key of keysOf(each)) {
      producers.set(key, (producers.get(key) ?? new Set()).add(placeOf(each)))
    }
  }
  for (const each of messages) {
    const { partition, offset, batch } = each.exchange as KafkaMessage
    if (each.exchange.initiator !== 'server' || batch.magic < 2) continue
    const wanted = truth.batches.filter(
      one =>
        one.in === 'request' &&
        one.topic === topicOf(truth, each) &&
        one.partition === partition &&
        one.offsets.includes(offset!),
    )
    const found = new Set(keysOf(each).flatMap(key => [...(producers.get(key) ?? [])]))
    const expected = new Set(wanted.map(one => `${one.client_port} ${one.correlation_id}`))
    if (found.size === expected.size && [...expected].every(place => found.has(place))) continue
    return `joins of ${topicOf(truth, each)} ${partition} ${offset}: theirs ${[...expected]}; ours ${[...found]}`
  }
  return undefined
}

function keysOf({ exchange }: ReadExchange): string[] {
  return exchange.contentKeys
    .filter(({ scope, type }) => scope === 'one' && type.startsWith('kafka-'))
    .map(({ type, value }) => `${type} ${value}`)
}

const placeOf = ({ exchange, clientPort }: ReadExchange): string =>
  `${clientPort} ${(exchange as KafkaMessage).correlationId}`

function topicOf(truth: Truth, { exchange }: ReadExchange): string | null {
  const { topic, attributes } = exchange as KafkaMessage
  const named = attributes['messaging.destination.name'] as string | undefined
  return named ?? Object.entries(truth.topic_ids).find(([, id]) => id === topic.id)?.[0] ?? null
}

const row = (...values: readonly unknown[]): string => JSON.stringify(values)

function difference(what: string, theirs: readonly string[], ours: readonly string[]): string | undefined {
  const left = [...ours]
  const missing = theirs.filter(each => {
    const at = left.indexOf(each)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
  if (missing.length === 0 && left.length === 0) return undefined
  return `${what}: only theirs (${missing.length}): ${missing[0] ?? 'nothing'}; only ours (${left.length}): ${left[0] ?? 'nothing'}`
}
