import { type Call, client, server } from './harness.js'

/** Bytes of the protocol, written from its documentation and not from the parser. */
export const bytes = (...parts: (string | number | Uint8Array | readonly number[])[]): Buffer =>
  Buffer.concat(
    parts.map(part =>
      typeof part === 'string' ? Buffer.from(part) : typeof part === 'number' ? Buffer.of(part) : Buffer.from(part),
    ),
  )

export const int = (value: number, size: number): number[] =>
  Array.from({ length: size }, (_, k) => Math.floor(value / 256 ** k) % 256)

export const packet = (sequence: number, ...parts: Parameters<typeof bytes>): Buffer => {
  const payload = bytes(...parts)
  return bytes(int(payload.length, 3), sequence, payload)
}

export const text = (value: string): Buffer => bytes(Buffer.byteLength(value), value)

const CAPABILITIES = {
  database: 0x8,
  compress: 0x20,
  localFiles: 0x80,
  protocol41: 0x200,
  ssl: 0x800,
  secure: 0x8000,
  multiResults: 0x20000,
  pluginAuth: 0x80000,
  deprecateEof: 0x1000000,
  queryAttributes: 0x8000000,
}
const OFFERED = 0xffffffff
export const LOGIN = CAPABILITIES.database | CAPABILITIES.protocol41 | CAPABILITIES.secure | CAPABILITIES.pluginAuth
export { CAPABILITIES }

export const greeting = (version: string): Call =>
  server(
    packet(
      0,
      10,
      version,
      0,
      int(77, 4),
      'abcdefgh',
      0,
      int(OFFERED & 0xffff, 2),
      45,
      int(2, 2),
      int(0xffff, 2),
      21,
      new Uint8Array(10),
      'ijklmnopqrst',
      0,
      'mysql_native_password',
      0,
    ),
  )

export const login = (capabilities: number, database = 'shop'): Call =>
  client(
    packet(
      1,
      int(capabilities, 4),
      int(0x1000000, 4),
      45,
      new Uint8Array(23),
      'root',
      0,
      20,
      'SECRETSECRETSECRETSE',
      (capabilities & CAPABILITIES.database) !== 0 ? bytes(database, 0) : '',
      'mysql_native_password',
      0,
    ),
  )

export const ok = (sequence: number, status = 2, affected = 0): Buffer =>
  packet(sequence, 0, affected, 0, int(status, 2), int(0, 2))
export const eof = (sequence: number, status = 2): Buffer => packet(sequence, 0xfe, int(0, 2), int(status, 2))
/** What ends rows with CLIENT_DEPRECATE_EOF. */
export const okAsEof = (sequence: number, status = 2): Buffer => packet(sequence, 0xfe, 0, 0, int(status, 2), int(0, 2))
export const error = (sequence: number, code: number, message: string): Buffer =>
  packet(sequence, 0xff, int(code, 2), '#42S02', message)

export const column = (sequence: number, name: string): Buffer =>
  packet(
    sequence,
    text('def'),
    text('shop'),
    text('items'),
    text('items'),
    text(name),
    text(name),
    12,
    int(45, 2),
    int(255, 4),
    253,
    int(0, 2),
    0,
    int(0, 2),
  )

export const query = (sql: string): Call => client(packet(0, 3, sql))

export interface ResultSetOptions {
  readonly deprecateEof?: boolean
  readonly first?: number
  readonly status?: number
}

/** A result set of two columns; sequence numbers go on from `first`. */
export function resultSet(rows: readonly (readonly [string, string])[], options: ResultSetOptions = {}): Buffer {
  const { deprecateEof = false, first = 1, status = 2 } = options
  let sequence = first
  const next = (): number => sequence++ & 0xff
  const parts = [packet(next(), 2), column(next(), 'id'), column(next(), 'name')]
  if (!deprecateEof) parts.push(eof(next(), status))
  for (const row of rows) parts.push(packet(next(), text(row[0]), text(row[1])))
  parts.push(deprecateEof ? okAsEof(next(), status) : eof(next(), status))
  return bytes(...parts)
}
