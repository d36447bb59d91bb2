import type { Agent } from 'node:http'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { grpcFailure, httpFailure, type OtlpFailure } from './otlp-failure.js'
import { type OtlpEndpoint, otlpDefaults } from './otlp-options.js'
import { watchRetryAfter } from './retry-after.js'

export type SendResult = { readonly kind: 'sent' } | OtlpFailure

/** One receiver: OpenTelemetry's own exporter for the protocol, its outcomes as values. */
export interface OtlpExporter {
  /** One attempt (over HTTP: as many as fit into the timeout). Never rejects. */
  send(spans: ReadableSpan[]): Promise<SendResult>
  close(): void
}

/** What OpenTelemetry's exporters have in common; a SpanExporter that says why it failed. */
interface LibraryExporter {
  export(spans: ReadableSpan[], done: (result: { code: number; error?: Error }) => void): void
  shutdown(): Promise<void>
}

const sent: SendResult = { kind: 'sent' }
/** We bound the requests in flight ourselves; the library must not have a second opinion. */
const concurrencyLimit = 1_000
/** The longest that a timer of Node.js takes. */
const noLimit = 2 ** 31 - 1
/** The library's ExportResultCode. */
const success = 0

export function createOtlpExporter(endpoint: OtlpEndpoint, version: string): OtlpExporter {
  return (endpoint.protocol ?? 'grpc') === 'grpc'
    ? createGrpcExporter(endpoint, version)
    : createHttpExporter(endpoint, version)
}

/**
 * The gRPC exporter does not retry. Its channel does reconnect, but ever more rarely (up to two minutes), and takes
 * no setting for that: so a channel that could not be used is left behind, and the next attempt opens a new one.
 */
function createGrpcExporter(endpoint: OtlpEndpoint, version: string): OtlpExporter {
  let library: Promise<LibraryExporter> | undefined
  const leave = (): void => {
    const old = library
    library = undefined
    void old?.then(exporter => exporter.shutdown()).catch(() => {})
  }
  return {
    async send(spans) {
      const mine = (library ??= openGrpc(endpoint, version))
      try {
        const error = await exportOnce(await mine, spans)
        if (error === undefined) return sent
        const failure = grpcFailure(error)
        if (failure.kind === 'retry' && library === mine) leave()
        return failure
      } catch (error) {
        if (library === mine) library = undefined
        return { kind: 'refused', reason: `the exporter failed: ${error instanceof Error ? error.message : error}` }
      }
    },
    close: leave,
  }
}

async function openGrpc(endpoint: OtlpEndpoint, version: string): Promise<LibraryExporter> {
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-grpc')
  const { credentials, Metadata } = await import('@grpc/grpc-js')
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(endpoint.headers ?? {})) metadata.set(name.toLowerCase(), value)
  const { authorities = null, key = null, certificate = null } = endpoint.tls ?? {}
  const { url } = endpoint
  const plain = /^(http:\/\/|unix:)/.test(url) || (endpoint.insecure === true && !url.startsWith('https://'))
  return new OTLPTraceExporter({
    url,
    metadata,
    credentials: plain ? credentials.createInsecure() : credentials.createSsl(authorities, key, certificate),
    ...shared(endpoint, version),
  })
}

function createHttpExporter(endpoint: OtlpEndpoint, version: string): OtlpExporter {
  let agent: Agent | undefined
  const retryAfter = watchRetryAfter(() => agent)
  const agentFactory = async (): Promise<Agent> => {
    if (agent !== undefined) return agent
    const { authorities: ca, certificate: cert, key } = endpoint.tls ?? {}
    const options = { keepAlive: true, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
    agent = endpoint.url.startsWith('https:')
      ? new (await import('node:https')).Agent(options)
      : new (await import('node:http')).Agent(options)
    return agent
  }
  const open = async (): Promise<LibraryExporter> => {
    const { OTLPTraceExporter } =
      endpoint.protocol === 'http/json'
        ? await import('@opentelemetry/exporter-trace-otlp-http')
        : await import('@opentelemetry/exporter-trace-otlp-proto')
    return new OTLPTraceExporter({
      url: endpoint.url,
      headers: { ...endpoint.headers },
      httpAgentOptions: agentFactory,
      ...shared(endpoint, version),
    })
  }
  let library: Promise<LibraryExporter> | undefined
  return {
    async send(spans) {
      try {
        const error = await exportOnce(await (library ??= open()), spans)
        return error === undefined ? sent : httpFailure(error, retryAfter.take())
      } catch (error) {
        return { kind: 'refused', reason: `the exporter failed: ${error instanceof Error ? error.message : error}` }
      }
    },
    close() {
      retryAfter.close()
      agent?.destroy()
      void library?.then(exporter => exporter.shutdown()).catch(() => {})
    },
  }
}

function shared(endpoint: OtlpEndpoint, version: string) {
  return {
    // The library's own type for this is an enum of these strings.
    compression: (endpoint.compression ?? 'none') as never,
    timeoutMillis: endpoint.timeoutMillis === 0 ? noLimit : (endpoint.timeoutMillis ?? otlpDefaults.timeoutMillis),
    userAgent: `ghostspan/${version}`,
    concurrencyLimit,
  }
}

/** Resolves with undefined when the receiver has taken the spans, else with the reason why not. */
function exportOnce(exporter: LibraryExporter, spans: ReadableSpan[]): Promise<Error | undefined> {
  return new Promise(resolve => {
    exporter.export(spans, result => {
      resolve(result.code === success ? undefined : (result.error ?? new Error('the exporter gave no reason')))
    })
  })
}
