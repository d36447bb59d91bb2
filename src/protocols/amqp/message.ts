import { Attribute } from '../attribute-names.js'
import { ContentHash } from '../content-hash.js'
import { KeyList } from '../key-list.js'
import { type Operation, topicOf } from '../oslo/operation.js'
import type { Attributes, ContentKey, Exchange, Sender } from '../protocol.js'
import { createAttributesMaker } from '../roomy-attributes.js'
import type { BodyHash } from './body-hash.js'
import { DIRECT_REPLY, destinationOf } from './destination.js'
import type { Properties } from './properties.js'

/** A message on its way between one end and the broker: `basic.publish`, `basic.deliver` or `basic.get-ok`. */
export interface Message extends Exchange {
  contentKeys: ContentKey[]
  readonly exchangeName: string
  readonly routingKey: string
  readonly deliveryTag: number
  /** Whoever consumes it settles nothing; undefined while that is not known. */
  noAck: boolean | undefined
  /** Where and when its last byte was; -1 while it is not complete. */
  contentEnd: number
  contentEndNs: number
}

const makePublishAttributes = createAttributesMaker()
const makeDeliveryAttributes = createAttributesMaker()

export function createPublish(exchangeName: string, routingKey: string): Message {
  const to = destinationOf(exchangeName === '' ? routingKey : exchangeName)
  const attributes = makePublishAttributes()
  attributes[Attribute.messagingSystem] = 'rabbitmq'
  attributes[Attribute.messagingOperationName] = 'send'
  attributes[Attribute.messagingOperationType] = 'send'
  attributes[Attribute.messagingDestinationName] = to.name
  if (routingKey !== '') attributes[Attribute.rabbitmqDestinationRoutingKey] = routingKey
  if (to.anonymous) attributes[Attribute.messagingDestinationAnonymous] = true
  return create('client', to.send, attributes, exchangeName, routingKey, 0, true)
}

/** @param queue where it was consumed from, if that is known. */
export function createDelivery(
  exchangeName: string,
  routingKey: string,
  deliveryTag: number,
  queue: string | undefined,
  noAck: boolean | undefined,
): Message {
  const to = destinationOf(exchangeName === '' ? routingKey : exchangeName)
  const from = destinationOf(queue ?? (routingKey === '' ? exchangeName : routingKey))
  const attributes = makeDeliveryAttributes()
  attributes[Attribute.messagingSystem] = 'rabbitmq'
  attributes[Attribute.messagingOperationName] = 'process'
  attributes[Attribute.messagingOperationType] = 'process'
  attributes[Attribute.messagingDestinationName] = to.name
  attributes[Attribute.rabbitmqMessageDeliveryTag] = deliveryTag
  if (routingKey !== '') attributes[Attribute.rabbitmqDestinationRoutingKey] = routingKey
  if (queue !== undefined) attributes[Attribute.messagingDestinationSubscriptionName] = queue
  if (to.anonymous) attributes[Attribute.messagingDestinationAnonymous] = true
  return create('server', from.process, attributes, exchangeName, routingKey, deliveryTag, noAck)
}

/** A message that the broker could not route, on its way back to who sent it. @param error reply code, 312: no route */
export function createReturn(exchangeName: string, routingKey: string, error: string | undefined): Message {
  const to = destinationOf(exchangeName === '' ? routingKey : exchangeName)
  const attributes: Attributes = {
    [Attribute.messagingSystem]: 'rabbitmq',
    [Attribute.messagingOperationName]: 'return',
    [Attribute.messagingOperationType]: 'settle',
    [Attribute.messagingDestinationName]: to.name,
  }
  if (routingKey !== '') attributes[Attribute.rabbitmqDestinationRoutingKey] = routingKey
  if (to.anonymous) attributes[Attribute.messagingDestinationAnonymous] = true
  const message = create('server', to.send.replace('send', 'return'), attributes, exchangeName, routingKey, 0, true)
  if (error !== undefined) fail(message, error)
  return message
}

