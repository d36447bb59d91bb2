import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cut, displayWidth, printable } from '../../src/export/display-text.js'
import { formatDuration } from '../../src/export/durations.js'
import { createTerminalTree } from '../../src/export/terminal-tree.js'
import { hexId, link, service, span, trace } from './finished-traces.js'
import { ordersTrace } from './orders-trace.js'

const tree = (width: number, colours = false) => createTerminalTree({ width, colours, timeZone: 'UTC' })
const lines = (text: string): string[] => text.split('\n').slice(0, -1)

test('a trace is a header and a row a span, in columns', () => {
  assert.deepEqual(lines(tree(120).render(ordersTrace())), [
    '4f1c09…  14:02:11.337  POST /orders → 201  12.4 ms  7 spans  3 services',
    'nginx          SERVER    POST /orders       12.4 ms  ██████████████████',
    '└ nginx        CLIENT    POST /orders       11.9 ms  ▕████████████████▏  context 1.00',
    '  └ web        SERVER    POST /orders       11.6 ms  ▕███████████████▏   wire 1.00',
    '    ├ web      CLIENT    SELECT shop.items   0.6 ms   ▕▏                 context 1.00',
    '    ├ web      CLIENT    GET (redis)          87 µs      ▕▏              context 0.99  ✗ WRONGTYPE Operation against a …',
    '    └ web      PRODUCER  send orders         0.2 ms           ▕▏         context 1.00',
    '      └ worker CONSUMER  process orders      5.1 ms           ▕██████▏   content 0.99',
  ])
})

test('a narrow terminal cuts names, leaves the bars out and gives a failure a line of its own', () => {
  assert.deepEqual(lines(tree(50).render(ordersTrace({ incomplete: true }))), [
    '4f1c09…  14:02:11.337  POST /o… → 201  12.4 ms  incomplete',
    'nginx        SERVER    POST /o…  12.4 ms',
    '└ nginx      CLIENT    POST /o…  11.9 ms  context 1.00',
    '  └ web      SERVER    POST /o…  11.6 ms  wire 1.00',
    '    ├ web    CLIENT    SELECT …   0.6 ms  context 1.00',
    '    ├ web    CLIENT    GET (re…    87 µs  context 0.99  ✗',
    '        WRONGTYPE Operation against a key',
    '    └ web    PRODUCER  send or…   0.2 ms  context 1.00',
    '      └ wor… CONSUMER  process…   5.1 ms  content 0.99',
  ])
})

test('colours change nothing but colours, and failures are red', () => {
  const coloured = tree(120, true).render(ordersTrace())
  // biome-ignore lint/complexity/useRegexLiterals: the escape character as text
  const codes = new RegExp('\u001b\\[\\d+m', 'g')
  const bare = lines(coloured.replace(codes, '')).map(line => line.trimEnd())
  assert.deepEqual(bare, lines(tree(120).render(ordersTrace())))
  assert.match(lines(coloured)[5]!, /^\u001b\[31m {4}├ web/)
  assert.equal(tree(120).render(ordersTrace()).includes('\u001b'), false)
})

test('a failed root shows in the header, by its status or as error', () => {
  const status = { code: 'error', message: '' } as const
  const served = span({ name: 'GET /a', status, attributes: { 'http.response.status_code': 503, 'error.type': '503' } })
  const [header, row] = lines(tree(120).render(trace([served])))
  assert.match(header!, /GET \/a → 503 {2}1\.0 ms {2}1 span {2}1 service$/)
  assert.match(row!, /✗ 503$/)
  assert.match(tree(120).render(trace([span({ name: 'GET /a', status })])), /GET \/a → error/)
})

test('a late trace has several tops, marked, with the evidence for their absent parents', () => {
  const late = [1, 2].map(i => span({ parentSpanId: hexId(16, 0xfff), name: `GET ${i}`, link: link('time', 0.6049) }))
  const text = lines(tree(120).render(trace(late, { late: true })))
  assert.match(text[0]!, / late$/)
  assert.deepEqual(
    text.slice(1).map(line => [line.startsWith('web SERVER'), line.endsWith('time 0.60')]),
    [
      [true, true],
      [true, true],
    ],
  )
})

test('missing answers, instrumented callers and likely parents are noted', () => {
  const attributes = { 'ghostspan.link.evidence': 'time', 'ghostspan.link.confidence': 0.31 }
  const spans = [
    span({
      parentSpanId: hexId(16, 7),
      parentRemote: true,
      link: undefined,
      links: [{ traceId: `abcdef${hexId(26, 1)}`, spanId: hexId(16, 9), attributes }],
    }),
    span({ attributes: { 'ghostspan.response.observed': false } }),
  ]
  const text = lines(tree(200).render(trace(spans)))
  assert.match(text[1]!, /below 0{15}7 of an instrumented caller, perhaps of abcdef… time 0\.31$/)
  assert.match(text[2]!, /no answer seen$/)
})

test('bytes from the wire cannot steer the terminal', () => {
  const evil = 'GET \u001b[2J\u0007\u009b31m\r\n\u202e/a\u2028b\u200b'
  const text = tree(200).render(
    trace([
      span({
        name: evil,
        resource: service(evil),
        status: { code: 'error', message: evil },
        attributes: { 'http.response.status_code': evil, 'db.system.name': evil },
      }),
    ]),
  )
  assert.equal(lines(text).length, 2)
  assert.doesNotMatch(text.replaceAll('\n', ''), /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u200b]/)
})

