import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger, type LoggerOptions } from '../../src/telemetry/logger.js'

function setUp(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = []
  const clock = { millis: Date.UTC(2030, 0, 1) }
  const log = createLogger({
    level: 'info',
    format: 'text',
    write: line => lines.push(line),
    now: () => clock.millis,
    repeatMillis: 1_000,
    ...options,
  })
  return { log, lines, clock }
}

test('a message is one line with time, level, component and fields', () => {
  const { log, lines } = setUp()
  log.info({ component: 'archive', rows: 5, place: 'a b' }, 'written')
  assert.deepEqual(lines, ['2030-01-01T00:00:00.000Z info  archive: written rows=5 place="a b"\n'])
})

test('as JSON a message is one object', () => {
  const { log, lines } = setUp({ format: 'json' })
  log.warn({ component: 'export', spans: 3 }, 'lost')
  assert.deepEqual(JSON.parse(lines[0]!), {
    time: '2030-01-01T00:00:00.000Z',
    level: 'warn',
    message: 'lost',
    component: 'export',
    spans: 3,
  })
})

test('messages below the level are left out', () => {
  const { log, lines } = setUp({ level: 'warn' })
  log.debug({ component: 'x' }, 'a')
  log.info({ component: 'x' }, 'b')
  assert.deepEqual([lines.length, log.isOn('info'), log.isOn('error')], [0, false, true])
})

test('a warning that repeats is told once, then with its count', () => {
  const { log, lines, clock } = setUp()
  for (let i = 0; i < 10; i++) log.warn({ component: 'export' }, 'receiver away')
  assert.equal(lines.length, 1)
  clock.millis += 1_000
  log.warn({ component: 'export' }, 'receiver away')
  assert.equal(lines.length, 2)
  assert.match(lines[1]!, /receiver away repeated=10\n$/)
})

test('what was held back is told at the end', () => {
  const { log, lines } = setUp()
  log.error({ component: 'x' }, 'bad')
  log.error({ component: 'x' }, 'bad')
  log.flush()
  log.flush()
  assert.equal(lines.length, 2)
  assert.match(lines[1]!, /error x: bad repeated=1\n$/)
})

test('different warnings do not hold each other back, and only so many are watched', () => {
  const { log, lines } = setUp()
  for (let i = 0; i < 2_000; i++) log.warn({ component: 'x' }, `warning ${i}`)
  assert.equal(lines.length, 2_000)
  log.warn({ component: 'x' }, 'warning 0')
  assert.equal(lines.length, 2_001, 'the oldest is no longer watched')
})

test('a message from elsewhere cannot pretend to be lines or colours of ours', () => {
  const { log, lines } = setUp()
  log.warn({ component: 'x', from: 'a\nb' }, 'one\n2030 error y: two\u001b[31m')
  assert.deepEqual(lines, ['2030-01-01T00:00:00.000Z warn  x: one | 2030 error y: two?[31m from="a\\nb"\n'])
})
