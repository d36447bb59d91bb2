import { unixNanos } from '../../src/export/durations.js'
import type { FinishedSpan, FinishedTrace } from '../../src/traces/span.js'

/** What every backend has to give back of a span, in one shape whatever it was read from. */
export interface ToldSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly service: string
  readonly name: string
  readonly kind: string
  readonly startNanos: string
  readonly endNanos: string
  readonly status: string
  readonly message: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly links: readonly { traceId: string; spanId: string; attributes: Readonly<Record<string, unknown>> }[]
}

export function sentSpans(trace: FinishedTrace): ToldSpan[] {
  return trace.spans.map(sentSpan)
}

function sentSpan(span: FinishedSpan): ToldSpan {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId ?? '',
    service: span.resource.service,
    name: span.name,
    kind: span.kind,
    startNanos: unixNanos(span.start),
    endNanos: unixNanos(span.end),
    status: span.status.code,
    message: span.status.message,
    attributes: span.attributes,
    links: span.links,
  }
}

const kinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer']
const statuses = ['unset', 'ok', 'error']

/** OTLP's JSON, of one or more requests: what Jaeger's API v3 and the collector's file exporter give. */
export function spansOfOtlpJson(requests: readonly unknown[]): ToldSpan[] {
  // biome-ignore lint/suspicious/noExplicitAny: OTLP's JSON, as somebody else writes it
  return requests.flatMap((request: any) =>
    // biome-ignore lint/suspicious/noExplicitAny: as above
    request.resourceSpans.flatMap((group: any) =>
      // biome-ignore lint/suspicious/noExplicitAny: as above
      group.scopeSpans.flatMap((scope: any) =>
        // biome-ignore lint/suspicious/noExplicitAny: as above
        scope.spans.map((span: any): ToldSpan => {
          const resource = attributes(group.resource?.attributes)
          return {
            traceId: span.traceId,
            spanId: span.spanId,
            parentSpanId: span.parentSpanId ?? '',
            service: String(resource['service.name']),
            name: span.name,
            kind: kinds[span.kind ?? 0]!,
            startNanos: String(span.startTimeUnixNano),
            endNanos: String(span.endTimeUnixNano),
            status: statuses[span.status?.code ?? 0]!,
            message: span.status?.message ?? '',
            attributes: attributes(span.attributes),
            // biome-ignore lint/suspicious/noExplicitAny: as above
            links: (span.links ?? []).map((link: any) => ({
              traceId: link.traceId,
              spanId: link.spanId,
              attributes: attributes(link.attributes),
            })),
          }
        }),
      ),
    ),
  )
}

type KeyValue = { readonly key: string; readonly value: Readonly<Record<string, unknown>> }

function attributes(list: readonly KeyValue[] = []): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value }) => [key, plainValue(value)]))
}

function plainValue(value: Readonly<Record<string, unknown>>): unknown {
  if ('intValue' in value) return Number(value['intValue'])
  // A double that happens to be whole is an integer to us.
  return value['stringValue'] ?? value['doubleValue'] ?? value['boolValue']
}

/** A trace as it must be: one root (whatever its parent, if that is remote), every other parent among its spans. */
export function treeFaults(spans: readonly ToldSpan[], remoteParent = ''): string[] {
  const ids = new Set(spans.map(span => span.spanId))
  const roots = spans.filter(span => span.parentSpanId === '' || span.parentSpanId === remoteParent)
  const dangling = spans.filter(span => !roots.includes(span) && !ids.has(span.parentSpanId))
  const faults = dangling.map(span => `${span.spanId} hangs on ${span.parentSpanId}, which is not there`)
  if (roots.length !== 1) faults.push(`${roots.length} roots`)
  if (ids.size !== spans.length) faults.push(`${spans.length - ids.size} spans twice`)
  return faults
}

export const byId = (spans: readonly ToldSpan[]): ToldSpan[] =>
  [...spans].sort((a, b) => (a.spanId < b.spanId ? -1 : a.spanId > b.spanId ? 1 : 0))
