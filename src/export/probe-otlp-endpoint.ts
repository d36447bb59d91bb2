import { connect, type NetConnectOpts } from 'node:net'

export type OtlpProbe = { readonly listening: true } | { readonly listening: false; readonly reason: string }

/** The standard receivers on this host: OTLP over gRPC. */
export const standardOtlpUrl = 'http://localhost:4317'

/** Whether something accepts connections at an OTLP endpoint (`http(s)://host:port…`, `unix:path`). Never rejects. */
export function probeOtlpEndpoint(url: string, timeoutMillis = 1_000): Promise<OtlpProbe> {
  const target = targetOf(url)
  if (target === undefined) return Promise.resolve({ listening: false, reason: `not a URL: ${url}` })
  return new Promise(resolve => {
    const socket = connect(target)
    const finish = (probe: OtlpProbe): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(probe)
    }
    const timer = setTimeout(
      () => finish({ listening: false, reason: `no answer within ${timeoutMillis} ms` }),
      timeoutMillis,
    )
    socket.once('connect', () => finish({ listening: true }))
    socket.once('error', (error: NodeJS.ErrnoException) =>
      finish({ listening: false, reason: error.code ?? error.message }),
    )
  })
}

function targetOf(url: string): NetConnectOpts | undefined {
  if (url.startsWith('unix:')) return { path: url.slice('unix:'.length).replace(/^\/\/(?=\/)/, '') }
  // A bare host:port is what OTEL_EXPORTER_OTLP_ENDPOINT may hold for gRPC.
  const full = /^\w+:\/\//.test(url) ? url : `https://${url}`
  if (!URL.canParse(full)) return undefined
  const { hostname, port, protocol } = new URL(full)
  if (hostname === '') return undefined
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port || (protocol === 'http:' ? 80 : 443)),
    // localhost may be ::1 first, with the receiver on 127.0.0.1 only.
    autoSelectFamily: true,
  }
}
