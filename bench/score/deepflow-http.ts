import { grpcStatusName } from '../../src/protocols/http2/grpc.js'
import { redactPath } from '../../src/protocols/path-segments.js'
import type { ReadExchange } from './capture-exchanges.js'
import type { DeepflowAdapter, Told } from './deepflow-suite.js'

interface HttpLine {
  readonly proto: string
  readonly type: string
  readonly stream: string
  readonly method: string
  readonly path: string
  readonly host: string
  readonly status: string | undefined
  readonly grpcStatus: string | undefined
}

function parse(line: string): HttpLine {
  const word = (name: string): string => new RegExp(`\\b${name}: (\\w+)`).exec(line)?.[1] ?? ''
  const some = (name: string): string | undefined => new RegExp(`\\b${name}: Some\\((\\d+)\\)`).exec(line)?.[1]
  const text = (name: string): string => new RegExp(`\\b${name}: "([^"]*)"`).exec(line)?.[1] ?? ''
  return {
    proto: word('proto'),
    type: word('msg_type'),
    stream: some('stream_id') ?? '',
    method: word('method'),
    path: text('path'),
    host: text('host'),
    status: some(', status_code'.slice(2)),
    grpcStatus: some('grpc_status_code'),
  }
}

/**
 * Requests by method, path and host; answers by status. Frames of a streaming call are part of one exchange; a gRPC
 * call's answer is its status, if that is told.
 */
export const deepflowHttp: DeepflowAdapter = {
  protocol: 'http',
  rule:
    'A case is one result. Requests are compared by method, path and host (gRPC: by service and method), answers by ' +
    'status; the frames of a streaming call, which DeepFlow lists one by one, are one exchange.',
  theirs: lines => {
    const told: (Told & { readonly stream: string })[] = []
    for (const each of lines.map(parse)) {
      if (each.type === 'Request') {
        told.push({ request: requestOf(each), answer: undefined, stream: each.stream })
        continue
      }
      if (each.type !== 'Response' && each.method !== '_ResponseHeader') continue
      const answer = answerOf(each)
      const at = told.findLastIndex(({ stream }) => stream === each.stream)
      if (at >= 0 && (answer !== 'answered' || told[at]!.answer === undefined)) told[at] = { ...told[at]!, answer }
    }
    return told
  },
  ours: read => read.filter(({ exchange }) => !exchange.housekeeping).map(tell),
}

function requestOf({ proto, method, path, host }: HttpLine): string {
  if (proto === 'Grpc') return `grpc ${path.slice(1)} ${host}`
  return `${method.toUpperCase()} ${redactPath(path.split('?')[0]!)} ${host}`
}

function answerOf({ proto, status, grpcStatus }: HttpLine): string {
  if (proto !== 'Grpc') return status ?? 'answered'
  return grpcStatus === undefined ? 'answered' : grpcStatusName(grpcStatus)!
}

function tell({ exchange, answered }: ReadExchange): Told {
  const { attributes } = exchange
  const port = attributes['server.port']
  const host = `${attributes['server.address'] ?? ''}${port === undefined ? '' : `:${port}`}`
  if (attributes['rpc.system.name'] !== undefined) {
    const status = attributes['rpc.status_code']
    const request = `grpc ${attributes['rpc.method'] ?? ''} ${host}`
    return { request, answer: status === undefined ? (answered ? 'answered' : undefined) : String(status) }
  }
  const status = attributes['http.response.status_code']
  const request = `${attributes['http.request.method']} ${attributes['url.path'] ?? ''} ${host}`
  return { request, answer: status === undefined ? (answered ? 'answered' : undefined) : String(status) }
}
