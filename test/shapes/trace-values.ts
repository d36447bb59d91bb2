import fc from 'fast-check'
import type { FinishedSpan, FinishedTrace } from '../../src/traces/span.js'
import { createRandom, syntheticTraces } from '../archive/synthetic-traces.js'

/** What the archive keeps: strengths in eight bits. Spans in an order that does not depend on ties. */
export function comparable(trace: FinishedTrace): unknown {
  return {
    ...trace,
    spans: [...trace.spans]
      .sort((a, b) => (a.spanId < b.spanId ? -1 : 1))
      .map(span => ({
        ...span,
        link: span.link && {
          ...span.link,
          strengths: Object.fromEntries(
            Object.entries(span.link.strengths).map(([kind, value]) => [kind, Math.round(value * 255)]),
          ),
        },
      })),
  }
}

const value = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter(number => !Object.is(number, -0)),
  fc.boolean(),
)
const key = fc.constantFrom(
  'a',
  'url.path',
  'process.pid',
  'server.port',
  'db.query.text',
  'client.address',
  'x.y',
  'ö',
)
const endpoint = fc.oneof(
  fc.constantFrom('unix', '', '[::1]:80', '10.0.0.1:5432', 'a:b', ':99', 'host:070', '1.2.3.4:65536', '1.2.3.4:0'),
  fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 })).map(([ip, port]) => `${ip}:${port}`),
)
const change = fc.record({
  attributes: fc.dictionary(key, value, { maxKeys: 6, noNullPrototype: true }),
  durationNs: fc.integer({ min: 0, max: 1e12 }),
  local: endpoint,
  remote: endpoint,
  pid: fc.integer({ min: 0, max: 4e6 }),
  carrier: fc.maxSafeInteger().map(Math.abs),
  message: fc.string({ maxLength: 8 }),
  parent: fc.nat(),
  shift: fc.integer({ min: 0, max: 3_000_000_000 }),
  repeat: fc.integer({ min: 0, max: 3 }),
  wireKey: fc.constantFrom('', 'same', 'other'),
  confidence: fc.constantFrom(undefined, 1, 0.5, 0.123457),
  linked: fc.boolean(),
})

/** Traces made of real ones by changing everything that can differ: values, endpoints, times, parents, repeats. */
export const strangeTraces = fc
  .tuple(fc.nat(1_000_000), fc.array(change, { minLength: 1, maxLength: 14 }), fc.boolean(), fc.boolean())
  .map(([seed, changes, late, incomplete]) => strangeTrace(seed, changes, late, incomplete))

type Change = typeof change extends fc.Arbitrary<infer T> ? T : never

function strangeTrace(seed: number, changes: readonly Change[], late: boolean, incomplete: boolean): FinishedTrace {
  const [model] = [...syntheticTraces({ count: 1, seed, startNs: 1_700_000_000_123_456_789n })]
  const random = createRandom(seed)
  const hex = (): string => Array.from({ length: 16 }, () => Math.floor(random() * 16).toString(16)).join('')
  const spans: FinishedSpan[] = []
  for (const [i, one] of changes.entries()) {
    const like = model!.spans[i % model!.spans.length]!
    for (let copy = 0; copy <= one.repeat; copy++) {
      const parent = spans.length === 0 ? undefined : spans[one.parent % spans.length]
      const spanId = hex()
      const nanos = like.start[1] + one.shift + copy
      const start: [number, number] = [like.start[0] + Math.floor(nanos / 1e9), nanos % 1e9]
      const total = start[1] + one.durationNs
      spans.push({
        ...like,
        spanId,
        parentSpanId: parent?.spanId ?? (late ? 'feedfacefeedface' : undefined),
        start,
        end: [start[0] + Math.floor(total / 1e9), total % 1e9],
        durationNs: one.durationNs,
        attributes: one.attributes,
        status: { ...like.status, message: one.message },
        links: one.linked ? [{ traceId: hex() + hex(), spanId: hex(), attributes: { reason: 'guess', n: 1 } }] : [],
        link:
          one.confidence === undefined
            ? undefined
            : {
                evidence: 'context',
                confidence: one.confidence,
                strengths: { wire: 0.25, context: 1, content: 0, time: 0.6 },
                alternatives: one.confidence < 0.6 ? [{ spanId: hex(), confidence: 0.25 }] : [],
              },
        sample: {
          ...{ ...like.sample, pid: one.pid, carrier: one.carrier, local: one.local, remote: one.remote },
          wireKey: one.wireKey === 'same' ? spanId : one.wireKey === 'other' ? hex() : '',
        },
      })
    }
  }
  return { traceId: model!.traceId, spans, late, incomplete }
}
