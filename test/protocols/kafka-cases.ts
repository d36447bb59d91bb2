import { gzipSync } from 'node:zlib'
import { Attribute } from '../../src/protocols/attribute-names.js'
import { kafka } from '../../src/protocols/kafka/index.js'
import { type Call, type CodecCase, client, type ExpectedExchange, server } from './harness.js'
import {
  batch,
  bytes,
  compactText,
  int,
  oldMessage,
  record,
  request,
  response,
  text,
  uuid,
  uvarint,
} from './kafka-messages.js'

export const module = kafka

const TOPIC_ID = 'd29aa4f8-9d20-4bf3-be60-bfc7730e120f'
const OTHER_ID = '00112233-4455-6677-8899-aabbccddeeff'
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

const apiVersions: readonly Call[] = [
  client(
    request(
      { key: 18, version: 3, correlationId: 1, flexible: true },
      compactText('librdkafka'),
      compactText('2.16.0'),
      0,
    ),
  ),
  server(response(1, int(0, 2), uvarint(2), int(0, 2), int(3, 2), int(13, 2), 0, int(0, 4), 0)),
]
const API_VERSIONS: ExpectedExchange = { name: 'ApiVersions', housekeeping: true, clientError: undefined }

/** Produce of version 7 or 10, one topic. */
const produce = (
  correlationId: number,
  partitions: readonly (readonly [number, Buffer])[],
  version = 7,
  acks = -1,
): Buffer =>
  version >= 9
    ? request(
        { key: 0, version, correlationId, flexible: true },
        ...[compactText(null), int(acks, 2), int(30_000, 4), uvarint(2), compactText('orders')],
        uvarint(partitions.length + 1),
        ...partitions.flatMap(([index, records]) => [int(index, 4), uvarint(records.length + 1), records, 0]),
        ...[0, 0],
      )
    : request(
        { key: 0, version, correlationId },
        ...[text(null), int(acks, 2), int(30_000, 4), int(1, 4), text('orders'), int(partitions.length, 4)],
        ...partitions.flatMap(([index, records]) => [int(index, 4), int(records.length, 4), records]),
      )
const produced = (
  correlationId: number,
  partitions: readonly (readonly [index: number, error: number, baseOffset: number])[],
  version = 7,
): Buffer =>
  version >= 9
    ? response(
        correlationId,
        ...[0, uvarint(2), compactText('orders'), uvarint(partitions.length + 1)],
        ...partitions.flatMap(([index, error, baseOffset]) => [
          ...[int(index, 4), int(error, 2), int(baseOffset, 8), int(-1, 8), int(0, 8)],
          ...[uvarint(1), compactText(null), 0],
        ]),
        ...[0, int(0, 4), 0],
      )
    : response(
        correlationId,
        ...[int(1, 4), text('orders'), int(partitions.length, 4)],
        ...partitions.flatMap(([index, error, baseOffset]) => [
          ...[int(index, 4), int(error, 2), int(baseOffset, 8), int(-1, 8), int(0, 8)],
        ]),
        int(0, 4),
      )

/** Fetch of version 11 (names, not flexible) or 16 (ids, flexible). The request names no topic, as in a fetch session. */
const fetchOf = (correlationId: number, version: number, replica = -1): Buffer =>
  version >= 12
    ? request(
        { key: 1, version, correlationId, flexible: true },
        ...[int(500, 4), int(1, 4), int(50_000_000, 4), 0, int(7, 4), int(2, 4), uvarint(1), uvarint(1), uvarint(1), 0],
      )
    : request(
        { key: 1, version, correlationId },
        ...[int(replica, 4), int(500, 4), int(1, 4), int(50_000_000, 4), 0, int(7, 4), int(2, 4)],
        ...[int(0, 4), int(0, 4), text('')],
      )
