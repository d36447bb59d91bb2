import type { EvidenceKind } from '../../correlate/link.js'
import type {
  FinishedSpan,
  FinishedSpanKind,
  ParentLink,
  ServiceResource,
  SpanLink,
  WallTime,
} from '../../traces/span.js'
import { restoreTypes } from '../attribute-types.js'
import { hex64 } from '../schema.js'
import { FLAG_PARENT_REMOTE } from '../span-row.js'

/** Columns that bring a span back, for a query over `otel_traces`; integers beyond 2^53 come as texts. */
export const SPAN_COLUMNS = `lower(hex(trace_key)) AS trace, ${hex64('span_key')} AS span,
  if(parent_key = 0, '', ${hex64('parent_key')}) AS parent, flags,
  intDiv(toUnixTimestamp64Nano(Timestamp), 1000000000) AS seconds, toUnixTimestamp64Nano(Timestamp) % 1000000000 AS nanos,
  SpanName AS name, SpanKind AS kind, ServiceName AS service, resource, SpanAttributes AS attributes, attribute_types AS types,
  Duration AS duration, StatusCode AS status, StatusMessage AS message, \`Links.TraceId\` AS link_traces,
  \`Links.SpanId\` AS link_spans, \`Links.Attributes\` AS link_attributes, protocol, pid, tid, carrier, response_ns,
  request_bytes, response_bytes, local_address, local_port, remote_address, remote_port,
  if(wire_key = 0, '', ${hex64('wire_key')}) AS wire, request_position, ordinal, link_evidence, confidence, evidence,
  arrayMap(id -> ${hex64('id')}, \`alternatives.span_id\`) AS other_spans, \`alternatives.confidence\` AS other_confidences`

type Count = number | string

export interface SpanRow {
  readonly trace: string
  readonly span: string
  readonly parent: string
  readonly flags: number
  readonly seconds: Count
  readonly nanos: Count
  readonly name: string
  readonly kind: string
  readonly service: string
  readonly resource: string
  readonly attributes: Record<string, string>
  readonly types: string
  readonly duration: Count
  readonly status: string
  readonly message: string
  readonly link_traces: string[]
  readonly link_spans: string[]
  readonly link_attributes: Record<string, string>[]
  readonly protocol: string
  readonly pid: number
  readonly tid: number
  readonly carrier: Count
  readonly response_ns: Count
  readonly request_bytes: Count
  readonly response_bytes: Count
  readonly local_address: string
  readonly local_port: number
  readonly remote_address: string
  readonly remote_port: number
  readonly wire: string
  readonly request_position: Count
  readonly ordinal: number
  readonly link_evidence: string
  readonly confidence: number
  readonly evidence: number
  readonly other_spans: string[]
  readonly other_confidences: number[]
}

/** Turns rows into spans; one resource object a service, as spans have them. */
export function createSpanReader(): (row: SpanRow) => FinishedSpan {
  const resources = new Map<string, ServiceResource>()
  const resourceOf = (row: SpanRow): ServiceResource => {
    const key = `${row.service}\n${row.resource}`
    let found = resources.get(key)
    if (found === undefined) {
      found = { service: row.service, attributes: JSON.parse(row.resource === '' ? '{}' : row.resource) }
      resources.set(key, found)
    }
    return found
  }
  return row => {
    const start: WallTime = [Number(row.seconds), Number(row.nanos)]
    const durationNs = Number(row.duration)
    return {
      traceId: row.trace,
      spanId: row.span,
      parentSpanId: row.parent === '' ? undefined : row.parent,
      parentRemote: (row.flags & FLAG_PARENT_REMOTE) !== 0,
      name: row.name,
      kind: row.kind.toLowerCase() as FinishedSpanKind,
      start,
      end: later(start, durationNs),
      durationNs,
      attributes: restoreTypes(row.attributes, row.types, 'span'),
      status: { code: row.status.toLowerCase() as FinishedSpan['status']['code'], message: row.message },
      links: row.link_spans.map(
        (spanId, i): SpanLink => ({
          traceId: row.link_traces[i]!,
          spanId,
          attributes: restoreTypes(row.link_attributes[i]!, row.types, 'link'),
        }),
      ),
      resource: resourceOf(row),
      link: linkOf(row),
      sample: {
        protocol: row.protocol,
        pid: row.pid,
        tid: row.tid,
        carrier: Number(row.carrier),
        responseNs: Number(row.response_ns),
        requestBytes: Number(row.request_bytes),
        responseBytes: Number(row.response_bytes),
        local: endpoint(row.local_address, row.local_port),
        remote: endpoint(row.remote_address, row.remote_port),
        wireKey: row.wire,
        requestPosition: Number(row.request_position),
        ordinal: row.ordinal,
      },
    }
  }
}

function linkOf(row: SpanRow): ParentLink | undefined {
  if (row.link_evidence === '') return undefined
  const strength = (shift: number): number => ((row.evidence >>> shift) & 255) / 255
  return {
    evidence: row.link_evidence as EvidenceKind,
    confidence: sixDigits(row.confidence),
    strengths: { wire: strength(0), context: strength(8), content: strength(16), time: strength(24) },
    alternatives: row.other_spans.map((spanId, i) => ({ spanId, confidence: sixDigits(row.other_confidences[i]!) })),
  }
}

/** What single precision holds of a number from 0 to 1. */
const sixDigits = (value: number): number => Math.round(value * 1e6) / 1e6

const endpoint = (address: string, port: number): string => (port === 0 ? address : `${address}:${port}`)

function later([seconds, nanos]: WallTime, durationNs: number): WallTime {
  const whole = Math.floor(durationNs / 1e9)
  const sum = nanos + (durationNs - whole * 1e9)
  return sum >= 1e9 ? [seconds + whole + 1, sum - 1e9] : [seconds + whole, sum]
}
