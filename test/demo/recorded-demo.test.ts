import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DemoFigures } from '../../src/demo/demo-report.js'
import { runDemo } from '../../src/demo/run-demo.js'

async function replay(json: boolean): Promise<{ code: number; printed: string; told: string }> {
  let printed = ''
  let told = ''
  const code = await runDemo({
    requests: 200,
    concurrency: 16,
    check: true,
    json,
    source: 'recording',
    archive: undefined,
    otlp: undefined,
    setupSeconds: 1.5,
    print: text => {
      printed += text
    },
    progress: text => {
      told += text
    },
  })
  return { code, printed, told }
}

test('the recording that comes along gives traces that are right, without root', async () => {
  const { code, printed, told } = await replay(true)
  assert.equal(code, 0, told)
  const figures = JSON.parse(printed) as DemoFigures
  assert.equal(figures.source, 'recording')
  assert.ok(figures.precision >= 0.995, `precision ${figures.precision}`)
  assert.ok(figures.recall >= 0.995, `recall ${figures.recall}`)
  assert.deepEqual([figures.traces, figures.oneRoot, figures.merged], [figures.requests, figures.requests, 0])
  assert.deepEqual(figures.services, ['nginx', 'stock', 'web', 'worker'])
  assert.equal(figures.lostEvents, 0)
  assert.equal(figures.archive, null)
  assert.deepEqual(
    figures.skipped.map(each => each.what),
    ['live capture'],
  )
})

test('every field of the measurement is there, on one line', async () => {
  const { printed } = await replay(true)
  assert.equal(printed.trimEnd().split('\n').length, 1)
  const figures = JSON.parse(printed) as Record<string, unknown>
  const fields = 'requests traces oneRoot merged links precision recall spans services events lostEvents source archive'
  for (const field of [...fields.split(' '), 'setupS', 'runS']) assert.ok(field in figures, field)
})

test('two replays give the same figures', async () => {
  const [first, second] = [await replay(true), await replay(true)]
  const timeless = (text: string) => ({ ...(JSON.parse(text) as DemoFigures), runS: 0 })
  assert.deepEqual(timeless(first.printed), timeless(second.printed))
})

test('a reader sees a trace of every service with evidence and confidence, and a failed one', async () => {
  const { printed } = await replay(false)
  for (const service of ['nginx', 'web', 'worker', 'stock'])
    assert.match(printed, new RegExp(`[└├ ]${service} +SERVER|${service} +C`))
  assert.match(printed, /worker +CONSUMER +process orders .*content 0\.\d\d/)
  assert.match(printed, /wire 1\.00/)
  assert.match(printed, /context 1\.00/)
  assert.match(printed, /✗/)
  assert.match(printed, /precision \d+\.\d\d %, recall \d+\.\d\d %/)
})
