import { Attribute, OTHER } from '../attribute-names.js'
import { redactQuery } from '../http/redact-query.js'
import { addB3, addRequestId, addTraceparent, forwardHashOf, forwardKey, HTTP_METHODS } from '../http-request-keys.js'
import { redactPath } from '../path-segments.js'
import type { Attributes, ContentKey, Exchange } from '../protocol.js'
import type { RouteTemplates } from '../route-templates.js'
import type { CgiVariables } from './variables.js'

const METHODS = new Set(HTTP_METHODS)
const LONGEST_PATH = 512
const LONGEST_USER_AGENT = 256
const HOST = /^(\[[0-9a-f:.]+\]|[^:]{1,255})(?::(\d{1,5}))?$/i

/** An exchange of which nothing is known yet but that it began. @param protocol `uwsgi` or `fastcgi` */
export function createCgiExchange(protocol: string): Exchange {
  return {
    protocol,
    initiator: 'client',
    shape: 'call',
    name: 'HTTP',
    attributes: { [Attribute.networkProtocolName]: protocol },
    clientError: undefined,
    serverError: undefined,
    contentKeys: [],
    truncated: false,
    housekeeping: false,
    requestBodyBytes: undefined,
    responseBodyBytes: undefined,
    tag: 0,
    follower: undefined,
  }
}

/** What the variables say of the request, which is an HTTP request that a web server passes on. */
export function describeRequest(exchange: Exchange, variables: CgiVariables, routes: RouteTemplates): void {
  const { attributes } = exchange
  const method = variables.get('REQUEST_METHOD')
  const known = METHODS.has(method)
  attributes[Attribute.httpRequestMethod] = known ? method : OTHER
  if (!known && method !== '') attributes[Attribute.httpRequestMethodOriginal] = method.slice(0, 32)
  exchange.name = known ? method : 'HTTP'
  const uri = variables.get('REQUEST_URI')
  const { path, query } = targetOf(variables, uri)
  if (path !== '') {
    const route = routes.template(path)
    attributes[Attribute.urlPath] = redactPath(path).slice(0, LONGEST_PATH)
    attributes[Attribute.httpRoute] = route
    exchange.name += ` ${route}`
  }
  if (query !== '') attributes[Attribute.urlQuery] = redactQuery(query)
  const isSecure = variables.get('REQUEST_SCHEME') === 'https' || variables.get('HTTPS').toLowerCase() === 'on'
  attributes[Attribute.urlScheme] = isSecure ? 'https' : 'http'
  describeHost(attributes, variables)
  const userAgent = variables.get('HTTP_USER_AGENT')
  if (userAgent !== '') attributes[Attribute.userAgentOriginal] = userAgent.slice(0, LONGEST_USER_AGENT)
  const length = variables.contentLength
  if (length >= 0) exchange.requestBodyBytes = length
  if (length > 0) attributes[Attribute.httpRequestBodySize] = length
  addKeys(exchange.contentKeys, variables)
  if (uri !== '' && method !== '')
    exchange.contentKeys.push(forwardKey(forwardHashOf(method, uri), Math.max(0, length)))
}

/** The status that the application answered with. */
export function describeStatus(exchange: Exchange, status: number): void {
  if (status === 0) return
  exchange.attributes[Attribute.httpResponseStatusCode] = status
  if (status < 400) return
  exchange.clientError = String(status)
  if (status >= 500) exchange.serverError = String(status)
}

/** The request's target; where the server does not pass it on, it is put together from what it took it apart into. */
function targetOf(variables: CgiVariables, uri: string): { path: string; query: string } {
  const query = variables.get('QUERY_STRING')
  if (uri === '') {
    const path = variables.get('DOCUMENT_URI') || variables.get('SCRIPT_NAME') + variables.get('PATH_INFO')
    return { path, query }
  }
  const target = uri.replace(/^[a-z][a-z+.-]{0,8}:\/\/[^/?]*/i, '')
  const mark = target.indexOf('?')
  return mark < 0 ? { path: target, query } : { path: target.slice(0, mark), query: target.slice(mark + 1) }
}

function describeHost(attributes: Attributes, variables: CgiVariables): void {
  const [, host = '', port] = HOST.exec(variables.get('HTTP_HOST')) ?? []
  const address = host.replace(/^\[|\]$/g, '') || variables.get('SERVER_NAME')
  if (address !== '' && address !== '_') attributes[Attribute.serverAddress] = address.slice(0, 255)
  const number = Number(port ?? variables.get('SERVER_PORT'))
  if (number > 0 && number < 65_536) attributes[Attribute.serverPort] = number
}

function addKeys(keys: ContentKey[], variables: CgiVariables): void {
  addTraceparent(keys, variables.get('HTTP_TRACEPARENT'))
  addB3(keys, variables.get('HTTP_B3'))
  addRequestId(keys, 'x-request-id', variables.get('HTTP_X_REQUEST_ID'))
  addRequestId(keys, 'x-openstack-request-id', variables.get('HTTP_X_OPENSTACK_REQUEST_ID'))
}
