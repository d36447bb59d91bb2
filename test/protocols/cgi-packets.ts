/** Packets of uwsgi and records of FastCGI put together by hand, for tests. */
type Variables = Readonly<Record<string, string>>

const latin1 = (text: string): number[] => [...Buffer.from(text, 'latin1')]
const little = (value: number): number[] => [value & 0xff, value >> 8]
const big = (value: number): number[] => [value >> 8, value & 0xff]

export const VARIABLES: Variables = {
  QUERY_STRING: 'token=secret',
  REQUEST_METHOD: 'GET',
  CONTENT_TYPE: '',
  CONTENT_LENGTH: '',
  REQUEST_URI: '/items/4711?token=secret',
  PATH_INFO: '/items/4711',
  DOCUMENT_ROOT: '/usr/share/nginx/html',
  SERVER_PROTOCOL: 'HTTP/1.1',
  REQUEST_SCHEME: 'http',
  REMOTE_ADDR: '127.0.0.1',
  REMOTE_PORT: '40000',
  SERVER_PORT: '8080',
  SERVER_NAME: 'shop.example',
  HTTP_HOST: 'shop.example:8080',
  HTTP_USER_AGENT: 'curl/7.88.1',
  HTTP_COOKIE: 'session=secret',
  HTTP_AUTHORIZATION: 'Bearer secret',
}

export function uwsgiPacket(variables: Variables, body = '', modifier = 0): Uint8Array {
  const pairs = Object.entries(variables).flatMap(([name, value]) => [
    ...little(name.length),
    ...latin1(name),
    ...little(value.length),
    ...latin1(value),
  ])
  return Uint8Array.from([modifier, ...little(pairs.length), 0, ...pairs, ...latin1(body)])
}

export function record(type: number, content: Uint8Array | string = '', id = 1): Uint8Array {
  const bytes = typeof content === 'string' ? latin1(content) : [...content]
  const padding = (8 - (bytes.length % 8)) % 8
  return Uint8Array.from([
    1,
    type,
    ...big(id),
    ...big(bytes.length),
    padding,
    0,
    ...bytes,
    ...new Array(padding).fill(0),
  ])
}

const lengthBytes = (length: number): number[] =>
  length < 128 ? [length] : [0x80 | (length >> 24), (length >> 16) & 255, (length >> 8) & 255, length & 255]

export const pairs = (variables: Variables): Uint8Array =>
  Uint8Array.from(
    Object.entries(variables).flatMap(([name, value]) => [
      ...lengthBytes(name.length),
      ...lengthBytes(value.length),
      ...latin1(name),
      ...latin1(value),
    ]),
  )

export const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))

/** Role responder; `keep`: the connection stays open. */
export const begin = (id = 1, keep = false): Uint8Array =>
  record(1, Uint8Array.from([0, 1, keep ? 1 : 0, 0, 0, 0, 0, 0]), id)

export const end = (id = 1, status = 0): Uint8Array => record(3, Uint8Array.from([0, 0, 0, 0, status, 0, 0, 0]), id)

/** A whole request: variables, input, and their empty records. */
export const request = (variables: Variables, body = '', id = 1, keep = false): Uint8Array =>
  joined(
    begin(id, keep),
    record(4, pairs(variables), id),
    record(4, '', id),
    ...(body === '' ? [] : [record(5, body, id)]),
    record(5, '', id),
  )
