import { Attribute, OTHER } from '../attribute-names.js'
import { redactQuery } from '../http/redact-query.js'
import { addB3, addRequestId, addTraceparent, forwardHashOf, HTTP_METHODS } from '../http-request-keys.js'
import { redactPath } from '../path-segments.js'
import type { Attributes, ContentKey, Exchange } from '../protocol.js'
import type { RouteTemplates } from '../route-templates.js'
import { grpcMethod, grpcStatusName, isGrpc, isGrpcServerError } from './grpc.js'
import type { HeaderFields } from './header-fields.js'

const METHODS = new Set(HTTP_METHODS)
/** Span name for a method that is none of them, or not known. */
const UNKNOWN_METHOD_NAME = 'HTTP'

const LONGEST_METHOD = 24
const LONGEST_PATH = 512
const LONGEST_USER_AGENT = 256
const LONGEST_HOST = 255

/** Names of error codes (RFC 9113, 7), as they become the type of an error. */
const ERROR_CODES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
] as const
export const errorCodeName = (code: number): string => ERROR_CODES[code] ?? OTHER

/** Makes the exchange of a request. @param whole every field of the block was seen */
export function describeRequest(fields: HeaderFields, whole: boolean, routes: RouteTemplates): Exchange {
  const attributes: Attributes = {}
  const path = fields.get(':path')
  const name = isGrpc(fields)
    ? describeCall(path, attributes)
    : describeHttp(fields.get(':method'), path, fields, attributes, routes)
  describeAuthority(fields.get(':authority') ?? fields.get('host'), attributes)
  return {
    protocol: 'http2',
    initiator: 'client',
    shape: 'call',
    name,
    attributes,
    clientError: undefined,
    serverError: undefined,
    contentKeys: requestKeys(fields),
    truncated: !whole || fields.unknowns > 0,
    housekeeping: false,
    requestBodyBytes: undefined,
    follower: undefined,
    responseBodyBytes: undefined,
    tag: 0,
  }
}

function describeCall(path: string | undefined, attributes: Attributes): string {
  attributes[Attribute.rpcSystemName] = 'grpc'
  const method = path === undefined ? undefined : grpcMethod(path)
  if (method === undefined) return 'grpc'
  attributes[Attribute.rpcMethod] = method
  return method
}

function describeHttp(
  method: string | undefined,
  target: string | undefined,
  fields: HeaderFields,
  attributes: Attributes,
  routes: RouteTemplates,
): string {
  const known = method !== undefined && METHODS.has(method)
  let name = known ? method : UNKNOWN_METHOD_NAME
  if (method !== undefined) {
    attributes[Attribute.httpRequestMethod] = known ? method : OTHER
    if (!known) attributes[Attribute.httpRequestMethodOriginal] = method.slice(0, LONGEST_METHOD)
  }
  if (target !== undefined && target !== '') {
    const question = target.indexOf('?')
    const path = question === -1 ? target : target.slice(0, question)
    const redacted = redactPath(path)
    attributes[Attribute.urlPath] = redacted.length > LONGEST_PATH ? redacted.slice(0, LONGEST_PATH) : redacted
    if (question !== -1) attributes[Attribute.urlQuery] = redactQuery(target.slice(question + 1))
    if (path.startsWith('/')) {
      const route = routes.template(path)
      attributes[Attribute.httpRoute] = route
      name += ` ${route}`
    }
  }
  const scheme = fields.get(':scheme')
  if (scheme === 'http' || scheme === 'https') attributes[Attribute.urlScheme] = scheme
  attributes[Attribute.networkProtocolVersion] = '2'
  const userAgent = fields.get('user-agent')
  if (userAgent !== undefined) attributes[Attribute.userAgentOriginal] = userAgent.slice(0, LONGEST_USER_AGENT)
  return name
}

const isCall = (exchange: Exchange): boolean => exchange.attributes[Attribute.rpcSystemName] !== undefined

/** Adds what a header block of the server says: the head of the final answer, or its trailers. */
export function describeResponse(exchange: Exchange, fields: HeaderFields, whole: boolean): void {
  if (!whole || fields.unknowns > 0) exchange.truncated = true
  const { status } = fields
  if (isCall(exchange)) describeCallStatus(exchange, fields.get('grpc-status'), status)
  else if (status > 0) {
    exchange.attributes[Attribute.httpResponseStatusCode] = status
    if (status >= 400) exchange.clientError = String(status)
    if (status >= 500) exchange.serverError = String(status)
  }
  addRequestIds(exchange.contentKeys, fields)
}

function describeCallStatus(exchange: Exchange, code: string | undefined, httpStatus: number): void {
  const status = code === undefined ? undefined : grpcStatusName(code)
  if (status === undefined) {
    // A proxy's answer, which no gRPC server made.
    if (httpStatus >= 400) exchange.clientError = String(httpStatus)
    if (httpStatus >= 500) exchange.serverError = String(httpStatus)
    return
  }
  exchange.attributes[Attribute.rpcStatusCode] = status
  exchange.clientError = status === 'OK' ? undefined : status
  exchange.serverError = isGrpcServerError(status) ? status : undefined
}

export function describeRequestBody(exchange: Exchange, length: number): void {
  exchange.requestBodyBytes = length
  if (length > 0 && !isCall(exchange)) exchange.attributes[Attribute.httpRequestBodySize] = length
}

export function describeResponseBody(exchange: Exchange, length: number): void {
  exchange.responseBodyBytes = length
  if (length > 0 && !isCall(exchange)) exchange.attributes[Attribute.httpResponseBodySize] = length
}

/**
 * The key of what a proxy passes on unchanged, the same as HTTP/1.x computes: method, path and query, length of the
 * body; undefined if a part is not known.
 */
export function forwardHash(fields: HeaderFields): number | undefined {
  const method = fields.get(':method')
  const path = fields.get(':path')
  return method === undefined || path === undefined ? undefined : forwardHashOf(method, path)
}

const HOST = /^(.*?)(?::(\d{1,5}))?$/

/** `server.address` and `server.port` as the client named them. */
function describeAuthority(authority: string | undefined, attributes: Attributes): void {
  if (authority === undefined || authority.length > LONGEST_HOST + 6) return
  const [, host = '', port] = HOST.exec(authority.slice(authority.lastIndexOf('@') + 1)) ?? []
  const name = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  if (name === '') return
  attributes[Attribute.serverAddress] = name
  if (port !== undefined && Number(port) > 0 && Number(port) < 65_536) attributes[Attribute.serverPort] = Number(port)
}

function requestKeys(fields: HeaderFields): ContentKey[] {
  const keys: ContentKey[] = []
  addTraceparent(keys, fields.get('traceparent') ?? '')
  addB3(keys, fields.get('b3') ?? '')
  addRequestIds(keys, fields)
  return keys
}

function addRequestIds(keys: ContentKey[], fields: HeaderFields): void {
  for (const type of ['x-request-id', 'x-openstack-request-id'] as const)
    addRequestId(keys, type, fields.get(type) ?? '')
}
