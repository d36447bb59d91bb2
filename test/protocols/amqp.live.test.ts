import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { amqp } from '../../src/protocols/amqp/index.js'
import { Attribute } from '../../src/protocols/attribute-names.js'
import { type RabbitmqServer, startRabbitmq } from '../support/rabbitmq-server.js'
import { startRecordingProxy } from '../support/recording-proxy.js'
import { program, pythonModule, requires } from '../support/requirements.js'
import { type Call, drive, type Observation, recut } from './harness.js'

const run = promisify(execFile)

/**
 * One connection publishes, one consumes; what was done is printed as JSON. Each body holds its number, so that a
 * publish and its deliveries can be told to be the same message without any key.
 */
const PIKA = `
import pika, sys, json
def connect(): return pika.BlockingConnection(pika.ConnectionParameters('127.0.0.1', int(sys.argv[1])))
def body(i): return ('message %d ' % i).encode() + b'secret' * [1, 20, 700, 2000, 60000][i % 5]
def properties(i): return pika.BasicProperties(
    content_type='text/plain', delivery_mode=1 + i % 2, correlation_id='corr-%d' % (i // 2) if i % 3 else None,
    message_id='id-%d' % i if i % 4 == 0 else None, timestamp=1700000000 + i if i % 4 == 1 else None,
    headers={'number': i, 'nested': {'a': [1, 'b', None, True]}, 'big': 2**40} if i % 2 else None)
out = {'published': [], 'consumed': []}
p = connect(); one = p.channel(); two = p.channel()
one.exchange_declare('shop', 'topic')
one.queue_declare('orders'); one.queue_bind('orders', 'shop', 'orders.#')
fast = two.queue_declare('', exclusive=False).method.queue
two.confirm_delivery()
def publish(channel, exchange, key, i):
    channel.basic_publish(exchange, key, body(i), properties(i), mandatory=False)
    out['published'].append([exchange, key, i, len(body(i))])
for i in range(40): publish(one if i % 2 else two, 'shop', 'orders.new', i)
for i in range(40, 60): publish(two, '', fast, i)
try: two.basic_publish('shop', 'nobody', b'returned', mandatory=True)
except pika.exceptions.UnroutableError: pass
out['published'].append(['shop', 'nobody', -1, 8])
two.basic_publish('shop', 'orders.empty', b'')
out['published'].append(['shop', 'orders.empty', -2, 0])
c = connect(); a = c.channel(); b = c.channel()
a.basic_qos(prefetch_count=10)
def note(channel, method, props, data, how):
    out['consumed'].append([method.exchange, method.routing_key, int(data.split()[1]) if data else -2, len(data), how])
state = {'n': 0, 'last': 0}
def on_order(channel, method, props, data):
    state['n'] += 1
    n = state['n']
    how = 'multiple' if n <= 20 else 'nack' if n % 7 == 0 else 'reject' if n % 7 == 3 else 'ack'
    note(channel, method, props, data, how)
    if how == 'ack': channel.basic_ack(method.delivery_tag)
    elif how == 'nack': channel.basic_nack(method.delivery_tag, multiple=False, requeue=False)
    elif how == 'reject': channel.basic_reject(method.delivery_tag, requeue=False)
    elif n % 5 == 0: channel.basic_ack(method.delivery_tag, multiple=True)
    if n == 41: channel.stop_consuming()
a.basic_consume('orders', on_order)
a.start_consuming()
def on_fast(channel, method, props, data):
    note(channel, method, props, data, 'none')
    state['last'] += 1
    if state['last'] == 18: channel.stop_consuming()
for _ in range(2):
    method, props, data = b.basic_get(fast)
    note(b, method, props, data, 'ack'); b.basic_ack(method.delivery_tag)
assert b.basic_get('orders')[0] is None
b.basic_consume(fast, on_fast, auto_ack=True)
b.start_consuming()
d = c.channel()
try: d.queue_declare('missing', passive=True)
except pika.exceptions.ChannelClosedByBroker: pass
out['queue'] = fast
c.close(); p.close()
print(json.dumps(out))
`