function create(
  initiator: Sender,
  name: string,
  attributes: Attributes,
  exchangeName: string,
  routingKey: string,
  deliveryTag: number,
  noAck: boolean | undefined,
): Message {
  return {
    protocol: 'amqp',
    initiator,
    shape: 'message',
    name,
    attributes,
    clientError: undefined,
    serverError: undefined,
    contentKeys: [],
    truncated: false,
    housekeeping: false,
    requestBodyBytes: undefined,
    follower: undefined,
    responseBodyBytes: undefined,
    tag: 0,
    exchangeName,
    routingKey,
    deliveryTag,
    noAck,
    contentEnd: -1,
    contentEndNs: 0,
  }
}

/** What the header frame says, except what goes into keys. */
export function describeContent(message: Message, properties: Properties, size: number): void {
  const { attributes } = message
  if (properties.messageId) attributes[Attribute.messagingMessageId] = properties.messageId
  if (properties.correlationId) attributes[Attribute.messagingMessageConversationId] = properties.correlationId
  attributes[Attribute.messagingMessageBodySize] = size
  message.requestBodyBytes = size
}

/** A remote call is named as its caller writes it, topic and method; a notification by the type of its event. */
export function nameOperation(message: Message, operation: Operation | undefined): void {
  if (operation === undefined) return
  const { attributes, exchangeName, routingKey } = message
  if (operation.kind === 'notification') {
    message.name = `${attributes[Attribute.messagingOperationName] as string} ${operation.name}`
    return
  }
  message.name = `${topicOf(exchangeName, routingKey)}.${operation.name}`
  attributes[Attribute.rpcSystemName] = 'oslo.messaging'
  attributes[Attribute.rpcMethod] = operation.name
}

export function fail(message: Message, error: string): void {
  message.clientError = error
  message.serverError = error
  message.attributes[Attribute.errorType] = error
}

/**
 * A request names the queue for its answer; the answer goes there through the default exchange, with the request's
 * correlation id. RabbitMQ writes more behind `amq.rabbitmq.reply-to` on the way, which the one who asked never saw.
 */
function addCallKey(message: Message, correlationId: string, replyTo: string | undefined): void {
  const { exchangeName, routingKey, initiator } = message
  if (replyTo !== undefined) {
    keys.add({ type: 'amqp-call', value: `${replyTo} ${correlationId}`, scope: 'one' })
  } else if (exchangeName === '') {
    const isDirect = initiator === 'server' && routingKey.startsWith(DIRECT_REPLY)
    const value = `${isDirect ? DIRECT_REPLY : routingKey} ${correlationId}`
    keys.add({ type: 'amqp-answer', value, scope: 'one' })
  }
}

const content = new ContentHash()
const keys = new KeyList()

/** Fills in what a publish and what the broker makes of it have in common. */
export function addKeys(message: Message, properties: Properties, body: BodyHash): void {
  collectKeys(message, properties, body)
  message.contentKeys = keys.take()
}

/**
 * A body alone may be sent twice: it only joins.
 * Exchange, routing key, properties and body together are passed on unchanged.
 */
function collectKeys(message: Message, properties: Properties, body: BodyHash): void {
  const { exchangeName, routingKey } = message
  const { messageId, correlationId = '', replyTo, timestamp = '', traceparent } = properties
  if (traceparent !== undefined) keys.add({ type: 'traceparent', value: traceparent, scope: 'one' })
  if (messageId) {
    content.reset()
    content.string(exchangeName)
    content.string(routingKey)
    content.string(messageId)
    content.string(correlationId)
    content.string(timestamp)
    keys.add({ type: 'amqp-message', value: content.finish().text, scope: 'one' })
  }
  if (correlationId !== '') addCallKey(message, correlationId, replyTo)
  if (!body.finish()) return
  keys.add({ type: 'amqp-body', value: body.hash.text, scope: 'group' })
  if (!properties.whole) return
  content.reset()
  content.string(exchangeName)
  content.string(routingKey)
  content.number(properties.hash.high)
  content.number(properties.hash.low)
  content.number(body.hash.high)
  content.number(body.hash.low)
  keys.add({ type: 'amqp-content', value: content.finish().text, scope: 'one' })
}
