import { Attribute } from '../attribute-names.js'
import type { Attributes, Exchange } from '../protocol.js'
import type { KafkaCall } from './call.js'
import type { RecordBatch } from './record-batch.js'
import type { TopicNames } from './topic-names.js'

/** A topic as a request or an answer names it: newer versions have an id in place of the name. */
export interface Topic {
  readonly name: string | undefined
  readonly id: string | undefined
}

/** A batch of records on its way between a client and the broker. */
export interface KafkaMessage extends Exchange {
  readonly topic: Topic
  readonly partition: number
  readonly batch: RecordBatch
  /** Of the request that it is part of, or answers. */
  readonly correlationId: number
  /** Offset of its first record in the partition; undefined until the broker has told. */
  offset: number | undefined
  /** Records in it; 0: not known. */
  count: number
  /** Its bytes have passed. */
  sent: boolean
  over: boolean
  /** Of a batch that is one notification of OpenStack: the type of its event. */
  event: string | undefined
}

export function createMessage(call: KafkaCall, topic: Topic, partition: number, batch: RecordBatch): KafkaMessage {
  const isSend = call.api.name === 'Produce'
  const operation = isSend ? 'send' : 'process'
  const attributes: Attributes = {
    [Attribute.messagingSystem]: 'kafka',
    [Attribute.messagingOperationName]: operation,
    [Attribute.messagingOperationType]: operation,
    [Attribute.messagingDestinationPartitionId]: String(partition),
  }
  if (call.clientId) attributes[Attribute.messagingClientId] = call.clientId
  const message: KafkaMessage = {
    protocol: 'kafka',
    initiator: isSend ? 'client' : 'server',
    shape: 'message',
    name: operation,
    attributes,
    clientError: undefined,
    serverError: undefined,
    contentKeys: [],
    truncated: false,
    housekeeping: false,
    requestBodyBytes: batch.size,
    responseBodyBytes: undefined,
    tag: 0,
    follower: undefined,
    topic,
    partition,
    batch,
    correlationId: call.correlationId,
    offset: undefined,
    count: 0,
    sent: false,
    over: false,
    event: undefined,
  }
  nameCount(message, batch.count)
  return message
}

/** Name of the topic, or its id while no name is known: the id alone would split a topic in two. */
export function nameTopic(message: KafkaMessage, names: TopicNames): void {
  const { topic, attributes } = message
  const name = topic.name ?? (topic.id === undefined ? undefined : names.find(topic.id))
  if (name === undefined) {
    if (topic.id !== undefined) attributes[Attribute.ghostspanKafkaTopicId] = topic.id
    return
  }
  delete attributes[Attribute.ghostspanKafkaTopicId]
  attributes[Attribute.messagingDestinationName] = name
  nameMessage(message, name)
}

function nameMessage(message: KafkaMessage, topic: string): void {
  const { event, attributes } = message
  message.name = `${attributes[Attribute.messagingOperationName] as string} ${event ?? topic.slice(0, 128)}`
}

export function nameEvent(message: KafkaMessage, event: string): void {
  message.event = event
  nameMessage(message, '')
}

export function nameCount(message: KafkaMessage, count: number): void {
  message.count = count
  if (count > 1) message.attributes[Attribute.messagingBatchMessageCount] = count
}

/** The place in the log, and the key that everybody who reads it has in common. */
export function nameOffset(message: KafkaMessage, offset: number, names: TopicNames): void {
  const { topic, partition, batch, attributes } = message
  if (offset < 0) return
  message.offset = offset
  attributes[Attribute.kafkaOffset] = offset
  const known = topic.name ?? names.find(topic.id ?? '') ?? topic.id
  // The time of its first record, which brokers do not change, tells logs of several clusters apart.
  const value = `${known} ${partition} ${offset} ${batch.baseTimestamp}`
  message.contentKeys.push({ type: 'kafka-offset', value, scope: 'one' })
}
