import type { ObservedProcess } from '../capture/processes.js'
import { Attribute } from '../protocols/attribute-names.js'
import type { Attributes } from '../protocols/protocol.js'
import type { ServiceResource } from './span.js'

/** One resource object per observed service: what differs from process to process belongs on the span. */
export interface ResourceTable {
  of(service: string, process: ObservedProcess): ServiceResource
  readonly size: number
}

export interface ResourceOptions {
  readonly host: string
  readonly version: string
  /** Set by the operator (OTEL_RESOURCE_ATTRIBUTES, resource.attributes). */
  readonly extra?: Readonly<Attributes>
}

/** telemetry.sdk.language is that of the observed process, as far as its executable tells. */
const LANGUAGES: readonly (readonly [RegExp, string])[] = [
  [/^(python|uwsgi|gunicorn)/, 'python'],
  [/^node/, 'nodejs'],
  [/^java/, 'java'],
  [/^(ruby|puma)/, 'ruby'],
  [/^(php|php-fpm)/, 'php'],
  [/^(beam|erl)/, 'erlang'],
  [/^dotnet/, 'dotnet'],
]

export function createResourceTable({ host, version, extra = {} }: ResourceOptions): ResourceTable {
  const byKey = new Map<string, ServiceResource>()
  // Spans of one process come in rows.
  let last:
    | { process: ObservedProcess; service: string; info: ObservedProcess['info']; resource: ServiceResource }
    | undefined
  return {
    of: (service, process) => {
      if (last?.process === process && last.service === service && last.info === process.info) return last.resource
      const executable = process.info?.exe ?? ''
      const key = `${service}\0${executable}`
      let resource = byKey.get(key)
      if (resource === undefined) {
        const name = executable.slice(executable.lastIndexOf('/') + 1)
        const language = LANGUAGES.find(([pattern]) => pattern.test(name))?.[1]
        const attributes: Attributes = {
          [Attribute.serviceName]: service,
          [Attribute.hostName]: host,
          [Attribute.osType]: 'linux',
          [Attribute.telemetrySdkName]: 'opentelemetry',
          [Attribute.telemetryDistroName]: 'ghostspan',
          [Attribute.telemetryDistroVersion]: version,
        }
        if (language !== undefined) attributes[Attribute.telemetrySdkLanguage] = language
        if (name !== '') attributes[Attribute.processExecutableName] = name
        if (process.info?.container !== undefined) attributes[Attribute.containerId] = process.info.container
        resource = { service, attributes: { ...extra, ...attributes } }
        byKey.set(key, resource)
      }
      last = { process, service, info: process.info, resource }
      return resource
    },
    get size() {
      return byKey.size
    },
  }
}
