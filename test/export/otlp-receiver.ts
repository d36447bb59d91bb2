import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { gunzipSync } from 'node:zlib'
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
  type UntypedHandleCall,
} from '@grpc/grpc-js'
import { decodeJsonRequest, decodeRequest, encode, type ReceivedRequest, type ReceivedSpan } from './otlp-schema.js'

/** What a receiver does with a request. */
export type Answer =
  | { readonly kind: 'take'; readonly rejected?: number; readonly message?: string }
  /** gRPC status by number, or HTTP status. `retryAfterSeconds` as RetryInfo, or as a header. */
  | { readonly kind: 'fail'; readonly code: number; readonly details?: string; readonly retryAfterSeconds?: number }

export interface OtlpReceiver {
  readonly url: string
  readonly port: number
  /** Taken, in order of arrival. */
  readonly requests: ReceivedRequest[]
  /** Of every request that came, taken or not. */
  readonly headers: Record<string, string>[]
  /** All spans taken. */
  spans(): ReceivedSpan[]
  close(): Promise<void>
}

export interface ReceiverOptions {
  /** 0, the default: a free one. */
  readonly port?: number
  /** By the request's number, from 0. Default: takes all. */
  readonly answer?: (number: number, request: ReceivedRequest) => Answer | Promise<Answer>
  /** Speaks TLS with this certificate and key, PEM. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer }
}

const take: Answer = { kind: 'take' }

/** An OTLP receiver over gRPC in this process. */
export async function startGrpcReceiver(options: ReceiverOptions = {}): Promise<OtlpReceiver> {
  const kept = keep()
  const raw = (value: Buffer): Buffer => value
  const definition: ServiceDefinition = {
    Export: {
      path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
      requestStream: false,
      responseStream: false,
      requestSerialize: raw,
      requestDeserialize: raw,
      responseSerialize: raw,
      responseDeserialize: raw,
    },
  }
  const server = new Server()
  const handle = async (
    call: { request: Buffer; metadata: Metadata },
    done: (error: unknown, response?: Buffer) => void,
  ): Promise<void> => {
    const request = decodeRequest(call.request)
    kept.headers.push(call.metadata.getMap() as Record<string, string>)
    const answer = (await options.answer?.(kept.headers.length - 1, request)) ?? take
    if (answer.kind === 'take') {
      kept.requests.push(request)
      done(null, encodeResponse(answer))
      return
    }
    const metadata = new Metadata()
    if (answer.retryAfterSeconds !== undefined) {
      metadata.set('grpc-status-details-bin', retryInfo(answer.code, answer.retryAfterSeconds))
    }
    done({ code: answer.code, details: answer.details ?? 'no', metadata })
  }
  server.addService(definition, { Export: handle as UntypedHandleCall })
  const { tls } = options
  const credentials = tls
    ? ServerCredentials.createSsl(null, [{ cert_chain: tls.cert, private_key: tls.key }])
    : ServerCredentials.createInsecure()
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${options.port ?? 0}`, credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  return {
    ...kept,
    port,
    url: `http${tls ? 's' : ''}://127.0.0.1:${port}`,
    close: async () => server.forceShutdown(),
  }
}

/** An OTLP receiver over HTTP, protobuf and JSON, in this process. */
export async function startHttpReceiver(options: ReceiverOptions = {}): Promise<OtlpReceiver> {
  const kept = keep()
  const listener: RequestListener = async (incoming, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    const sent = Buffer.concat(chunks)
    const body = incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent
    const json = incoming.headers['content-type'] === 'application/json'
    const request = json ? decodeJsonRequest(body.toString()) : decodeRequest(body)
    kept.headers.push({ ...(incoming.headers as Record<string, string>), ':path': incoming.url ?? '' })
    const answer = (await options.answer?.(kept.headers.length - 1, request)) ?? take
    if (answer.kind === 'take') {
      kept.requests.push(request)
      response.writeHead(200, { 'content-type': incoming.headers['content-type'] ?? '' })
      response.end(json ? JSON.stringify(partialSuccess(answer)) : encodeResponse(answer))
      return
    }
    const { retryAfterSeconds: after } = answer
    response.writeHead(answer.code, after === undefined ? {} : { 'retry-after': String(after) })
    response.end(answer.details)
  }
  const { tls } = options
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  await new Promise<void>(resolve => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return {
    ...kept,
    port,
    url: `http${tls ? 's' : ''}://127.0.0.1:${port}/v1/traces`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function keep(): Pick<OtlpReceiver, 'requests' | 'headers' | 'spans'> {
  const requests: ReceivedRequest[] = []
  return {
    requests,
    headers: [],
    spans: () => requests.flatMap(r => r.resourceSpans.flatMap(g => g.scopes.flatMap(s => s.spans))),
  }
}

function partialSuccess(answer: Answer & { kind: 'take' }): Record<string, unknown> {
  if (answer.rejected === undefined) return {}
  return { partialSuccess: { rejectedSpans: answer.rejected, errorMessage: answer.message ?? '' } }
}

const encodeResponse = (answer: Answer & { kind: 'take' }): Buffer => encode('Response', partialSuccess(answer))

function retryInfo(code: number, seconds: number): Buffer {
  const whole = Math.floor(seconds)
  const value = encode('RetryInfo', { retryDelay: { seconds: whole, nanos: Math.round((seconds - whole) * 1e9) } })
  return encode('RpcStatus', {
    code,
    message: status[code],
    details: [
      { typeUrl: 'type.googleapis.com/google.rpc.DebugInfo', value: Buffer.from([0]) },
      { typeUrl: 'type.googleapis.com/google.rpc.RetryInfo', value },
    ],
  })
}
