import type { FinishedSpan, FinishedTrace, ServiceResource } from '../traces/span.js'
import type { OsprofilerSpan, OsprofilerTrace } from './osprofiler-trace.js'
import { kindOf } from './span-likeness.js'

/**
 * OSProfiler's trace as a trace of ours, under service names of its own (`nova-api (osprofiler)`), so that a viewer shows
 * both beside each other. Trace id: the base id; span ids: the last 16 digits of theirs. One root over the spans at the top.
 */
export function osprofilerAsTrace(trace: OsprofilerTrace, version: string): FinishedTrace {
  const traceId = trace.baseId.replaceAll('-', '').toLowerCase()
  const resources = new Map<string, ServiceResource>()
  const resourceOf = (service: string): ServiceResource => {
    let resource = resources.get(service)
    if (resource === undefined) {
      const attributes = {
        'service.name': service,
        'telemetry.sdk.name': 'osprofiler',
        'telemetry.distro.name': 'ghostspan',
        'telemetry.distro.version': version,
      }
      resources.set(service, (resource = { service, attributes }))
    }
    return resource
  }
  const ids = new Set(trace.spans.map(({ id }) => id))
  const startUs = Math.min(...trace.spans.map(span => span.startUs))
  const endUs = Math.max(...trace.spans.map(span => span.endUs))
  const rootId = spanIdOf(trace.baseId)
  const root = createSpan(traceId, rootId, undefined, resourceOf('osprofiler'), {
    name: 'trace',
    kind: 'internal',
    startUs,
    endUs,
    attributes: { 'osprofiler.base_id': trace.baseId },
  })
  const children = trace.spans.map(span =>
    createSpan(
      traceId,
      spanIdOf(span.id),
      ids.has(span.parentId) ? spanIdOf(span.parentId) : rootId,
      resourceOf(`${serviceOf(span)} (osprofiler)`),
      {
        name: nameOf(span),
        kind:
          kindOf(span) === 'internal'
            ? 'internal'
            : kindOf(span) === 'db' || kindOf(span) === 'rpcClient'
              ? 'client'
              : 'server',
        startUs: span.startUs,
        endUs: span.endUs,
        attributes: {
          'osprofiler.id': span.id,
          'osprofiler.name': span.name,
          ...(kindOf(span) === 'db' ? { 'db.query.text': span.detail } : {}),
        },
      },
    ),
  )
  return { traceId, spans: [root, ...children], late: false, incomplete: trace.spans.some(span => !span.finished) }
}

const spanIdOf = (uuid: string): string => uuid.replaceAll('-', '').slice(-16).toLowerCase()

const SERVICES: Readonly<Record<string, string>> = {
  'keystone public': 'keystone',
  'glance api': 'glance-api',
  'nova osapi_compute': 'nova-api',
  'placement placement': 'placement-api',
}

/** What an operator calls the service that OSProfiler knows as project and service. */
export function serviceOf({ project, service }: OsprofilerSpan): string {
  return SERVICES[`${project} ${service}`] ?? service
}

/** As in OSProfiler's own tree, a little shorter. */
export function nameOf(span: OsprofilerSpan): string {
  if (span.detail === '') return span.name
  switch (kindOf(span)) {
    case 'wsgi':
      return span.detail
    case 'db':
      return span.detail.slice(0, 80)
    default:
      return span.detail.split('.').slice(-2).join('.')
  }
}

interface SpanFields {
  readonly name: string
  readonly kind: FinishedSpan['kind']
  readonly startUs: number
  readonly endUs: number
  readonly attributes: FinishedSpan['attributes']
}

function createSpan(
  traceId: string,
  spanId: string,
  parentSpanId: string | undefined,
  resource: ServiceResource,
  { name, kind, startUs, endUs, attributes }: SpanFields,
): FinishedSpan {
  const wall = (us: number): [number, number] => [Math.floor(us / 1e6), Math.round(us % 1e6) * 1_000]
  return {
    traceId,
    spanId,
    parentSpanId,
    parentRemote: false,
    name,
    kind,
    start: wall(startUs),
    end: wall(endUs),
    durationNs: Math.round(endUs - startUs) * 1_000,
    attributes,
    status: { code: 'unset', message: '' },
    links: [],
    resource,
    link: undefined,
    sample: NOT_OBSERVED,
  }
}

const NOT_OBSERVED: FinishedSpan['sample'] = {
  protocol: 'osprofiler',
  pid: 0,
  tid: 0,
  carrier: 0,
  responseNs: 0,
  requestBytes: 0,
  responseBytes: 0,
  local: '',
  remote: '',
  wireKey: '',
  requestPosition: 0,
  ordinal: 0,
}
