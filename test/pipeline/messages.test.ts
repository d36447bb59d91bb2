import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FinishedTrace } from '../../src/traces/span.js'
import {
  ack,
  consume,
  consumeOk,
  content,
  deliverMethod,
  join,
  type Properties,
  publishMethod,
} from '../protocols/amqp-frames.js'
import { CaptureBuilder, type OpenPair, type Side } from '../support/capture-builder.js'
import { outline, runPipeline } from '../support/run-pipeline.js'

const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: shop\r\n\r\n`
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const QUERY = '*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n'
const VALUE = '$5\r\nvalue\r\n'

const browser: Side = { pid: 5 }
const broker: Side = { pid: 9 }
const redis: Side = { pid: 40 }
const api = (tid: number): Side => ({ pid: 20, tid })
const worker = (tid: number): Side => ({ pid: 30, tid })

const id = (letter: string): string => letter.repeat(32)

/** What oslo.messaging writes around a call or cast, and around an answer; as long as Nova's. */
function oslo(fields: Record<string, unknown>, padding = 0): string {
  // Answers name no method.
  const asked = 'result' in fields ? {} : { method: 'work', args: { text: 'x'.repeat(padding) } }
  const message = JSON.stringify({ ...asked, ...fields })
  return JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': message })
}
const context = { _context_request_id: `req-${'1'.repeat(8)}-1111-1111-1111-${'1'.repeat(12)}` }

class Conversation {
  readonly capture = new CaptureBuilder()
    .process(broker.pid, ['beam.smp'], { exe: '/usr/lib/erlang/beam.smp', listens: [5672] })
    .process(20, ['api'], { exe: '/usr/bin/api', listens: [80] })
    .process(30, ['worker'], { exe: '/usr/bin/worker' })
    .process(redis.pid, ['redis-server'], { exe: '/usr/bin/redis-server', listens: [6379] })
    .process(browser.pid, ['curl'], { exe: '/usr/bin/curl' })
  #tag = 0

  bus(side: Side): OpenPair {
    return this.capture.connect(side, broker, 5672)
  }
  consumes(pair: OpenPair, side: Side, queue: string, noAck = false): void {
    this.#write(pair, side, consume(1, queue, 'c', noAck))
    this.#read(pair, side, consumeOk(1, 'c'))
  }
  publish(pair: OpenPair, side: Side, key: string, text: string, properties: Properties = {}): void {
    this.#write(pair, side, join(publishMethod(1, '', key), content(1, text, properties)))
  }
  deliver(pair: OpenPair, side: Side, key: string, text: string, properties: Properties = {}): number {
    const tag = ++this.#tag
    this.#read(pair, side, join(deliverMethod(1, 'c', tag, '', key), content(1, text, properties)))
    return tag
  }
  ack(pair: OpenPair, side: Side, tag: number): void {
    this.#write(pair, side, ack(1, tag))
  }
  query(pair: OpenPair, side: Side): void {
    this.capture.request(pair, side, undefined, QUERY).respond(pair, undefined, side, VALUE)
  }
  #write(pair: OpenPair, side: Side, bytes: Uint8Array): void {
    this.capture.request(pair, side, undefined, Buffer.from(bytes).toString('latin1'))
  }
  #read(pair: OpenPair, side: Side, bytes: Uint8Array): void {
    this.capture.respond(pair, undefined, side, Buffer.from(bytes).toString('latin1'))
  }
}

const withoutHousekeeping = (traces: readonly FinishedTrace[]): string[][] =>
  traces.map(outline).filter(lines => !/SELECT|GET \(/.test(lines[0]!) && lines.length > 1)

test('A remote call over oslo.messaging is one branch: call, delivery, work, answer, and the caller goes on', async () => {
  const talk = new Conversation()
  const outer = talk.capture.connect(browser, api(20), 80)
  const [apiBus, answers] = [talk.bus(api(21)), talk.bus(api(22))]
  const [tasks, workerBus] = [talk.bus(worker(31)), talk.bus(worker(32))]
  // Opened by other threads: what a pool does before its first job is nobody's.
  const cache = [talk.capture.connect(worker(31), redis, 6379), talk.capture.connect(api(22), redis, 6379)] as const
  talk.consumes(answers, api(22), 'reply_1')
  talk.consumes(tasks, worker(31), 'tasks')
  talk.capture.at(1_000_000)
  talk.capture.request(outer, undefined, api(21), GET('/a'))
  const call = oslo({ _msg_id: id('a'), _reply_q: 'reply_1', _unique_id: id('b'), ...context }, 200)
  const answer = oslo({ result: 1, _msg_id: id('a'), _unique_id: id('c') })
  talk.publish(apiBus, api(21), 'tasks', call)
  // One thread reads and settles, another one works and answers.
  talk.ack(tasks, worker(31), talk.deliver(tasks, worker(31), 'tasks', call))
  talk.query(cache[0], worker(33))
  talk.publish(workerBus, worker(33), 'reply_1', answer)
  // One thread reads the answer, the one that waits for it goes on.
  talk.ack(answers, api(22), talk.deliver(answers, api(22), 'reply_1', answer))
  talk.query(cache[1], api(21))
  talk.capture.respond(outer, api(21), undefined, OK)
  talk.capture.at(5_000_000).exit({ pid: 99 })

  const { traces } = await runPipeline(talk.capture.source())
  // How far a pool's threads are believed is learned, and the first answer has taught little.
  const lines = withoutHousekeeping(traces).map(each => each.map(line => line.replace(/ [\d.]+\)$/, ')')))
  assert.deepEqual(lines, [
    [
      'api server GET /a',
      '  api producer tasks.work (context)',
      '    worker consumer tasks.work (content)',
      '      worker client GET (context)',
      '      worker producer send reply_1 (content)',
      '        api consumer process reply_1 (content)',
      '  api client GET (context)',
    ],
  ])
})

test('A thread that reads its answer itself goes on with what it had asked for, not with the answer', async () => {
  const talk = new Conversation()
  const outer = talk.capture.connect(browser, api(20), 80)
  const bus = talk.bus(api(21))
  const cache = talk.capture.connect(api(21), redis, 6379)
  talk.consumes(bus, api(21), 'amq.rabbitmq.reply-to', true)
  talk.capture.at(1_000_000)
  talk.capture.request(outer, undefined, api(21), GET('/a'))
  talk.publish(bus, api(21), 'tasks', 'question', { correlationId: '7', replyTo: 'amq.rabbitmq.reply-to' })
  talk.deliver(bus, api(21), 'amq.rabbitmq.reply-to.g1h2', 'answer', { correlationId: '7' })
  talk.query(cache, api(21))
  talk.capture.respond(outer, api(21), undefined, OK)
  talk.capture.at(5_000_000).exit({ pid: 99 })

  const { traces } = await runPipeline(talk.capture.source())
  assert.deepEqual(withoutHousekeeping(traces), [
    [
      'api server GET /a',
      '  api producer send tasks (context 1)',
      '    api consumer process amq.rabbitmq.reply-to (content 0.99)',
      '  api client GET (context 1)',
    ],
  ])
})

test('A cast that several consumers get has a child for each of them', async () => {
  const talk = new Conversation()
  const outer = talk.capture.connect(browser, api(20), 80)
  const bus = talk.bus(api(21))
  const consumers = [31, 32, 33].map(tid => ({ side: worker(tid), pair: talk.bus(worker(tid)) }))
  for (const { side, pair } of consumers) talk.consumes(pair, side, `fanout_${side.tid}`)
  talk.capture.at(1_000_000)
  talk.capture.request(outer, undefined, api(21), GET('/a'))
  const cast = oslo({ _unique_id: id('d'), ...context })
  talk.publish(bus, api(21), 'fanout', cast)
  for (const { side, pair } of consumers) talk.ack(pair, side, talk.deliver(pair, side, 'fanout', cast))
  talk.capture.respond(outer, api(21), undefined, OK)
  talk.capture.at(5_000_000).exit({ pid: 99 })

  const { traces } = await runPipeline(talk.capture.source())
  const [lines] = withoutHousekeeping(traces)
  assert.equal(lines?.filter(line => line.startsWith('    worker consumer fanout.work')).length, 3)
})

test('Calls of one API request share its id, and that alone ties none of them to another', async () => {
  const talk = new Conversation()
  const [first, second] = [talk.bus(api(21)), talk.bus(worker(31))]
  talk.capture.at(1_000_000)
  talk.publish(first, api(21), 'tasks', oslo({ _unique_id: id('e'), ...context }))
  talk.publish(second, worker(31), 'others', oslo({ _unique_id: id('f'), ...context }))
  talk.capture.at(5_000_000).exit({ pid: 99 })

  const { traces } = await runPipeline(talk.capture.source())
  for (const { spans } of traces) assert.equal(spans.length, 1)
  assert.equal(traces.filter(({ spans }) => spans[0]?.kind === 'producer').length, 2)
})

test('The same message, sent twice, is told apart by its order in the queue, and less surely', async () => {
  const talk = new Conversation()
  const outer = [talk.capture.connect(browser, api(20), 80), talk.capture.connect(browser, api(20), 80)] as const
  const [bus, tasks] = [talk.bus(api(21)), talk.bus(worker(31))]
  talk.consumes(tasks, worker(31), 'tasks')
  talk.capture.at(1_000_000)
  for (const [index, pair] of outer.entries()) {
    talk.capture.request(pair, undefined, api(21), GET(index === 0 ? '/a' : '/b'))
    talk.publish(bus, api(21), 'tasks', 'equal')
    talk.capture.respond(pair, api(21), undefined, OK)
  }
  for (let i = 0; i < 2; i++) talk.ack(tasks, worker(31), talk.deliver(tasks, worker(31), 'tasks', 'equal'))
  talk.capture.at(5_000_000).exit({ pid: 99 })

  const { traces } = await runPipeline(talk.capture.source())
  const expected = (path: string): string[] => [
    `api server GET ${path}`,
    '  api producer send tasks (context 1)',
    '    worker consumer process tasks (content 0.9)',
  ]
  assert.deepEqual(withoutHousekeeping(traces), [expected('/a'), expected('/b')])
})