interface Log {
  readonly published: readonly [exchange: string, key: string, number: number, size: number][]
  readonly consumed: readonly [exchange: string, key: string, number: number, size: number, how: string][]
  readonly queue: string
}

const messages = (observations: readonly Observation[]): Observation[] =>
  observations.filter(({ exchange }) => !exchange.housekeeping && !exchange.name.startsWith('return'))
const keyOf = (observation: Observation, type: string): string | undefined =>
  observation.exchange.contentKeys.find(key => key.type === type)?.value
const marks = (observations: readonly Observation[]): unknown[] =>
  observations.map(o => [o.begin, o.requestEnd, o.responseBegin, o.end, o.exchange.contentKeys])

/** py-amqp's way to read a frame: 7 bytes, the payload, 1 byte. */
function asPyAmqpReads(calls: readonly Call[]): Call[] {
  const left = { client: 0, server: 0 }
  const stream = { client: Buffer.alloc(0), server: Buffer.alloc(0) }
  const result: Call[] = []
  for (const { sender, bytes, eof } of calls) {
    if (sender === 'client') {
      result.push({ sender, bytes, eof: eof === true })
      continue
    }
    stream[sender] = Buffer.concat([stream[sender], bytes])
    for (;;) {
      const available = stream[sender]
      const count = left[sender] === 0 ? 7 : left[sender] === 1 ? 1 : left[sender] - 1
      if (available.length < count) break
      if (left[sender] === 0) left[sender] = available.readUInt32BE(3) + 1
      else left[sender] -= count
      if (count > 0) result.push({ sender, bytes: available.subarray(0, count) })
      stream[sender] = available.subarray(count)
    }
    if (eof === true) result.push({ sender, bytes: new Uint8Array(0), eof: true })
  }
  return result
}

