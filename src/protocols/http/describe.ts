import { Attribute, OTHER } from '../attribute-names.js'
import {
  addB3,
  addRequestId,
  addTraceparent,
  FORWARD_HASH_START,
  finishForwardHash,
  forwardKey,
  HTTP_METHODS,
  hashByte,
  LONGEST_REQUEST_ID,
  TRACEPARENT_LENGTH,
} from '../http-request-keys.js'
import { latin1 } from '../latin1.js'
import { redactPath } from '../path-segments.js'
import type { Attributes, ContentKey, Exchange } from '../protocol.js'
import { createRepeatedText } from '../repeated-text.js'
import { createAttributesMaker } from '../roomy-attributes.js'
import type { RouteTemplates } from '../route-templates.js'
import { Byte, isDigit, lowerCaseWord } from './bytes.js'
import { Header, type MessageHead } from './parse.js'
import { redactQuery } from './redact-query.js'

const METHODS = HTTP_METHODS.map(name => ({ name, word: new Uint8Array(Buffer.from(name, 'latin1')) }))
/** Span name for a method that is none of them. */
const UNKNOWN_METHOD_NAME = 'HTTP'

const LONGEST_PATH = 512
const LONGEST_USER_AGENT = 256
const LONGEST_B3 = 70
const LONGEST_HOST = 255
const VERSIONS = Array.from({ length: 10 }, (_, minor) => `1.${minor}`)

const makeAttributes = createAttributesMaker()
const hosts = createRepeatedText(LONGEST_HOST)
const userAgents = createRepeatedText(LONGEST_USER_AGENT)
/** A service has few, or has many that are seen once. */
const paths = createRepeatedText(128, 256)
const queries = createRepeatedText(64, 64, redactQuery)

/** Where the parts of a target (RFC 9112, 3.2) lie; of a path that is not there, start and end are the same. */
interface Target {
  scheme: string
  hostStart: number
  hostEnd: number
  pathStart: number
  pathEnd: number
  queryStart: number
  queryEnd: number
}
const target: Target = {
  scheme: 'http',
  hostStart: 0,
  hostEnd: 0,
  pathStart: 0,
  pathEnd: 0,
  queryStart: 0,
  queryEnd: 0,
}

/** Makes the exchange of a request whose head lies at `start`. @param bodyBytes of a request that is whole, if known */
export function describeRequest(
  head: MessageHead,
  bytes: Uint8Array,
  start: number,
  routes: RouteTemplates,
  isWhole: boolean,
  bodyBytes?: number,
): Exchange {
  const method = findMethod(bytes, start, head.methodEnd)
  const attributes = makeAttributes()
  attributes[Attribute.httpRequestMethod] = method ?? OTHER
  if (method === undefined) attributes[Attribute.httpRequestMethodOriginal] = latin1(bytes, start, head.methodEnd)
  let name = method ?? UNKNOWN_METHOD_NAME
  splitTarget(bytes, head, method === 'CONNECT')
  // Of a target that is cut only what is known to be whole counts: a path in front of a question mark.
  const pathIsWhole = head.wholeStartLine || target.queryStart > 0
  if (target.pathStart < target.pathEnd && pathIsWhole) {
    const path = paths.read(bytes, target.pathStart, target.pathEnd)
    const redacted = redactPath(path)
    attributes[Attribute.urlPath] = redacted.length > LONGEST_PATH ? redacted.slice(0, LONGEST_PATH) : redacted
    if (bytes[target.pathStart] === Byte.slash) {
      const route = routes.template(path)
      attributes[Attribute.httpRoute] = route
      name = nameOf(name, route)
    }
  }
  if (target.queryStart > 0 && head.wholeStartLine) {
    attributes[Attribute.urlQuery] = queryOf(bytes, target.queryStart, target.queryEnd)
  }
  attributes[Attribute.urlScheme] = target.scheme
  if (head.wholeStartLine) attributes[Attribute.networkProtocolVersion] = VERSIONS[head.minorVersion]!
  describeHost(head, bytes, attributes)
  if (head.has(Header.userAgent)) {
    const at = head.start(Header.userAgent)
    const userAgent = userAgents.read(bytes, at, Math.min(head.stop(Header.userAgent), at + LONGEST_USER_AGENT))
    if (userAgent !== '') attributes[Attribute.userAgentOriginal] = userAgent
  }
  const forward = bodyBytes === undefined ? undefined : forwardKey(forwardHash(head, bytes, start), bodyBytes)
  return {
    protocol: 'http',
    initiator: 'client',
    shape: 'call',
    name,
    attributes,
    clientError: undefined,
    serverError: undefined,
    contentKeys: requestKeys(head, bytes, forward),
    truncated: !isWhole,
    housekeeping: false,
    requestBodyBytes: undefined,
    follower: undefined,
    responseBodyBytes: undefined,
    tag: 0,
  }
}

