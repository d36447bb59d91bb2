import { latin1 } from '../latin1.js'

/** Longest value that is kept; a path or a query is cut there. */
const LONGEST_VALUE = 4096
const LONGEST_NAME = 40

/** Variables that describe an operation (RFC 3875, 4.1), and headers that identify it. All others are passed over. */
const WANTED = new Set([
  'REQUEST_METHOD',
  'REQUEST_URI',
  'DOCUMENT_URI',
  'SCRIPT_NAME',
  'PATH_INFO',
  'QUERY_STRING',
  'CONTENT_LENGTH',
  'REQUEST_SCHEME',
  'HTTPS',
  'SERVER_NAME',
  'SERVER_PORT',
  'SERVER_PROTOCOL',
  'HTTP_HOST',
  'HTTP_USER_AGENT',
  'HTTP_TRACEPARENT',
  'HTTP_B3',
  'HTTP_X_REQUEST_ID',
  'HTTP_X_OPENSTACK_REQUEST_ID',
])

/** What a web server tells an application of one request, as far as it is wanted. */
export class CgiVariables {
  readonly #values = new Map<string, string>()
  /** Names that were seen, wanted or not. */
  count = 0

  add(bytes: Uint8Array, nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    this.count++
    if (nameEnd - nameStart > LONGEST_NAME) return
    const name = latin1(bytes, nameStart, nameEnd)
    if (!WANTED.has(name)) return
    this.#values.set(name, latin1(bytes, valueStart, Math.min(valueEnd, valueStart + LONGEST_VALUE)))
  }

  /** Empty where it is not there. */
  get(name: string): string {
    return this.#values.get(name) ?? ''
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  /** Bytes of the request's body: 0 if there is none; -1 if the variable is not a number. */
  get contentLength(): number {
    const text = this.get('CONTENT_LENGTH')
    if (text === '') return 0
    return /^\d{1,15}$/.test(text) ? Number(text) : -1
  }
}

/** Whether bytes[start, end) are the name of such a variable, or its beginning: capitals, digits and underscores. */
export function isVariableName(bytes: Uint8Array, start: number, end: number): boolean {
  if (start === end) return false
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    const isCapital = byte >= 0x41 && byte <= 0x5a
    const isOther = byte === 0x5f || (byte >= 0x30 && byte <= 0x39)
    if (!isCapital && !(isOther && i > start)) return false
  }
  return true
}