const fetched = (
  correlationId: number,
  version: number,
  partitions: readonly (readonly [number, Buffer])[],
  id = TOPIC_ID,
): Buffer =>
  version >= 12
    ? response(
        correlationId,
        ...[0, int(0, 4), int(0, 2), int(7, 4), uvarint(2), version >= 13 ? uuid(id) : compactText('orders')],
        uvarint(partitions.length + 1),
        ...partitions.flatMap(([index, records]) => [
          ...[int(index, 4), int(0, 2), int(9, 8), int(9, 8), int(0, 8), uvarint(1), int(-1, 4)],
          ...[uvarint(records.length + 1), records, 0],
        ]),
        ...[0, 0],
      )
    : response(
        correlationId,
        ...[int(0, 4), int(0, 2), int(7, 4), int(1, 4), text('orders'), int(partitions.length, 4)],
        ...partitions.flatMap(([index, records]) => [
          ...[int(index, 4), int(0, 2), int(9, 8), int(9, 8), int(0, 8)],
          ...[int(1, 4), int(1006, 8), int(3, 8), int(-1, 4), int(records.length, 4), records],
        ]),
      )

const metadata: readonly Call[] = [
  client(request({ key: 3, version: 13, correlationId: 2, flexible: true }, uvarint(1), 1, 0, 0)),
  server(
    response(
      2,
      ...[0, int(0, 4), uvarint(2), int(1, 4), compactText('127.0.0.1'), int(9092, 4), compactText(null), 0],
      ...[compactText('cluster'), int(1, 4), uvarint(2), int(0, 2), compactText('orders'), uuid(TOPIC_ID), 0],
      ...[uvarint(2), int(0, 2), int(0, 4), int(1, 4), int(0, 4), uvarint(2), int(1, 4), uvarint(2), int(1, 4)],
      ...[uvarint(1), 0, int(0, 4), 0, int(0, 2), 0],
    ),
  ),
]
const METADATA: ExpectedExchange = { name: 'Metadata', housekeeping: true }
const PRODUCE: ExpectedExchange = { name: 'Produce', housekeeping: true, shape: 'call' }
const FETCH: ExpectedExchange = { name: 'Fetch', housekeeping: true, shape: 'call' }
const SEND: ExpectedExchange = { name: 'send orders', initiator: 'client', shape: 'message', housekeeping: false }
const PROCESS: ExpectedExchange = { name: 'process orders', initiator: 'server', shape: 'message', housekeeping: false }

const one = batch([record(0, { key: 'k1', headers: [['traceparent', TRACEPARENT]] })])
const three = batch([record(0), record(1, { value: null }), record(2)], { producerId: 1006, baseSequence: 4 })
const stored = (records: Buffer, offset: number): Buffer => {
  const copy = Buffer.from(records)
  copy.writeBigInt64BE(BigInt(offset), 0)
  copy.writeInt32BE(5, 12)
  return copy
}
const control = batch([record(0, { key: '\0\0\0\x01', value: '' })], { attributes: 0x30, producerId: 1006 })
const packed = (records: readonly Buffer[]): Buffer =>
  batch(records, { attributes: 1, packed: gzipSync(bytes(...records)) })
const envelope = (id: string, padding = ''): string =>
  JSON.stringify({
    'oslo.version': '2.0',
    'oslo.message': JSON.stringify({
      message_id: id,
      publisher_id: 'compute.host',
      payload: { padding },
      _context: { auth_token: 'gAAAAsecret', request_id: 'req-1ad986bd-92e7-4f2c-a8f8-6a9a4a5bde35' },
    }),
  })

