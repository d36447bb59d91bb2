import type { Override } from './override.js'
import { typedText } from './override.js'
import type { SettingsIssue } from './settings-error.js'
import type { SettingPath } from './settings-file.js'
import type { Environment } from './substitution.js'

export interface OtelEnvironment {
  readonly overrides: readonly Override[]
  readonly issues: readonly SettingsIssue[]
  readonly warnings: readonly string[]
  /** The variables say that spans are to be exported, or that they are not: no look at whether somebody listens. */
  readonly explicitExport: boolean
}

export const OTLP_PROTOCOLS = ['grpc', 'http/protobuf', 'http/json'] as const
export type OtlpProtocol = (typeof OTLP_PROTOCOLS)[number]

const BATCH: SettingPath = ['tracer_provider', 'processors', 0, 'batch']

const PLAIN: readonly (readonly [name: string, type: string, path: SettingPath])[] = [
  ['OTEL_SDK_DISABLED', 'boolean', ['disabled']],
  ['OTEL_RESOURCE_ATTRIBUTES', 'string', ['resource', 'attributes_list']],
  ['OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'integer', ['attribute_limits', 'attribute_value_length_limit']],
  ['OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'integer', ['attribute_limits', 'attribute_value_length_limit']],
  ['OTEL_ATTRIBUTE_COUNT_LIMIT', 'integer', ['attribute_limits', 'attribute_count_limit']],
  ['OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', 'integer', ['attribute_limits', 'attribute_count_limit']],
  ['OTEL_BSP_SCHEDULE_DELAY', 'integer', [...BATCH, 'schedule_delay']],
  ['OTEL_BSP_EXPORT_TIMEOUT', 'integer', [...BATCH, 'export_timeout']],
  ['OTEL_BSP_MAX_QUEUE_SIZE', 'integer', [...BATCH, 'max_queue_size']],
  ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 'integer', [...BATCH, 'max_export_batch_size']],
]

const EXPORTER: readonly (readonly [name: string, type: string, path: SettingPath])[] = [
  ['HEADERS', 'string', ['headers_list']],
  ['COMPRESSION', 'string', ['compression']],
  ['TIMEOUT', 'integer', ['timeout']],
  ['CERTIFICATE', 'string', ['tls', 'ca_file']],
  ['CLIENT_KEY', 'string', ['tls', 'key_file']],
  ['CLIENT_CERTIFICATE', 'string', ['tls', 'cert_file']],
]

const placeOf = (name: string): string => `environment variable ${name}`

/** The standard `OTEL_*` variables that have a meaning here; used only when there is no settings file. */
export function readOtelEnvironment(environment: Environment): OtelEnvironment {
  const overrides: Override[] = []
  const issues: SettingsIssue[] = []
  const read = (name: string): string | undefined => (environment[name] === '' ? undefined : environment[name])

  for (const [name, type, path] of PLAIN) {
    const text = read(name)
    if (text !== undefined) overrides.push({ place: placeOf(name), path, value: typedText(text, type) })
  }
  const level = read('OTEL_LOG_LEVEL')
  if (level !== undefined) {
    const path = ['distribution', 'ghostspan', 'operations', 'log', 'level']
    overrides.push({ place: placeOf('OTEL_LOG_LEVEL'), path, value: level.toLowerCase() })
  }
  const explicitExport = readExporters(read, overrides, issues)
  const warnings =
    read('OTEL_SERVICE_NAME') === undefined
      ? []
      : [
          'environment variable OTEL_SERVICE_NAME was ignored: observed services have names of their own; see services.rules',
        ]
  return { overrides, issues, warnings, explicitExport }
}

/** Reads the exporter variables; returns whether they decide that (and where) spans are exported. */
function readExporters(
  read: (name: string) => string | undefined,
  overrides: Override[],
  issues: SettingsIssue[],
): boolean {
  const chosen = read('OTEL_TRACES_EXPORTER')
  const kinds = chosen?.split(',').map(kind => kind.trim()) ?? ['otlp']
  const wrong = kinds.find(kind => !['otlp', 'console', 'none'].includes(kind))
  if (wrong !== undefined) {
    issues.push({
      place: placeOf('OTEL_TRACES_EXPORTER'),
      path: '',
      message: `must be one of: otlp, console, none; not '${wrong}'`,
    })
    return true
  }
  if (kinds.includes('none')) {
    const empty: Override = {
      place: placeOf('OTEL_TRACES_EXPORTER'),
      path: ['tracer_provider', 'processors'],
      value: [],
    }
    const batches = overrides.filter(({ path }) => path[0] === 'tracer_provider')
    for (const batch of batches) overrides.splice(overrides.indexOf(batch), 1)
    overrides.push(empty)
    return true
  }
  let index = 0
  let endpointGiven = false
  for (const kind of new Set(kinds)) {
    const base: SettingPath = ['tracer_provider', 'processors', index++, 'batch', 'exporter']
    if (kind === 'console')
      overrides.push({ place: placeOf('OTEL_TRACES_EXPORTER'), path: [...base, 'console'], value: {} })
    else endpointGiven = readOtlpExporter(read, base, overrides, issues)
  }
  return chosen !== undefined || endpointGiven
}

function readOtlpExporter(
  read: (name: string) => string | undefined,
  base: SettingPath,
  overrides: Override[],
  issues: SettingsIssue[],
): boolean {
  /** The variable of the signal wins over the general one. */
  const pick = (suffix: string): { name: string; text: string; ofSignal: boolean } | undefined => {
    for (const name of [`OTEL_EXPORTER_OTLP_TRACES_${suffix}`, `OTEL_EXPORTER_OTLP_${suffix}`]) {
      const text = read(name)
      if (text !== undefined) return { name, text, ofSignal: name.includes('_TRACES_') }
    }
    return undefined
  }
  const endpoint = pick('ENDPOINT')
  const named = pick('PROTOCOL')
  const protocol = OTLP_PROTOCOLS.find(one => one === named?.text) ?? protocolOfEndpoint(endpoint?.text)
  if (named !== undefined && named.text !== protocol) {
    const message = `must be one of: ${OTLP_PROTOCOLS.join(', ')}; not '${named.text}'`
    issues.push({ place: placeOf(named.name), path: '', message })
  }
  const exporter: SettingPath = [...base, protocol === 'grpc' ? 'otlp_grpc' : 'otlp_http']
  overrides.push({ place: placeOf(named?.name ?? 'OTEL_EXPORTER_OTLP_PROTOCOL'), path: exporter, value: {} })
  if (protocol === 'http/json') {
    overrides.push({ place: placeOf(named!.name), path: [...exporter, 'encoding'], value: 'json' })
  }
  if (endpoint !== undefined) {
    // The general endpoint is a base that the signal's path is appended to; the signal's own is used as it is.
    const appended = protocol === 'grpc' || endpoint.ofSignal ? endpoint.text : withTracesPath(endpoint.text)
    overrides.push({ place: placeOf(endpoint.name), path: [...exporter, 'endpoint'], value: appended })
  }
  for (const [suffix, type, path] of EXPORTER) {
    const found = pick(suffix)
    if (found === undefined) continue
    overrides.push({ place: placeOf(found.name), path: [...exporter, ...path], value: typedText(found.text, type) })
  }
  return endpoint !== undefined
}

function withTracesPath(base: string): string {
  return `${base.replace(/\/+$/, '')}/v1/traces`
}

/** What an endpoint without a named protocol most likely speaks: gRPC, but HTTP on its standard port or with a path. */
export function protocolOfEndpoint(endpoint: string | undefined): OtlpProtocol {
  if (endpoint === undefined || !URL.canParse(endpoint)) return 'grpc'
  const url = new URL(endpoint)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'grpc'
  return url.port === '4318' || (url.pathname !== '/' && url.pathname !== '') ? 'http/protobuf' : 'grpc'
}
