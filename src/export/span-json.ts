import type { FinishedSpan, FinishedTrace, ParentLink } from '../traces/span.js'
import { unixNanos } from './durations.js'

/**
 * The JSON that `--json` prints, documented in this folder's README. Keys always come in this order, every key is
 * always there, fields may be added but are never renamed; times are decimal text, since 64 bits do not fit a number.
 */

/** One object a trace; `spans` parents before children. */
export function traceToJson(trace: FinishedTrace): Record<string, unknown> {
  return {
    traceId: trace.traceId,
    late: trace.late,
    incomplete: trace.incomplete,
    resources: resourcesOf(trace),
    spans: trace.spans.map(spanFields),
  }
}

/** One object a span: as in a trace, with the trace's id and the resource's attributes. */
export function spanToJson(span: FinishedSpan): Record<string, unknown> {
  return { traceId: span.traceId, ...spanFields(span), resource: span.resource.attributes }
}

function resourcesOf(trace: FinishedTrace): Record<string, unknown> {
  const resources: Record<string, unknown> = {}
  for (const { resource } of trace.spans) resources[resource.service] ??= resource.attributes
  return resources
}

function spanFields(span: FinishedSpan): Record<string, unknown> {
  return {
    spanId: span.spanId,
    parentSpanId: span.parentSpanId ?? null,
    parentRemote: span.parentRemote,
    service: span.resource.service,
    kind: span.kind,
    name: span.name,
    startUnixNano: unixNanos(span.start),
    endUnixNano: unixNanos(span.end),
    durationNs: span.durationNs,
    status: { code: span.status.code, message: span.status.message },
    link: span.link === undefined ? null : linkFields(span.link),
    links: span.links.map(({ traceId, spanId, attributes }) => ({ traceId, spanId, attributes })),
    attributes: span.attributes,
    sample: {
      protocol: span.sample.protocol,
      pid: span.sample.pid,
      tid: span.sample.tid,
      carrier: span.sample.carrier,
      local: span.sample.local,
      remote: span.sample.remote,
      requestBytes: span.sample.requestBytes,
      responseBytes: span.sample.responseBytes,
      responseNs: span.sample.responseNs,
      wireKey: span.sample.wireKey,
      requestPosition: span.sample.requestPosition,
      ordinal: span.sample.ordinal,
    },
  }
}

function linkFields({ evidence, confidence, strengths, alternatives }: ParentLink): Record<string, unknown> {
  const { wire, context, content, time } = strengths
  return {
    evidence,
    confidence,
    strengths: { wire, context, content, time },
    alternatives: alternatives.map(({ spanId, confidence: sure }) => ({ spanId, confidence: sure })),
  }
}
