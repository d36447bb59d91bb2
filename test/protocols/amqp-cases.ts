import { amqp } from '../../src/protocols/amqp/index.js'
import { Attribute } from '../../src/protocols/attribute-names.js'
import {
  ack,
  body,
  consume,
  consumeOk,
  content,
  declare,
  declareOk,
  deliverMethod,
  header,
  heartbeat,
  int,
  join,
  long,
  method,
  nack,
  protocolHeader,
  publishMethod,
  reject,
  short,
  table,
} from './amqp-frames.js'
import { type Call, type CodecCase, client, type ExpectedExchange, server } from './harness.js'

export const module = amqp

const DESTINATION = Attribute.messagingDestinationName
const KEY = Attribute.rabbitmqDestinationRoutingKey
const TAG = Attribute.rabbitmqMessageDeliveryTag
const QUEUE = Attribute.messagingDestinationSubscriptionName

const opened: readonly Call[] = [
  client(protocolHeader),
  server(method(0, 10, 10, [0, 9], table({ product: 'RabbitMQ' }), long('PLAIN AMQPLAIN'), long('en_US'))),
  client(method(0, 10, 11, table({ product: 'pika' }), short('PLAIN'), long('\0guest\0SECRET'), short('en_US'))),
  server(method(0, 10, 30, int(2047, 2), int(131_072, 4), int(60, 2))),
  client(
    join(method(0, 10, 31, int(2047, 2), int(131_072, 4), int(60, 2)), method(0, 10, 40, short('/'), short(''), [0])),
  ),
  server(method(0, 10, 41, short(''))),
  client(method(1, 20, 10, short(''))),
  server(method(1, 20, 11, long(''))),
]
const call = (name: string): ExpectedExchange => ({ name, shape: 'call', housekeeping: true, abandoned: false })
const OPENED = ['connection.start', 'connection.tune', 'connection.open', 'channel.open'].map(call)

const sizeOf = (calls: readonly Call[], sender: Call['sender']): number =>
  calls.filter(each => each.sender === sender).reduce((sum, each) => sum + each.bytes.length, 0)
const CLIENT = sizeOf(opened, 'client')
const SERVER = sizeOf(opened, 'server')

const consuming: readonly Call[] = [
  ...opened,
  client(declare(1, 'orders')),
  server(declareOk(1, 'orders')),
  client(consume(1, 'orders', 'ctag1')),
  server(consumeOk(1, 'ctag1')),
]
const CONSUMING = [...OPENED, call('queue.declare'), call('basic.consume')]
const settled = (tag: number): ExpectedExchange => ({
  name: 'process orders',
  initiator: 'server',
  shape: 'message',
  attributes: { [TAG]: tag },
  abandoned: false,
  truncated: false,
})
const deliver = (tag: number, text = `message ${tag}`): Buffer =>
  join(deliverMethod(1, 'ctag1', tag, 'shop', 'orders.new'), content(1, text))