/** True where the route alone does not say what the request is for, but its body does. */
export function bodyTells(exchange: Exchange, routes: RouteTemplates): boolean {
  const route = exchange.attributes[Attribute.httpRoute]
  return routes.bodyTells !== undefined && typeof route === 'string' && routes.bodyTells(route)
}

/** Adds what the first bytes of the request's body, bytes[start, end), say. */
export function describeOperation(
  exchange: Exchange,
  routes: RouteTemplates,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const operation = routes.operationIn?.(bytes, start, end)
  if (operation !== undefined) exchange.name = `${exchange.name} ${operation}`
}

/** The query without its values. Where it is one key and its value, what becomes of it follows from the key. */
function queryOf(bytes: Uint8Array, start: number, end: number): string {
  let equals = -1
  for (let i = start; i < end; i++) {
    if (bytes[i] === Byte.ampersand) return redactQuery(latin1(bytes, start, end))
    if (equals === -1 && bytes[i] === Byte.equals) equals = i
  }
  return queries.read(bytes, start, equals === -1 ? end : equals + 1)
}

let namedMethod = ''
let namedRoute = ''
let lastName = ''

/** Span names repeat: one text for all spans in a row that have the same. */
function nameOf(method: string, route: string): string {
  if (method !== namedMethod || route !== namedRoute) {
    namedMethod = method
    namedRoute = route
    lastName = `${method} ${route}`
  }
  return lastName
}

/** Adds what the response says. */
export function describeResponse(exchange: Exchange, head: MessageHead, bytes: Uint8Array): void {
  if (head.status === 0) return
  exchange.attributes[Attribute.httpResponseStatusCode] = head.status
  if (head.status >= 400) {
    const status = String(head.status)
    exchange.clientError = status
    if (head.status >= 500) exchange.serverError = status
  }
  addRequestIds(exchange.contentKeys, head, bytes)
}

export function describeRequestBody(exchange: Exchange, length: number): void {
  exchange.requestBodyBytes = length
  if (length > 0) exchange.attributes[Attribute.httpRequestBodySize] = length
}

export function describeResponseBody(exchange: Exchange, length: number): void {
  exchange.responseBodyBytes = length
  if (length > 0) exchange.attributes[Attribute.httpResponseBodySize] = length
}

/**
 * Hash of what a proxy passes on unchanged of the request described last: method, path and query. It goes into the
 * key together with the length of the body, which may be known later.
 */
export function forwardHash(head: MessageHead, bytes: Uint8Array, start: number): number {
  const hash = hashBytes(FORWARD_HASH_START, bytes, start, head.methodEnd)
  return finishForwardHash(hashBytes(hash, bytes, target.pathStart, Math.max(target.pathEnd, target.queryEnd)))
}

function hashBytes(hash: number, bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) hash = hashByte(hash, bytes[i]!)
  return hash
}

function findMethod(bytes: Uint8Array, start: number, end: number): string | undefined {
  for (const { name, word } of METHODS) {
    if (word.length !== end - start || bytes[start] !== word[0]) continue
    let i = 1
    while (i < word.length && bytes[start + i] === word[i]) i++
    if (i === word.length) return name
  }
  return undefined
}

const SCHEME_END = lowerCaseWord('://')

