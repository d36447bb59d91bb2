/** Bytes of the protocol, written from its documentation and not from the parser. */
export type Part = string | number | Uint8Array | readonly number[]

export const bytes = (...parts: readonly Part[]): Buffer =>
  Buffer.concat(
    parts.map(part =>
      typeof part === 'string' ? Buffer.from(part) : typeof part === 'number' ? Buffer.of(part) : Buffer.from(part),
    ),
  )

export const int = (value: number | bigint, size: number): number[] => {
  const wide = BigInt.asUintN(8 * size, BigInt(value))
  return Array.from({ length: size }, (_, k) => Number((wide >> BigInt(8 * (size - 1 - k))) & 0xffn))
}

export const uvarint = (value: number): number[] => {
  const out: number[] = []
  for (; value > 0x7f; value = Math.floor(value / 128)) out.push((value % 128) + 0x80)
  return [...out, value]
}
/** Zigzag. */
export const varint = (value: number): number[] => uvarint(value >= 0 ? value * 2 : -value * 2 - 1)

export const text = (value: string | null): Buffer =>
  value === null ? bytes(int(-1, 2)) : bytes(int(Buffer.byteLength(value), 2), value)
export const compactText = (value: string | null): Buffer =>
  value === null ? bytes(0) : bytes(uvarint(Buffer.byteLength(value) + 1), value)
export const uuid = (value: string): Buffer => Buffer.from(value.replaceAll('-', ''), 'hex')

export interface RequestOptions {
  readonly key: number
  readonly version: number
  readonly correlationId: number
  readonly clientId?: string | null
  /** Header version 2: tagged fields. */
  readonly flexible?: boolean
}

export const request = (
  { key, version, correlationId, clientId = 'orders-1', flexible = false }: RequestOptions,
  ...body: readonly Part[]
): Buffer => {
  const header = bytes(int(key, 2), int(version, 2), int(correlationId, 4), text(clientId), flexible ? [0] : [])
  const whole = bytes(header, ...body)
  return bytes(int(whole.length, 4), whole)
}

export const response = (correlationId: number, ...body: readonly Part[]): Buffer => {
  const whole = bytes(int(correlationId, 4), ...body)
  return bytes(int(whole.length, 4), whole)
}

const CRC_TABLE = Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0x82f63b78 : n >>> 1
  return n >>> 0
})
const crc32c = (data: Uint8Array): number => {
  let crc = 0xffffffff
  for (const byte of data) crc = CRC_TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

export interface RecordOptions {
  readonly key?: string | null
  readonly value?: string | null
  readonly headers?: readonly (readonly [string, string | null])[]
}

const nullable = (value: string | null): Buffer =>
  value === null ? bytes(varint(-1)) : bytes(varint(Buffer.byteLength(value)), value)

export const record = (index: number, { key = null, value = 'secret', headers = [] }: RecordOptions = {}): Buffer => {
  const body = bytes(
    0,
    varint(index),
    varint(index),
    nullable(key),
    nullable(value),
    varint(headers.length),
    ...headers.flatMap(([name, content]) => [nullable(name), nullable(content)]),
  )
  return bytes(varint(body.length), body)
}

export interface BatchOptions {
  readonly baseOffset?: number
  readonly leaderEpoch?: number
  /** Codec in bits 0 to 2, 0x10 transactional, 0x20 control. */
  readonly attributes?: number
  readonly timestamp?: number
  readonly producerId?: number
  readonly baseSequence?: number
  /** Records as they are packed; default: one after the other. */
  readonly packed?: Uint8Array
}

export const batch = (records: readonly Buffer[], options: BatchOptions = {}): Buffer => {
  const { baseOffset = 0, leaderEpoch = -1, attributes = 0, timestamp = 1_790_000_000_000 } = options
  const { producerId = -1, baseSequence = -1 } = options
  const covered = bytes(
    int(attributes, 2),
    int(records.length - 1, 4),
    int(timestamp, 8),
    int(timestamp, 8),
    int(producerId, 8),
    int(producerId < 0 ? -1 : 0, 2),
    int(baseSequence, 4),
    int(records.length, 4),
    options.packed ?? bytes(...records),
  )
  const behindLength = bytes(int(leaderEpoch, 4), 2, int(crc32c(covered), 4), covered)
  return bytes(int(baseOffset, 8), int(behindLength.length, 4), behindLength)
}

/** A message of magic 1; the CRC-32 is not checked by anybody here. */
export const oldMessage = (offset: number, value: Uint8Array | string, codec = 0): Buffer => {
  const content = bytes(
    int(0x1234, 4),
    1,
    codec,
    int(1_790_000_000_000, 8),
    int(-1, 4),
    int(Buffer.byteLength(value), 4),
    value,
  )
  return bytes(int(offset, 8), int(content.length, 4), content)
}