export const cases: CodecCase[] = [
  {
    name: 'a message is published',
    conversation: [
      ...opened,
      client(
        join(
          publishMethod(1, 'orders', 'orders.new'),
          content(1, '{"secret": 1}', {
            contentType: 'application/json',
            headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', n: 3 },
            deliveryMode: 2,
            correlationId: 'corr-1',
            messageId: 'id-1',
            timestamp: 1_700_000_000,
          }),
        ),
      ),
      client(heartbeat),
      server(heartbeat),
      client(join(publishMethod(1, '', 'reply_0123456789abcdef0123456789abcdef'), content(1, 'x'))),
    ],
    expected: [
      ...OPENED,
      {
        name: 'send orders',
        initiator: 'client',
        shape: 'message',
        housekeeping: false,
        begin: CLIENT,
        responseBegin: undefined,
        requestBodyBytes: 13,
        attributes: {
          [Attribute.messagingSystem]: 'rabbitmq',
          [Attribute.messagingOperationName]: 'send',
          [Attribute.messagingOperationType]: 'send',
          [DESTINATION]: 'orders',
          [KEY]: 'orders.new',
          [Attribute.messagingMessageId]: 'id-1',
          [Attribute.messagingMessageConversationId]: 'corr-1',
          [Attribute.messagingMessageBodySize]: 13,
        },
      },
      {
        name: 'send reply_{id}',
        attributes: { [DESTINATION]: 'reply_0123456789abcdef0123456789abcdef' },
        without: [Attribute.messagingMessageId],
      },
    ],
  },
  {
    name: 'messages are delivered and acknowledged one by one',
    conversation: [
      ...consuming,
      server(deliver(1)),
      client(ack(1, 1)),
      server(join(deliver(2), deliver(3))),
      client(ack(1, 3)),
      client(ack(1, 2)),
    ],
    expected: [
      ...CONSUMING,
      {
        ...settled(1),
        attributes: { [TAG]: 1, [DESTINATION]: 'shop', [KEY]: 'orders.new', [QUEUE]: 'orders' },
        begin: sizeOf(consuming, 'server'),
        requestEnd: sizeOf(consuming, 'server') + deliver(1).length,
        responseBegin: sizeOf(consuming, 'client'),
        end: sizeOf(consuming, 'client') + ack(1, 1).length,
        requestBodyBytes: 9,
      },
      { ...settled(2), end: sizeOf(consuming, 'client') + 3 * ack(1, 1).length },
      { ...settled(3), end: sizeOf(consuming, 'client') + 2 * ack(1, 1).length },
    ],
  },
  {
    name: 'many are acknowledged at once',
    conversation: [
      ...consuming,
      server(join(deliver(1), deliver(2), deliver(3))),
      client(ack(1, 2, true)),
      server(deliver(4)),
      client(ack(1, 0, true)),
      server(deliver(5)),
    ],
    expected: [
      ...CONSUMING,
      { ...settled(1), end: sizeOf(consuming, 'client') + ack(1, 1).length },
      { ...settled(2), end: sizeOf(consuming, 'client') + ack(1, 1).length },
      { ...settled(3), end: sizeOf(consuming, 'client') + 2 * ack(1, 1).length },
      { ...settled(4), end: sizeOf(consuming, 'client') + 2 * ack(1, 1).length },
      { name: 'process orders', abandoned: true },
    ],
  },
  {
    name: 'messages are refused',
    conversation: [
      ...consuming,
      server(join(deliver(1), deliver(2), deliver(3))),
      client(nack(1, 2, true, false)),
      client(reject(1, 3)),
    ],
    expected: [
      ...CONSUMING,
      { ...settled(1), clientError: 'nack', attributes: { [Attribute.errorType]: 'nack' } },
      { ...settled(2), clientError: 'nack' },
      { ...settled(3), clientError: 'reject' },
    ],
  },
  {
    name: 'consumers that acknowledge nothing',
    conversation: [
      ...opened,
      client(consume(1, 'fast', '', true)),
      server(consumeOk(1, 'amq.ctag-1')),
      server(join(deliverMethod(1, 'amq.ctag-1', 1, '', 'fast'), content(1, 'hello'))),
    ],
    expected: [
      ...OPENED,
      call('basic.consume'),
      {
        name: 'process fast',
        attributes: { [DESTINATION]: 'fast', [QUEUE]: 'fast' },
        responseBegin: undefined,
        end:
          SERVER +
          consumeOk(1, 'amq.ctag-1').length +
          deliverMethod(1, 'amq.ctag-1', 1, '', 'fast').length +
          content(1, 'hello').length,
      },
    ],
  },
  {
    name: 'an empty queue name stands for the queue that was declared last',
    conversation: [
      ...opened,
      client(declare(1, '')),
      server(declareOk(1, 'amq.gen-Xa2')),
      client(consume(1, '', 'ctag1')),
      server(consumeOk(1, 'ctag1')),
      server(join(deliverMethod(1, 'ctag1', 1, '', 'amq.gen-Xa2'), content(1, 'hello'))),
      client(ack(1, 1)),
    ],
    expected: [
      ...OPENED,
      call('queue.declare'),
      call('basic.consume'),
      {
        name: 'process amq.gen-{id}',
        attributes: { [QUEUE]: 'amq.gen-Xa2', [Attribute.messagingDestinationAnonymous]: true },
      },
    ],
  },
  {
    name: 'messages that are fetched',
    conversation: [
      ...opened,
      client(method(1, 60, 70, int(0, 2), short('orders'), [0])),
      server(
        join(method(1, 60, 71, int(1, 8), [0], short('shop'), short('orders.new'), int(0, 4)), content(1, 'hello')),
      ),
      client(ack(1, 1)),
      client(method(1, 60, 70, int(0, 2), short('orders'), [1])),
      server(method(1, 60, 72, short(''))),
      client(method(1, 60, 70, int(0, 2), short('orders'), [1])),
      server(join(method(1, 60, 71, int(2, 8), [0], short(''), short('orders'), int(0, 4)), content(1, 'hello'))),
    ],
    expected: [
      ...OPENED,
      call('basic.get'),
      { ...settled(1), responseBegin: CLIENT + method(1, 60, 70, int(0, 2), short('orders'), [0]).length },
      call('basic.get'),
      call('basic.get'),
      { ...settled(2), responseBegin: undefined },
    ],
  },
  {
    name: 'a body in several frames, channels interleaved',
    conversation: [
      ...opened,
      client(method(2, 20, 10, short(''))),
      server(method(2, 20, 11, long(''))),
      client(
        join(
          publishMethod(1, 'one', 'a'),
          header(1, 10),
          publishMethod(2, 'two', 'b'),
          body(1, 'first'),
          header(2, 6),
          body(2, 'sec'),
          heartbeat,
          body(1, '-half'),
          body(2, 'ond'),
        ),
      ),
      client(join(publishMethod(1, 'empty', 'c'), header(1, 0))),
    ],
    expected: [
      ...OPENED,
      call('channel.open'),
      { name: 'send one', requestBodyBytes: 10, truncated: false },
      { name: 'send two', requestBodyBytes: 6, truncated: false },
      { name: 'send empty', requestBodyBytes: 0, truncated: false },
    ],
  },
  {
    name: 'a message that nobody gets comes back with an error, confirms change nothing',
    conversation: [
      ...opened,
      client(method(1, 85, 10, [0])),
      server(method(1, 85, 11)),
      client(join(publishMethod(1, 'shop', 'nobody'), content(1, 'hello'))),
      server(
        join(method(1, 60, 50, int(312, 2), short('NO_ROUTE'), short('shop'), short('nobody')), content(1, 'hello')),
      ),
      server(ack(1, 1)),
      client(join(publishMethod(1, 'shop', 'orders.new'), content(1, 'again'))),
      server(ack(1, 2)),
    ],
    expected: [
      ...OPENED,
      call('confirm.select'),
      { name: 'send shop', clientError: undefined },
      {
        name: 'return shop',
        initiator: 'server',
        shape: 'message',
        clientError: '312',
        serverError: '312',
        requestBodyBytes: 5,
        attributes: { 'messaging.operation.name': 'return', 'rabbitmq.destination.routing_key': 'nobody' },
      },
      { name: 'send shop' },
    ],
  },
  {
    name: 'a channel that is closed with an error',
    conversation: [
      ...consuming,
      server(join(deliver(1), deliver(2))),
      client(ack(1, 1)),
      client(ack(1, 77)),
      server(method(1, 20, 40, int(406, 2), short('PRECONDITION_FAILED'), int(60, 2), int(80, 2))),
      client(method(1, 20, 41)),
      client(method(1, 20, 10, short(''))),
      server(method(1, 20, 11, long(''))),
      client(join(publishMethod(1, 'shop', 'k'), content(1, 'hello'))),
    ],
    expected: [
      ...CONSUMING,
      { ...settled(1), clientError: undefined },
      { name: 'process orders', clientError: '406', abandoned: true },
      call('channel.close'),
      call('channel.open'),
      { name: 'send shop' },
    ],
  },
  {
    name: 'the connection is closed in order',
    conversation: [
      ...consuming,
      server(deliver(1)),
      client(method(1, 60, 30, short('ctag1'), [0])),
      server(method(1, 60, 31, short('ctag1'))),
      client(method(0, 10, 50, int(200, 2), short('bye'), int(0, 2), int(0, 2))),
      server(method(0, 10, 51), true),
    ],
    expected: [
      ...CONSUMING,
      { name: 'process orders', clientError: undefined, abandoned: true },
      call('basic.cancel'),
      call('connection.close'),
    ],
  },
  {
    name: 'transactions and the other methods',
    conversation: [
      ...opened,
      client(method(1, 90, 10)),
      server(method(1, 90, 11)),
      client(join(publishMethod(1, 'shop', 'k'), content(1, 'hello'))),
      client(method(1, 90, 20)),
      server(method(1, 90, 21)),
      client(method(1, 40, 10, int(0, 2), short('shop'), short('topic'), [0], table({}))),
      server(method(1, 40, 11)),
      client(method(1, 50, 20, int(0, 2), short('q'), short('shop'), short('#'), [0], table({}))),
      server(method(1, 50, 21)),
      client(method(1, 60, 10, int(0, 4), int(10, 2), [0])),
      server(method(1, 60, 11)),
      server(method(0, 10, 60, short('low on memory'))),
    ],
    expected: [
      ...OPENED,
      call('tx.select'),
      { name: 'send shop' },
      call('tx.commit'),
      call('exchange.declare'),
      call('queue.bind'),
      call('basic.qos'),
    ],
  },
  {
    name: 'joined in the middle',
    joined: true,
    conversation: [
      server(deliver(8)),
      client(ack(1, 8)),
      client(join(publishMethod(2, 'shop', 'k'), content(2, 'hello'))),
      server(deliver(9)),
      client(ack(1, 9)),
    ],
    expected: [
      { name: 'process orders.new', attributes: { [TAG]: 8 }, without: [QUEUE], abandoned: false },
      { name: 'send shop' },
      { name: 'process orders.new', abandoned: false },
    ],
  },
  {
    name: 'another version of the protocol',
    conversation: [client(join('AMQP', [3, 1, 0, 0])), server(join('AMQP', [3, 1, 0, 0]))],
    expected: [],
    failed: true,
  },
]
