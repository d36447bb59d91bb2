import { APIS, type Api, NEWER } from './apis.js'

/** Length, api key, version, correlation id and the length of the client id. */
export const REQUEST_HEADER = 14
/** Brokers take 100 MiB at most (socket.request.max.bytes). */
const LONGEST = 104_857_600
const LONGEST_CLIENT_ID = 1024

/** Request header as far as it says whether it can be one. https://kafka.apache.org/protocol#protocol_messages */
export interface RequestHeader {
  api: Api
  version: number
  /** Of the whole message, its length field included. */
  total: number
  correlationId: number
  /** Bytes of the client id; -1: it is null. */
  clientIdLength: number
}

const header: RequestHeader = { api: APIS[0]!, version: 0, total: 0, correlationId: 0, clientIdLength: 0 }

/** The header at bytes[i], of which REQUEST_HEADER bytes are there; undefined if it is none. Valid until the next call. */
export function readRequestHeader(bytes: Uint8Array, i: number): RequestHeader | undefined {
  const length = ((bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!) >>> 0
  const api = APIS[(bytes[i + 4]! << 8) | bytes[i + 5]!]
  const version = (bytes[i + 6]! << 8) | bytes[i + 7]!
  const correlationId = (bytes[i + 8]! << 24) | (bytes[i + 9]! << 16) | (bytes[i + 10]! << 8) | bytes[i + 11]!
  const clientIdLength = ((bytes[i + 12]! << 24) >> 16) | bytes[i + 13]!
  if (api === undefined || version > api.newest + NEWER || length > LONGEST) return undefined
  if (correlationId < 0 || clientIdLength < -1 || clientIdLength > LONGEST_CLIENT_ID) return undefined
  if (length < REQUEST_HEADER - 4 + Math.max(0, clientIdLength)) return undefined
  header.api = api
  header.version = version
  header.total = 4 + length
  header.correlationId = correlationId
  header.clientIdLength = clientIdLength
  return header
}