/** Finds origin-form, absolute-form, authority-form and asterisk-form in the target; user information is left out. */
function splitTarget(bytes: Uint8Array, head: MessageHead, isAuthority: boolean): void {
  const { targetStart: start, targetEnd: end } = head
  target.scheme = 'http'
  target.hostStart = target.hostEnd = 0
  target.queryStart = target.queryEnd = 0
  let path = start
  if (isAuthority) {
    target.hostStart = start
    target.hostEnd = end
    path = end
  } else if (bytes[start] !== Byte.slash) {
    const schemeEnd = findSchemeEnd(bytes, start, end)
    if (schemeEnd !== -1) {
      if (schemeEnd - start === 5) target.scheme = 'https'
      path = schemeEnd + SCHEME_END.length
      target.hostStart = path
      while (path < end && bytes[path] !== Byte.slash && bytes[path] !== Byte.question) {
        if (bytes[path] === Byte.at) target.hostStart = path + 1
        path++
      }
      target.hostEnd = path
    }
  }
  target.pathStart = path
  while (path < end && bytes[path] !== Byte.question && bytes[path] !== Byte.numberSign) path++
  target.pathEnd = path
  if (path === end || bytes[path] !== Byte.question) return
  target.queryStart = ++path
  while (path < end && bytes[path] !== Byte.numberSign) path++
  target.queryEnd = path
}

/** Index of `://` behind a scheme of at most eight letters; -1 if there is none. */
function findSchemeEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < Math.min(end - 2, start + 9); i++) {
    if (bytes[i] !== Byte.colon) continue
    return bytes[i + 1] === Byte.slash && bytes[i + 2] === Byte.slash ? i : -1
  }
  return -1
}

/** `server.address` and `server.port` as the client named them (RFC 9110, 7.2). */
function describeHost(head: MessageHead, bytes: Uint8Array, attributes: Attributes): void {
  let start = target.hostStart
  let end = target.hostEnd
  if (start === end) {
    if (!head.has(Header.host)) return
    start = head.start(Header.host)
    end = head.stop(Header.host)
  } else if (!head.wholeStartLine) {
    return
  }
  let portStart = end
  while (portStart > start && isDigit(bytes[portStart - 1]!)) portStart--
  let hostEnd = end
  if (portStart > start && portStart < end && bytes[portStart - 1] === Byte.colon) {
    hostEnd = portStart - 1
    const port = portAt(bytes, portStart, end)
    if (port > 0 && port < 65_536) attributes[Attribute.serverPort] = port
  }
  if (bytes[start] === Byte.openBracket && bytes[hostEnd - 1] === Byte.closeBracket) {
    start++
    hostEnd--
  }
  if (start < hostEnd && hostEnd - start <= LONGEST_HOST) {
    attributes[Attribute.serverAddress] = hosts.read(bytes, start, hostEnd)
  }
}

/** The decimal number in bytes[start, end), all digits; anything from 100,000 on if it is that long. */
function portAt(bytes: Uint8Array, start: number, end: number): number {
  let port = 0
  for (let i = start; i < end && port < 100_000; i++) port = port * 10 + bytes[i]! - Byte.zero
  return port
}

function value(head: MessageHead, bytes: Uint8Array, header: number, longest: number): string {
  if (!head.has(header)) return ''
  const start = head.start(header)
  return latin1(bytes, start, Math.min(head.stop(header), start + longest))
}

/** Headers that identify the request. */
const KEYED = [Header.traceparent, Header.b3, Header.requestId, Header.openstackRequestId]
const KEYED_BITS = KEYED.reduce((bits, header) => bits | (1 << header), 0)

function requestKeys(head: MessageHead, bytes: Uint8Array, forward: ContentKey | undefined): ContentKey[] {
  // A list of just that one: one that grows has room for sixteen more.
  if ((head.present & KEYED_BITS) === 0) return forward === undefined ? [] : [forward]
  const keys: ContentKey[] = []
  if (head.has(Header.traceparent)) addTraceparent(keys, value(head, bytes, Header.traceparent, TRACEPARENT_LENGTH))
  if (head.has(Header.b3)) addB3(keys, value(head, bytes, Header.b3, LONGEST_B3))
  addRequestIds(keys, head, bytes)
  if (forward !== undefined) keys.push(forward)
  return keys
}

function addRequestIds(keys: ContentKey[], head: MessageHead, bytes: Uint8Array): void {
  if ((head.present & KEYED_BITS) === 0) return
  addRequestId(keys, 'x-request-id', value(head, bytes, Header.requestId, LONGEST_REQUEST_ID))
  addRequestId(keys, 'x-openstack-request-id', value(head, bytes, Header.openstackRequestId, LONGEST_REQUEST_ID))
}
