/** Bytes of the protocol, written from its documentation and not from the parser. */
export type Part = string | number | Uint8Array | readonly number[]

export const bytes = (...parts: readonly Part[]): Buffer =>
  Buffer.concat(
    parts.map(part =>
      typeof part === 'string' ? Buffer.from(part) : typeof part === 'number' ? Buffer.of(part) : Buffer.from(part),
    ),
  )

export const int = (value: number, size: number): number[] =>
  Array.from(
    { length: size },
    (_, k) => Math.floor((value < 0 ? value + 256 ** size : value) / 256 ** (size - 1 - k)) % 256,
  )

export const message = (type: string, ...parts: readonly Part[]): Buffer => {
  const payload = bytes(...parts)
  return bytes(type, int(payload.length + 4, 4), payload)
}

const untyped = (...parts: readonly Part[]): Buffer => {
  const payload = bytes(...parts)
  return bytes(int(payload.length + 4, 4), payload)
}

export const startup = (database = 'shop'): Buffer =>
  untyped(int(196_608, 4), `user\0ghost\0database\0${database}\0application_name\0psql\0\0`)
export const sslRequest = untyped(int(80_877_103, 4))
export const gssRequest = untyped(int(80_877_104, 4))
export const cancelRequest = untyped(int(80_877_102, 4), int(4711, 4), int(12_345, 4))

export const query = (sql: string): Buffer => message('Q', sql, 0)
export const parse = (sql: string, name = '', types: readonly number[] = []): Buffer =>
  message('P', name, 0, sql, 0, int(types.length, 2), ...types.map(type => int(type, 4)))
export const bind = (values: readonly (string | null)[], name = '', portal = ''): Buffer =>
  message(
    'B',
    portal,
    0,
    name,
    0,
    int(0, 2),
    int(values.length, 2),
    ...values.flatMap(value => (value === null ? [int(-1, 4)] : [int(Buffer.byteLength(value), 4), value])),
    int(1, 2),
    int(0, 2),
  )
export const describe = (kind: 'S' | 'P', name = ''): Buffer => message('D', kind, name, 0)
export const execute = (portal = '', rows = 0): Buffer => message('E', portal, 0, int(rows, 4))
export const closeStatement = (name: string): Buffer => message('C', 'S', name, 0)
export const sync = message('S')
export const flush = message('H')
export const terminate = message('X')
export const copyData = (data: string): Buffer => message('d', data)
export const copyDone = message('c')

export const authenticationOk = message('R', int(0, 4))
export const parameter = (name: string, value: string): Buffer => message('S', name, 0, value, 0)
export const backendKey = message('K', int(4711, 4), int(12_345, 4))
export const ready = (status: 'I' | 'T' | 'E' = 'I'): Buffer => message('Z', status)
export const rowDescription = (...columns: readonly string[]): Buffer =>
  message(
    'T',
    int(columns.length, 2),
    ...columns.flatMap(name => [name, 0, int(16_384, 4), int(1, 2), int(25, 4), int(-1, 2), int(-1, 4), int(0, 2)]),
  )
export const row = (...values: readonly string[]): Buffer =>
  message('D', int(values.length, 2), ...values.flatMap(value => [int(Buffer.byteLength(value), 4), value]))
export const complete = (tag: string): Buffer => message('C', tag, 0)
export const parameters = (...types: readonly number[]): Buffer =>
  message('t', int(types.length, 2), ...types.map(type => int(type, 4)))
export const noData = message('n')
export const parsed = message('1')
export const bound = message('2')
export const closed = message('3')
export const suspended = message('s')
export const emptyQuery = message('I')
export const copyIn = message('G', 0, int(2, 2), int(0, 2), int(0, 2))
export const copyOut = message('H', 0, int(2, 2), int(0, 2), int(0, 2))
export const error = (state: string, severity = 'ERROR'): Buffer =>
  message('E', `S${severity}\0V${severity}\0C${state}\0Mvalue "secret" is wrong\0`, 0)
export const notice = message('N', 'SNOTICE\0VNOTICE\0C00000\0Mhello\0', 0)

/** What a server says after the start-up message. */
export const welcome = bytes(
  authenticationOk,
  parameter('server_version', '15.18'),
  parameter('standard_conforming_strings', 'on'),
  backendKey,
  ready(),
)