describe('a real RabbitMQ', { concurrency: false }, () => {
  const needs = [program('rabbitmq-server'), program('epmd'), pythonModule('pika')]
  let rabbitmq: RabbitmqServer | undefined
  let log: Log
  let producer: readonly Call[] = []
  let consumer: readonly Call[] = []

  before(async () => {
    if (needs.some(need => !need.met())) return
    rabbitmq = await startRabbitmq()
    const proxy = await startRecordingProxy(rabbitmq.port)
    try {
      const { stdout } = await run('/usr/bin/python3', ['-c', PIKA, String(proxy.port)])
      log = JSON.parse(stdout) as Log
      while (proxy.connections.some(({ closed }) => !closed)) await sleep(10)
      assert.equal(proxy.connections.length, 2)
      producer = proxy.connections[0]!.calls
      consumer = proxy.connections[1]!.calls
    } finally {
      await proxy.close()
    }
  })
  after(() => rabbitmq?.stop())

  test('every publish is seen as pika made it', t => {
    if (!requires(t, ...needs)) return
    const { observations, counters, failed } = drive(amqp, producer)
    assert.equal(failed, false)
    assert.deepEqual(counters.snapshot('protocols'), {})
    const sent = messages(observations)
    assert.deepEqual(
      sent.map(({ exchange: { attributes, requestBodyBytes } }) => [
        attributes[Attribute.messagingDestinationName],
        attributes[Attribute.rabbitmqDestinationRoutingKey],
        requestBodyBytes,
      ]),
      log.published.map(([exchange, key, , size]) => [exchange === '' ? key : exchange, key, size]),
    )
    for (const { exchange, end, responseBegin } of sent) {
      assert.equal(exchange.initiator, 'client')
      assert.ok(end !== undefined && responseBegin === undefined)
      assert.equal(exchange.truncated, false)
      assert.doesNotMatch(JSON.stringify(exchange), /secret/)
    }
  })

  test('every delivery is seen with the queue it came from and the way it was settled', t => {
    if (!requires(t, ...needs)) return
    const { observations, counters } = drive(amqp, consumer)
    assert.deepEqual(counters.snapshot('protocols'), {})
    const got = messages(observations)
    assert.equal(got.length, log.consumed.length)
    const settlements = new Set<number | undefined>()
    for (const [index, [, key, , size, how]] of log.consumed.entries()) {
      const { exchange, responseBegin, end } = got[index]!
      const queue = key === log.queue ? key : 'orders'
      assert.equal(exchange.attributes[Attribute.messagingDestinationSubscriptionName], queue)
      assert.equal(exchange.attributes[Attribute.rabbitmqDestinationRoutingKey], key)
      assert.equal(exchange.requestBodyBytes, size)
      assert.equal(exchange.name, queue === 'orders' ? 'process orders' : 'process amq.gen-{id}')
      assert.equal(exchange.clientError, how === 'nack' || how === 'reject' ? how : undefined)
      assert.equal(responseBegin === undefined, how === 'none', how)
      assert.ok(end !== undefined)
      if (how === 'multiple') settlements.add(end)
    }
    assert.equal(settlements.size, 4, 'twenty messages, acknowledged in four goes')
  })

  test('a message has the same keys where it is published and where it is delivered, and no other message has them', t => {
    if (!requires(t, ...needs)) return
    const numbers = new Map<string, number>()
    for (const [index, observation] of messages(drive(amqp, producer).observations).entries()) {
      const key = keyOf(observation, 'amqp-content')
      assert.ok(key !== undefined)
      assert.equal(numbers.has(key), false, 'a key of two messages')
      numbers.set(key, log.published[index]![2])
    }
    for (const calls of [consumer, asPyAmqpReads(consumer), recut(consumer, () => 1460)]) {
      for (const [index, observation] of messages(drive(amqp, calls).observations).entries()) {
        assert.equal(numbers.get(keyOf(observation, 'amqp-content')!), log.consumed[index]![2])
      }
    }
  })

  test('cuts and copy limits change nothing for clients that read frame by frame', t => {
    if (!requires(t, ...needs)) return
    const { serverHead: head, serverTail: tail } = amqp.wants
    const whole = drive(amqp, consumer).observations
    for (const calls of [asPyAmqpReads(consumer), recut(consumer, () => 4096)]) {
      assert.deepEqual(marks(drive(amqp, calls).observations), marks(whole))
      assert.deepEqual(marks(drive(amqp, calls, { head, tail }).observations), marks(whole))
    }
    const sent = drive(amqp, producer).observations
    const copied = drive(amqp, producer, { head, tail }).observations
    // The proxy reads up to 64 KiB at once, so that some messages lie in what is not copied; none is misread.
    const known = new Set(messages(sent).map(o => keyOf(o, 'amqp-content')))
    for (const observation of messages(copied)) {
      const key = keyOf(observation, 'amqp-content')
      if (key !== undefined) assert.ok(known.has(key))
    }
  })

  test('connections that are met in mid-life are read from the next frame on', t => {
    if (!requires(t, ...needs)) return
    const whole = messages(drive(amqp, consumer).observations)
    const calls = asPyAmqpReads(consumer)
    const positions = { client: 0, server: 0 }
    for (const [index, call] of calls.entries()) {
      if (index % 11 === 5) {
        const joined = drive(amqp, calls.slice(index), { joined: true, positions: { ...positions } })
        const begins = new Set(messages(joined.observations).map(o => o.begin))
        // The message in whose middle it was met is not known; all that begin later are.
        const expected = whole.filter(o => o.begin >= positions.server + 8)
        for (const { begin } of expected) assert.ok(begins.has(begin), `from call ${index}: the message at ${begin}`)
      }
      positions[call.sender] += call.bytes.length
    }
  })
})
