import type { WallTime } from '../capture/capture-clock.js'
import type { EvidenceKind } from '../correlate/link.js'
import type { Attributes } from '../protocols/protocol.js'

export type { WallTime }

export type FinishedSpanKind = 'server' | 'client' | 'producer' | 'consumer' | 'internal'

/** The observed service that a span belongs to; one object per service, so that it can serve as a map's key. */
export interface ServiceResource {
  readonly service: string
  /** All resource attributes, service.name and telemetry.* included; none that differs from process to process. */
  readonly attributes: Readonly<Attributes>
}

export interface SpanLink {
  /** 32 and 16 lower-case hex digits. */
  readonly traceId: string
  readonly spanId: string
  readonly attributes: Readonly<Attributes>
}

/** How a span was tied to its parent. Absent on a root. */
export interface ParentLink {
  readonly evidence: EvidenceKind
  /** 0 to 1. */
  readonly confidence: number
  readonly strengths: Readonly<Record<EvidenceKind, number>>
  /** Other candidates for links below 0.99. */
  readonly alternatives: readonly { readonly spanId: string; readonly confidence: number }[]
}

/** What the archive keeps of a span's sample beyond the span itself. */
export interface SampleFacts {
  readonly protocol: string
  readonly pid: number
  readonly tid: number
  readonly carrier: number
  /** From the first byte of the answer to the last, ns. */
  readonly responseNs: number
  readonly requestBytes: number
  readonly responseBytes: number
  /** Local and remote end: '127.0.0.1:5000', 'unix'. */
  readonly local: string
  readonly remote: string
  /** 16 hex digits, '' if unknown. */
  readonly wireKey: string
  readonly requestPosition: number
  readonly ordinal: number
}

export interface FinishedSpan {
  readonly traceId: string
  readonly spanId: string
  /** undefined: the root. */
  readonly parentSpanId: string | undefined
  /** The parent is an instrumented caller's span, not one of ours. */
  readonly parentRemote: boolean
  readonly name: string
  readonly kind: FinishedSpanKind
  readonly start: WallTime
  readonly end: WallTime
  /** end - start; never negative. */
  readonly durationNs: number
  /** ghostspan.* included. */
  readonly attributes: Readonly<Attributes>
  readonly status: { readonly code: 'unset' | 'ok' | 'error'; readonly message: string }
  readonly links: readonly SpanLink[]
  readonly resource: ServiceResource
  readonly link: ParentLink | undefined
  readonly sample: SampleFacts
}

/** A trace that is quiet (or too old) and leaves: exactly one root unless `late`. */
export interface FinishedTrace {
  readonly traceId: string
  /** Parents before children, children by start. */
  readonly spans: readonly FinishedSpan[]
  /** Spans that came after their trace had been exported; same ids. */
  readonly late: boolean
  /** An operation in it had not ended when the trace had to leave. */
  readonly incomplete: boolean
}

/** Whoever takes finished traces: OTLP, archive, terminal, JSON lines. Synchronous and bounded; loss is counted. */
export interface TraceSink {
  accept(trace: FinishedTrace): void
  /** Everything accepted so far has left or is counted as lost. */
  flush(): Promise<void>
  close(): Promise<void>
}
