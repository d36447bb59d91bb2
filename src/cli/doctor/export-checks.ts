import { createServer } from 'node:net'
import type { Settings } from '../../config/settings.js'
import { urlWithoutPassword } from '../../config/without-secrets.js'
import { probeOtlpEndpoint } from '../../export/probe-otlp-endpoint.js'
import { readRunFile } from '../run-file.js'
import { type Check, fail, ok, warn } from './check.js'

/** Where spans go, and where metrics and health are served. */
export async function exportChecks(settings: Settings): Promise<Check[]> {
  const checks: Check[] = []
  for (const exporter of settings.export.exporters) {
    if (exporter.kind === 'otlp') checks.push(await receiver(exporter.endpoint, settings.export.when))
  }
  if (checks.length === 0) checks.push(ok('otlp', 'nothing is sent, as set'))
  if (settings.health.enabled) checks.push(await healthPort(settings))
  return checks
}

async function receiver(endpoint: string, when: 'always' | 'listening'): Promise<Check> {
  const name = 'otlp'
  const shown = urlWithoutPassword(endpoint)
  const probe = await probeOtlpEndpoint(endpoint)
  if (probe.listening) return ok(name, `${shown} accepts connections`)
  const fix = 'start Jaeger or a collector there, or name another place with --otlp'
  if (when === 'always') return fail(name, `${shown} does not answer: ${probe.reason}`, fix)
  return warn(name, `nothing listens at ${shown}: traces are archived only`, fix)
}

async function healthPort({ health, archive }: Settings): Promise<Check> {
  const name = 'health-port'
  const address = `${health.host}:${health.port}`
  const failure = await listenFailure(health.host, health.port)
  if (failure === undefined) return ok(name, `${address} is free`)
  const own = readRunFile(archive.dataDirectory)?.health
  if (own?.endsWith(`:${health.port}`) === true) return ok(name, `${address} is served by the running daemon`)
  const fix = 'choose another address with --listen, or --no-health'
  const detail = `${address} cannot be listened on: ${failure}`
  return health.required ? fail(name, detail, fix) : warn(name, detail, fix)
}

function listenFailure(host: string, port: number): Promise<string | undefined> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', error => resolve(error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}