export const cases: CodecCase[] = [
  {
    name: 'batches are produced to two partitions, and answered with offsets',
    conversation: [
      ...apiVersions,
      client(
        produce(5, [
          [0, one],
          [3, three],
        ]),
      ),
      server(
        produced(5, [
          [0, 0, 41],
          [3, 0, 7],
        ]),
      ),
    ],
    expected: [
      API_VERSIONS,
      { ...PRODUCE, clientError: undefined },
      {
        ...SEND,
        truncated: false,
        requestBodyBytes: one.length,
        attributes: {
          [Attribute.messagingSystem]: 'kafka',
          [Attribute.messagingOperationType]: 'send',
          [Attribute.messagingDestinationName]: 'orders',
          [Attribute.messagingDestinationPartitionId]: '0',
          [Attribute.messagingClientId]: 'orders-1',
          [Attribute.kafkaOffset]: 41,
        },
        without: [Attribute.messagingBatchMessageCount],
      },
      {
        ...SEND,
        attributes: {
          [Attribute.messagingDestinationPartitionId]: '3',
          [Attribute.messagingBatchMessageCount]: 3,
          [Attribute.kafkaOffset]: 7,
        },
        without: [Attribute.ghostspanMessageKeyHash],
      },
    ],
  },
  {
    name: 'flexible versions, several in flight; one partition refuses',
    conversation: [
      ...apiVersions,
      client(bytes(produce(5, [[0, one]], 10), produce(6, [[1, three]], 10), produce(7, [[0, one]], 10))),
      server(bytes(produced(5, [[0, 0, 1]], 10), produced(6, [[1, 6, -1]], 10))),
      server(produced(7, [[0, 0, 2]], 10)),
    ],
    expected: [
      API_VERSIONS,
      PRODUCE,
      { ...SEND, clientError: undefined, attributes: { [Attribute.kafkaOffset]: 1 } },
      { ...PRODUCE, clientError: 'NOT_LEADER_OR_FOLLOWER' },
      { ...SEND, clientError: 'NOT_LEADER_OR_FOLLOWER', without: [Attribute.kafkaOffset] },
      PRODUCE,
      { ...SEND, attributes: { [Attribute.kafkaOffset]: 2 } },
    ],
  },
  {
    name: 'nobody answers acks = 0',
    conversation: [
      client(produce(5, [[0, one]], 7, 0)),
      client(produce(6, [[0, three]], 10, 0)),
      client(produce(7, [[0, three]], 10, 1)),
      server(produced(7, [[0, 0, 9]], 10)),
    ],
    expected: [
      { ...PRODUCE, end: produce(5, [[0, one]], 7, 0).length },
      { ...SEND, end: produce(5, [[0, one]], 7, 0).length, responseBegin: undefined },
      PRODUCE,
      SEND,
      PRODUCE,
      { ...SEND, attributes: { [Attribute.kafkaOffset]: 9 } },
    ],
  },
  {
    name: 'batches are fetched: names, control batches, a last one that is cut',
    conversation: [
      ...apiVersions,
      client(fetchOf(3, 11)),
      server(
        fetched(3, 11, [
          [0, bytes(stored(one, 41), control, stored(three, 43), stored(one, 46).subarray(0, 70))],
          [3, Buffer.alloc(0)],
          [4, stored(three, 7)],
        ]),
      ),
      client(fetchOf(4, 11)),
      server(response(4, int(0, 4), int(70, 2), int(0, 4), int(0, 4))),
    ],
    expected: [
      API_VERSIONS,
      { ...FETCH, clientError: undefined },
      {
        ...PROCESS,
        requestBodyBytes: one.length,
        attributes: {
          [Attribute.messagingOperationType]: 'process',
          [Attribute.messagingDestinationName]: 'orders',
          [Attribute.kafkaOffset]: 41,
        },
      },
      { ...PROCESS, attributes: { [Attribute.kafkaOffset]: 43, [Attribute.messagingBatchMessageCount]: 3 } },
      { ...PROCESS, attributes: { [Attribute.kafkaOffset]: 7, [Attribute.messagingDestinationPartitionId]: '4' } },
      { ...FETCH, clientError: 'FETCH_SESSION_ID_NOT_FOUND' },
    ],
  },
  {
    name: 'topics have ids; metadata tells the name of one of them',
    conversation: [
      ...apiVersions,
      ...metadata,
      client(fetchOf(3, 16)),
      server(fetched(3, 16, [[0, stored(one, 41)]])),
      client(fetchOf(4, 16)),
      server(fetched(4, 16, [[0, stored(one, 41)]], OTHER_ID)),
    ],
    expected: [
      API_VERSIONS,
      METADATA,
      FETCH,
      { ...PROCESS, without: [Attribute.ghostspanKafkaTopicId] },
      FETCH,
      {
        ...PROCESS,
        name: 'process',
        attributes: { [Attribute.ghostspanKafkaTopicId]: OTHER_ID },
        without: [Attribute.messagingDestinationName],
      },
    ],
  },
  {
    name: 'a broker that copies a partition consumes nothing',
    conversation: [client(fetchOf(3, 11, 2)), server(fetched(3, 11, [[0, stored(one, 41)]]))],
    expected: [FETCH],
  },
  {
    name: 'old message sets, one of them packed',
    conversation: [
      client(
        request(
          { key: 0, version: 2, correlationId: 1 },
          ...[int(1, 2), int(1000, 4), int(1, 4), text('orders'), int(1, 4), int(0, 4)],
          ...[int(oldMessage(0, 'a').length * 2, 4), oldMessage(0, 'a'), oldMessage(1, 'b')],
        ),
      ),
      server(
        response(1, int(1, 4), text('orders'), int(1, 4), int(0, 4), int(0, 2), int(10, 8), int(-1, 8), int(0, 4)),
      ),
      client(request({ key: 1, version: 2, correlationId: 2 }, int(-1, 4), int(100, 4), int(1, 4), int(0, 4))),
      server(
        response(
          2,
          ...[int(0, 4), int(1, 4), text('orders'), int(1, 4), int(0, 4), int(0, 2), int(12, 8)],
          ...((set: Buffer) => [int(set.length, 4), set])(
            oldMessage(12, gzipSync(bytes(oldMessage(0, 'a'), oldMessage(1, 'b'), oldMessage(2, 'c'))), 1),
          ),
        ),
      ),
    ],
    expected: [
      PRODUCE,
      { ...SEND, attributes: { [Attribute.kafkaOffset]: 10 } },
      { ...SEND, attributes: { [Attribute.kafkaOffset]: 11 } },
      FETCH,
      { ...PROCESS, attributes: { [Attribute.kafkaOffset]: 10, [Attribute.messagingBatchMessageCount]: 3 } },
    ],
  },
  {
    name: "a packed batch's headers, and oslo.messaging's identifiers",
    conversation: [
      client(produce(1, [[0, packed([record(0, { headers: [['traceparent', TRACEPARENT]] }), record(1)])]])),
      server(produced(1, [[0, 0, 1]])),
      client(produce(2, [[0, batch([record(0, { value: envelope('5e1b2c3d-0000-4000-8000-000000000001') })])]])),
      server(produced(2, [[0, 0, 3]])),
      client(
        produce(3, [
          [0, batch([record(0, { value: envelope('5e1b2c3d-0000-4000-8000-000000000002', 'x'.repeat(20_000)) })])],
        ]),
      ),
      server(produced(3, [[0, 0, 4]])),
    ],
    expected: [PRODUCE, SEND, PRODUCE, SEND, PRODUCE, SEND],
  },
  {
    name: 'groups and offsets',
    conversation: [
      client(
        request(
          { key: 11, version: 7, correlationId: 1, flexible: true },
          compactText('billing'),
          int(45_000, 4),
          int(3, 4),
        ),
      ),
      server(response(1, 0, int(0, 4), int(79, 2), int(-1, 4), 0)),
      client(
        request({ key: 10, version: 4, correlationId: 2, flexible: true }, 0, uvarint(2), compactText('billing'), 0),
      ),
      server(response(2, 0, int(0, 4), uvarint(1), 0)),
      client(request({ key: 9, version: 9, correlationId: 3, flexible: true }, uvarint(2), compactText('billing'), 0)),
      server(response(3, 0, int(0, 4), uvarint(1), 0)),
      client(request({ key: 8, version: 7, correlationId: 4 }, text('billing'), int(3, 4), text('member'), int(0, 4))),
      server(response(4, int(0, 4), int(1, 4), text('orders'), int(1, 4), int(0, 4), int(27, 2))),
      client(
        request({ key: 12, version: 3, correlationId: 5 }, text('billing'), int(3, 4), text('member'), text(null)),
      ),
      server(response(5, int(0, 4), int(0, 2))),
    ],
    expected: [
      { name: 'JoinGroup', housekeeping: true, clientError: 'MEMBER_ID_REQUIRED' },
      { name: 'FindCoordinator', attributes: { [Attribute.messagingConsumerGroupName]: 'billing' } },
      { name: 'OffsetFetch', attributes: { [Attribute.messagingConsumerGroupName]: 'billing' } },
      {
        name: 'commit',
        housekeeping: false,
        clientError: 'REBALANCE_IN_PROGRESS',
        attributes: { [Attribute.messagingOperationType]: 'settle', [Attribute.messagingConsumerGroupName]: 'billing' },
      },
      { name: 'Heartbeat', clientError: undefined },
    ],
  },
  {
    name: 'joined in the middle: an answer to what was not seen, then a request',
    joined: true,
    conversation: [server(produced(4, [[0, 0, 1]])), client(produce(5, [[0, one]])), server(produced(5, [[0, 0, 2]]))],
    expected: [PRODUCE, { ...SEND, attributes: { [Attribute.kafkaOffset]: 2 } }],
  },
]
