import { resolve } from 'node:path'
import { parseDuration } from './duration.js'
import { parsePairs } from './export-schema.js'
import type { OtlpExporterSettings, ResourceValue, SelectionRule, ServiceNameRule, Settings } from './settings.js'
import type { ExporterDocument, SettingsDocument } from './settings-schema.js'
import { parseSize } from './size.js'
import { parseListenAddress } from './value-schemas.js'

/** What settings depend on beside the document. */
export interface Surroundings {
  /** User id that we run as. */
  readonly user: number
  /** Home folder, and `XDG_DATA_HOME` where it is set. */
  readonly home: string
  readonly dataHome: string | undefined
  /** No setting said where spans go: the standard local port, if something listens there. */
  readonly exportWhen: 'always' | 'listening'
}

type Own = SettingsDocument['distribution']['ghostspan']

/** A checked document as plain, frozen values with one unit each. */
export function plainSettings(document: SettingsDocument, surroundings: Surroundings): Settings {
  const own = document.distribution.ghostspan
  const listen = parseListenAddress(own.operations.health.listen)!
  return deepFreeze<Settings>({
    resourceAttributes: resourceAttributes(document.resource),
    attributeLimits: {
      valueLength: document.attribute_limits.attribute_value_length_limit,
      count: document.attribute_limits.attribute_count_limit,
    },
    export: {
      when: surroundings.exportWhen,
      exporters: document.disabled ? [] : (document.tracer_provider?.processors ?? []).map(one => exporter(one.batch)),
    },
    selection: { default: own.selection.default, rules: own.selection.rules.map(selectionRule) },
    capture: {
      ringBufferBytes: parseSize(own.capture.ring_buffer)!,
      pollIntervalMillis: parseDuration(own.capture.poll_interval)!,
      hooks: own.capture.hooks,
    },
    disabledProtocols: Object.entries(own.protocols)
      .filter(([, protocol]) => !protocol.enabled)
      .map(([name]) => name),
    serviceRules: own.services.rules.map(serviceRule),
    correlation: { confidenceFloor: own.correlation.confidence_floor },
    traces: {
      quietMillis: parseDuration(own.traces.quiet)!,
      longestMillis: parseDuration(own.traces.longest)!,
      openLimit: own.traces.open_limit,
      processRoots: {
        programs: own.traces.process_roots.programs,
        commandLines: own.traces.process_roots.command_lines,
      },
    },
    archive: archive(own.archive, surroundings),
    sketches: {
      enabled: own.sketches.enabled,
      retentionSeconds: {
        minutes: parseDuration(own.sketches.retention.minutes)! / 1000,
        hours: parseDuration(own.sketches.retention.hours)! / 1000,
        days: parseDuration(own.sketches.retention.days)! / 1000,
      },
    },
    shapes: { store: own.shapes.store, thinAfterSeconds: parseDuration(own.shapes.thin_after)! / 1000 },
    sampling: { ...own.sampling, rules: own.sampling.rules.map(keepRule) },
    health: { enabled: own.operations.health.enabled, ...listen, required: own.operations.health.required },
    log: own.operations.log,
    shutdownTimeoutMillis: parseDuration(own.operations.shutdown_timeout)!,
  })
}

function archive(own: Own['archive'], surroundings: Surroundings): Settings['archive'] {
  return {
    enabled: own.enabled,
    dataDirectory: resolve(own.data_directory ?? defaultDataDirectory(surroundings)),
    clickhouse: own.clickhouse,
    listen: own.listen === undefined ? undefined : parseListenAddress(own.listen)!,
    retention: { ageMillis: parseDuration(own.retention.age)!, sizeBytes: parseSize(own.retention.size)! },
    spoolBytes: parseSize(own.spool.size)!,
  }
}

/** Where a daemon keeps its data when no setting says: the system's place for root, the user's own else. */
export function defaultDataDirectory({ user, home, dataHome }: Surroundings): string {
  if (user === 0) return '/var/lib/ghostspan'
  // Relative paths in XDG variables count as unset (XDG Base Directory Specification).
  return `${dataHome?.startsWith('/') === true ? dataHome : `${home}/.local/share`}/ghostspan`
}

function exporter(document: ExporterDocument): Settings['export']['exporters'][number] {
  const { otlp_grpc: grpc, otlp_http: http } = document.exporter
  const chosen = grpc ?? http
  if (chosen === undefined) return { kind: 'console' }
  const headers = parsePairs(chosen.headers_list ?? '') ?? {}
  for (const { name, value } of chosen.headers ?? []) headers[name] = value
  const protocol: OtlpExporterSettings['protocol'] = grpc !== undefined ? 'grpc' : `http/${http!.encoding}`
  return {
    kind: 'otlp',
    protocol,
    endpoint: chosen.endpoint,
    headers,
    compression: chosen.compression,
    timeoutMillis: chosen.timeout,
    tls: {
      caFile: chosen.tls?.ca_file,
      keyFile: chosen.tls?.key_file,
      certFile: chosen.tls?.cert_file,
      insecure: grpc?.tls?.insecure ?? false,
    },
    batch: {
      scheduleDelayMillis: document.schedule_delay,
      exportTimeoutMillis: document.export_timeout,
      maxQueueSize: document.max_queue_size,
      maxBatchSize: document.max_export_batch_size,
    },
  }
}

function resourceAttributes(resource: SettingsDocument['resource']): Record<string, ResourceValue> {
  const attributes: Record<string, ResourceValue> = parsePairs(resource?.attributes_list ?? '') ?? {}
  for (const { name, value } of resource?.attributes ?? []) attributes[name] = value
  return attributes
}

function selectionRule(rule: Own['selection']['rules'][number]): SelectionRule {
  return {
    action: rule.action,
    executable: rule.executable,
    commandLine: rule.command_line,
    port: rule.port,
    user: rule.user,
    cgroup: rule.cgroup,
  }
}

function keepRule({ service, operation }: Own['sampling']['rules'][number]): Settings['sampling']['rules'][number] {
  return {
    ...(service === undefined ? {} : { service }),
    ...(operation === undefined ? {} : { operation }),
  }
}

function serviceRule(rule: Own['services']['rules'][number]): ServiceNameRule {
  return {
    name: rule.name,
    ...(rule.executable === undefined ? {} : { executable: rule.executable }),
    ...(rule.command_line === undefined ? {} : { commandLine: rule.command_line }),
    ...(rule.port === undefined ? {} : { port: rule.port }),
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}
