/** FastCGI specification, 8. Version, type, request id: 2, content length: 2, padding length, reserved. */
export const HEADER = 8
export const VERSION = 1

export const RecordType = {
  beginRequest: 1,
  abortRequest: 2,
  endRequest: 3,
  parameters: 4,
  input: 5,
  output: 6,
  errorOutput: 7,
  data: 8,
  getValues: 9,
  getValuesResult: 10,
  unknownType: 11,
} as const

const CLIENT_TYPES: ReadonlySet<number> = new Set([
  RecordType.beginRequest,
  RecordType.abortRequest,
  RecordType.parameters,
  RecordType.input,
  RecordType.data,
  RecordType.getValues,
])
const SERVER_TYPES: ReadonlySet<number> = new Set([
  RecordType.endRequest,
  RecordType.output,
  RecordType.errorOutput,
  RecordType.getValuesResult,
  RecordType.unknownType,
])

export interface RecordHeader {
  readonly type: number
  readonly request: number
  readonly length: number
  readonly padding: number
}

/** The header at `start`, of which HEADER bytes are here; undefined if it is none. */
export function readHeader(bytes: Uint8Array, start: number): RecordHeader | undefined {
  const type = bytes[start + 1]!
  if (bytes[start] !== VERSION || type < RecordType.beginRequest || type > RecordType.unknownType) return undefined
  return {
    type,
    request: (bytes[start + 2]! << 8) | bytes[start + 3]!,
    length: (bytes[start + 4]! << 8) | bytes[start + 5]!,
    padding: bytes[start + 6]!,
  }
}

export const isOfClient = (type: number): boolean => CLIENT_TYPES.has(type)
export const isOfServer = (type: number): boolean => SERVER_TYPES.has(type)

/** A length of a name or value: one byte, or four with the highest bit set. -1: it is not here. */
export function lengthAt(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return -1
  const first = bytes[at]!
  if (first < 0x80) return first
  if (at + 4 > end) return -1
  return ((first & 0x7f) << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}
