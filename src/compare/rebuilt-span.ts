import type { FinishedSpan, FinishedSpanKind, FinishedTrace } from '../traces/span.js'

/** What the comparison looks at of a reconstructed span. Times in µs since the epoch. */
export interface RebuiltSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly service: string
  readonly kind: FinishedSpanKind
  readonly protocol: string
  readonly name: string
  readonly startUs: number
  readonly endUs: number
  readonly attributes: Readonly<Record<string, unknown>>
}

export function rebuiltSpans(trace: FinishedTrace): RebuiltSpan[] {
  return trace.spans.map(fromFinished)
}

export function fromFinished(span: FinishedSpan): RebuiltSpan {
  const startUs = span.start[0] * 1e6 + span.start[1] / 1e3
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    service: span.resource.service,
    kind: span.kind,
    protocol: span.sample.protocol,
    name: span.name,
    startUs,
    endUs: startUs + span.durationNs / 1e3,
    attributes: span.attributes,
  }
}

interface SpanJson {
  readonly spanId: string
  readonly parentSpanId: string | null
  readonly service: string
  readonly kind: FinishedSpanKind
  readonly name: string
  readonly startUnixNano: string
  readonly durationNs: number
  readonly attributes: Readonly<Record<string, unknown>>
  readonly sample: { readonly protocol: string }
}

/** Spans from what `--json` prints: a trace on a line. Undefined if a line is something else. */
export function rebuiltFromJson(content: string): RebuiltSpan[] | undefined {
  const spans: RebuiltSpan[] = []
  for (const line of content.split('\n')) {
    if (line.trim() === '') continue
    let trace: { readonly traceId?: unknown; readonly spans?: unknown }
    try {
      trace = JSON.parse(line) as typeof trace
    } catch {
      return undefined
    }
    const { traceId } = trace
    if (typeof traceId !== 'string' || !Array.isArray(trace.spans)) return undefined
    for (const span of trace.spans as SpanJson[]) spans.push(fromJson(traceId, span))
  }
  return spans
}

function fromJson(traceId: string, span: SpanJson): RebuiltSpan {
  // Whole µs first: the ns do not fit a number.
  const startUs = Number(BigInt(span.startUnixNano) / 1_000n) + Number(BigInt(span.startUnixNano) % 1_000n) / 1e3
  return {
    traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId ?? undefined,
    service: span.service,
    kind: span.kind,
    protocol: span.sample.protocol,
    name: span.name,
    startUs,
    endUs: startUs + span.durationNs / 1e3,
    attributes: span.attributes,
  }
}
