import type { FinishedSpan, FinishedTrace, ParentLink, ServiceResource } from '../../src/traces/span.js'

/** 14:02:11.337 UTC on a day in 2025, as seconds; spans of these tests start from here. */
export const baseSeconds = 1_763_906_531

export function service(name: string): ServiceResource {
  return { service: name, attributes: { 'service.name': name, 'telemetry.distro.name': 'ghostspan' } }
}

export const hexId = (digits: number, number: number): string => number.toString(16).padStart(digits, '0')

export const link = (evidence: ParentLink['evidence'], confidence: number): ParentLink => ({
  evidence,
  confidence,
  strengths: { wire: 0, context: 0, content: 0, time: 0, [evidence]: confidence },
  alternatives: [],
})

export interface SpanShape extends Partial<Omit<FinishedSpan, 'start' | 'end' | 'parentSpanId'>> {
  readonly parentSpanId?: string | undefined
  /** µs after the base. */
  readonly at?: number
  readonly micros?: number
}

let serial = 1

/** A span with what a test does not care about filled in. */
export function span(shape: SpanShape = {}): FinishedSpan {
  const { at = 337_000, micros = 1_000, parentSpanId, ...given } = shape
  const start = wallTime(at)
  const end = wallTime(at + micros)
  return {
    traceId: hexId(32, 0x4f1c09),
    spanId: hexId(16, serial++),
    parentSpanId,
    parentRemote: false,
    name: 'GET /',
    kind: 'server',
    start,
    end,
    durationNs: micros * 1_000,
    attributes: {},
    status: { code: 'unset', message: '' },
    links: [],
    resource: web,
    link: parentSpanId === undefined ? undefined : link('wire', 1),
    sample: {
      protocol: 'http',
      pid: 1,
      tid: 1,
      carrier: 0,
      responseNs: 0,
      requestBytes: 10,
      responseBytes: 20,
      local: '127.0.0.1:80',
      remote: '127.0.0.1:40000',
      wireKey: '',
      requestPosition: 0,
      ordinal: 0,
    },
    ...given,
  }
}

export const web = service('web')

function wallTime(micros: number): [number, number] {
  return [baseSeconds + Math.floor(micros / 1e6), Math.round((micros % 1e6) * 1_000)]
}

export function trace(spans: readonly FinishedSpan[], marks: Partial<FinishedTrace> = {}): FinishedTrace {
  return { traceId: spans[0]!.traceId, spans, late: false, incomplete: false, ...marks }
}

/** A trace of one root and `children` spans, with ids that follow from `number` (from 1). */
export function numberedTrace(number: number, children: number): FinishedTrace {
  const traceId = hexId(32, number)
  const rootId = hexId(16, number * 10_000)
  const spans = [span({ traceId, spanId: rootId, micros: 5_000 })]
  for (let i = 1; i <= children; i++) {
    spans.push(span({ traceId, spanId: hexId(16, number * 10_000 + i), parentSpanId: rootId, kind: 'client' }))
  }
  return trace(spans)
}