test('wide and combining characters keep the columns', () => {
  assert.equal(displayWidth('订单'), 4)
  assert.equal(displayWidth('e\u0301'), 1)
  assert.equal(cut('订单订单', 6), '订单…')
  assert.equal(cut('abc', 3), 'abc')
  assert.equal(printable('plain'), 'plain')
  const rows = lines(tree(100).render(trace([span({ name: '订单 /a' }), span({ name: 'plain /abc' })]))).slice(1)
  assert.deepEqual(
    rows.map(row => displayWidth(row.slice(0, row.indexOf(' ms')))),
    [rows[1]!.indexOf(' ms'), rows[1]!.indexOf(' ms')],
  )
})

test('thousands of spans, a chain of thousands, spans that are their own ancestors: all are drawn', () => {
  const root = span({ spanId: hexId(16, 1) })
  const wide = [root, ...Array.from({ length: 5_000 }, () => span({ parentSpanId: root.spanId }))]
  assert.equal(lines(tree(120).render(trace(wide))).length, 5_002)

  const chain = Array.from({ length: 5_000 }, (_, i) =>
    span({ spanId: hexId(16, 100 + i), parentSpanId: i === 0 ? undefined : hexId(16, 99 + i) }),
  )
  const deep = lines(tree(120).render(trace(chain)))
  assert.equal(deep.length, 5_001)
  assert.ok(Math.max(...deep.map(displayWidth)) <= 120)
  assert.match(deep.at(-1)!, /^4999 ⋯ +└ web /)

  const twice = span({ spanId: hexId(16, 1), parentSpanId: hexId(16, 1) })
  assert.equal(lines(tree(120).render(trace([twice, twice]))).length, 3)
})

test('no row is wider than the terminal', () => {
  const long = 'x'.repeat(300)
  for (const width of [60, 80, 120, 200]) {
    const text = tree(width).render(
      trace([
        span({ name: long, resource: service(long), status: { code: 'error', message: long } }),
        span({ name: long, link: link('context', 0.5) }),
      ]),
    )
    assert.ok(Math.max(...lines(text).map(displayWidth)) <= width, `${width} columns`)
  }
})

test('durations read well at every size', () => {
  const cases: readonly [number, string][] = [
    [0, '0 µs'],
    [87_400, '87 µs'],
    [99_999, '100 µs'],
    [100_000, '0.1 ms'],
    [12_440_000, '12.4 ms'],
    [999_949_999, '999.9 ms'],
    [999_950_000, '1.00 s'],
    [59_994_999_999, '59.99 s'],
    [59_995_000_000, '1 min 00 s'],
    [185_000_000_000, '3 min 05 s'],
  ]
  for (const [nanos, text] of cases) assert.equal(formatDuration(nanos), text)
})
