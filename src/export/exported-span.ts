import {
  type HrTime,
  type Link,
  type SpanContext,
  SpanKind,
  type SpanStatus,
  SpanStatusCode,
  TraceFlags,
} from '@opentelemetry/api'
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import type { Attributes } from '../protocols/protocol.js'
import type { FinishedSpan, FinishedSpanKind, ServiceResource, SpanLink, WallTime } from '../traces/span.js'
import type { AttributeLimits } from './otlp-options.js'

type Scope = ReadableSpan['instrumentationScope']

const kinds: Readonly<Record<FinishedSpanKind, SpanKind>> = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
}
const codes = { unset: SpanStatusCode.UNSET, ok: SpanStatusCode.OK, error: SpanStatusCode.ERROR } as const
const statusUnset: SpanStatus = { code: SpanStatusCode.UNSET }
const statusOk: SpanStatus = { code: SpanStatusCode.OK }
const noLinks: Link[] = []
const noEvents: ReadableSpan['events'] = []
const noDuration: HrTime = [0, 0]

/**
 * A finished span in the shape that the OTLP exporters read. It is its own span context, and its fields are the
 * finished span's own objects: the exporters look at each of them twice (size, then bytes), so nothing is worked out
 * when they ask. What is the same for all spans takes no room in each.
 */
export class ExportedSpan implements ReadableSpan, SpanContext {
  readonly traceId: string
  readonly spanId: string
  readonly name: string
  readonly kind: SpanKind
  readonly parentSpanContext?: SpanContext
  readonly startTime: HrTime
  readonly endTime: HrTime
  readonly status: SpanStatus
  readonly attributes: Attributes
  readonly links: Link[]
  readonly resource: Resource
  readonly instrumentationScope: Scope
  readonly droppedAttributesCount: number

  constructor(span: FinishedSpan, resource: Resource, scope: Scope, end: HrTime, attributes: Readonly<Attributes>) {
    this.traceId = span.traceId
    this.spanId = span.spanId
    this.name = span.name
    this.kind = kinds[span.kind]
    if (span.parentSpanId !== undefined) this.parentSpanContext = parentContext(span, span.parentSpanId)
    this.startTime = span.start
    this.endTime = end
    this.status = status(span)
    this.attributes = attributes
    this.droppedAttributesCount =
      attributes === span.attributes ? 0 : Object.keys(span.attributes).length - Object.keys(attributes).length
    this.links = span.links.length === 0 ? noLinks : span.links.map(exportedLink)
    this.resource = resource
    this.instrumentationScope = scope
  }

  spanContext(): SpanContext {
    return this
  }

  get traceFlags(): number {
    return TraceFlags.SAMPLED
  }

  /** No exporter over OTLP reads it. */
  get duration(): HrTime {
    return noDuration
  }

  get ended(): boolean {
    return true
  }

  get events(): ReadableSpan['events'] {
    return noEvents
  }

  get droppedEventsCount(): number {
    return 0
  }

  get droppedLinksCount(): number {
    return 0
  }
}

function parentContext(span: FinishedSpan, spanId: string): SpanContext {
  return { traceId: span.traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: span.parentRemote }
}

function status(span: FinishedSpan): SpanStatus {
  const { code, message } = span.status
  if (message === '' && code !== 'error') return code === 'unset' ? statusUnset : statusOk
  return { code: codes[code], message }
}

function exportedLink(link: SpanLink): Link {
  return {
    context: { traceId: link.traceId, spanId: link.spanId, traceFlags: TraceFlags.SAMPLED },
    attributes: link.attributes,
  }
}

const unlimited: AttributeLimits = { valueLength: Number.POSITIVE_INFINITY, count: Number.POSITIVE_INFINITY }

/** OpenTelemetry specification, "Attribute Limits". The same object if nothing has to change, which is the rule. */
function withinLimits(attributes: Readonly<Attributes>, limits: AttributeLimits): Readonly<Attributes> {
  let count = 0
  for (const key in attributes) {
    const value = attributes[key]
    if (++count > limits.count) return limitedCopy(attributes, limits)
    if (typeof value === 'string' && value.length > limits.valueLength) return limitedCopy(attributes, limits)
  }
  return attributes
}

function limitedCopy(attributes: Readonly<Attributes>, { valueLength, count }: AttributeLimits): Attributes {
  const kept: Attributes = {}
  for (const [key, value] of Object.entries(attributes).slice(0, Math.min(count, 1e9))) {
    kept[key] = typeof value === 'string' ? value.slice(0, Math.min(valueLength, value.length)) : value
  }
  return kept
}

/** Turns finished spans into exported ones; the exporters group by identity, so a service has one Resource object. */
export interface SpanConverter {
  convert(span: FinishedSpan): ExportedSpan
  /** Ends that were before their start. */
  readonly clamped: number
}

export interface SpanConverterOptions {
  /** Version of Ghostspan. */
  readonly version: string
  /**
   * An address of the observed host. It becomes the resource attribute `ip`, by which alone Jaeger's `/api/traces`
   * tells that two spans are of one host and have one clock; without it, Jaeger takes a message that is consumed
   * after its producer has ended for clock skew (Jaeger 2.13, querysvc/internal/adjuster/clockskew.go).
   */
  readonly hostAddress?: string
  readonly limits?: AttributeLimits
}

export function createSpanConverter(options: SpanConverterOptions): SpanConverter {
  const { version, hostAddress, limits = unlimited } = options
  const scope: Scope = { name: 'ghostspan', version, schemaUrl: 'https://opentelemetry.io/schemas/1.45.0' }
  const resources = new WeakMap<ServiceResource, Resource>()
  const limited = Number.isFinite(limits.valueLength) || Number.isFinite(limits.count)
  let clamped = 0
  const resourceOf = (service: ServiceResource): Resource => {
    let resource = resources.get(service)
    if (resource === undefined) {
      const address = hostAddress === undefined ? {} : { ip: hostAddress }
      resource = resourceFromAttributes({ ...address, ...service.attributes })
      resources.set(service, resource)
    }
    return resource
  }
  return {
    get clamped() {
      return clamped
    },
    convert(span) {
      const { start } = span
      let { end } = span
      const seconds = end[0] - start[0]
      if (seconds < 0 || (seconds === 0 && end[1] <= start[1])) {
        if (seconds < 0 || end[1] < start[1]) clamped++
        end = justAfter(start)
      }
      const attributes = limited ? withinLimits(span.attributes, limits) : span.attributes
      return new ExportedSpan(span, resourceOf(span.resource), scope, end, attributes)
    },
  }
}

/** A span of no length, such as a message that needs no answer, is an error to Jaeger; one of 1 ns is not. */
function justAfter([seconds, nanos]: WallTime): WallTime {
  return nanos === 999_999_999 ? [seconds + 1, 0] : [seconds, nanos + 1]
}
