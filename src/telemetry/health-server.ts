import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import type { Metric } from './metric.js'
import { PROMETHEUS_CONTENT_TYPE, renderPrometheus } from './prometheus.js'

/** Whether the daemon does its work; `reasons` say why not. */
export interface Readiness {
  readonly ready: boolean
  readonly reasons: readonly string[]
}

export interface HealthServerOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly metrics: () => readonly Metric[]
  readonly readiness: () => Readiness
  /** Anything that JSON can hold. */
  readonly status: () => unknown
  /** … likewise: what the kernel has counted. */
  readonly calls: () => unknown
}

export interface HealthServer {
  readonly host: string
  readonly port: number
  /** `http://127.0.0.1:9464` */
  readonly url: string
  close(): Promise<void>
}

/**
 * `/metrics` (Prometheus), `/healthz` (the process answers), `/readyz` (it does its work), `/status` and `/calls` (JSON). Rejects
 * with the socket's error where the address cannot be listened on.
 */
export async function createHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const server = createServer((request, response) => answer(request, response, options))
  server.headersTimeout = 5_000
  server.requestTimeout = 10_000
  server.keepAliveTimeout = 5_000
  server.maxHeadersCount = 100
  server.maxConnections = 100
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: options.host, port: options.port, exclusive: true }, resolve)
  })
  server.on('error', () => {})
  const { port } = server.address() as { port: number }
  const { host } = options
  return {
    host,
    port,
    url: `http://${isIP(host) === 6 ? `[${host}]` : host}:${port}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

interface Reply {
  readonly code: number
  readonly type: string
  readonly body: string
}

const text = (code: number, body: string): Reply => ({ code, type: 'text/plain; charset=utf-8', body: `${body}\n` })

function answer(request: IncomingMessage, response: ServerResponse, options: HealthServerOptions): void {
  const { code, type, body } = replyTo(request, options)
  response.writeHead(code, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(code === 405 ? { allow: 'GET, HEAD' } : {}),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

function replyTo(request: IncomingMessage, options: HealthServerOptions): Reply {
  if (!isLocalName(request.headers.host, options.host)) return text(403, 'this address answers to its own name only')
  if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'only GET and HEAD')
  switch (request.url?.split('?')[0]) {
    case '/metrics':
      return { code: 200, type: PROMETHEUS_CONTENT_TYPE, body: renderPrometheus(options.metrics()) }
    case '/healthz':
      return text(200, 'ok')
    case '/readyz': {
      const { ready, reasons } = options.readiness()
      return ready ? text(200, 'ready') : text(503, ['not ready', ...reasons].join('\n'))
    }
    case '/status':
      return { code: 200, type: 'application/json', body: `${JSON.stringify(options.status())}\n` }
    case '/calls':
      return { code: 200, type: 'application/json', body: `${JSON.stringify(options.calls())}\n` }
    default:
      return text(404, 'there are: /metrics, /healthz, /readyz, /status, /calls')
  }
}

/**
 * A web page must not read us through a name of its own that points to loopback (DNS rebinding): on a loopback address
 * only loopback's names count.
 */
function isLocalName(header: string | undefined, listening: string): boolean {
  const loopback = listening === 'localhost' || listening === '::1' || listening.startsWith('127.')
  if (!loopback || header === undefined) return true
  const name = header.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  return name === 'localhost' || isIP(name) !== 0
}
