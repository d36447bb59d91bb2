/** One operation of the binary protocol, as the text protocol names it. */
export interface BinaryCommand {
  readonly name: string
  /** `name`, or `name ?` with a key. */
  readonly text: string
  readonly hasKey: boolean
  /** Bytes of extras in a request; -1: none or as many as it likes. */
  readonly extras: number
  /** get: a value is a hit, silence a miss; store and other: silence is success. */
  readonly kind: 'get' | 'other' | 'stat'
  /** The server answers only what is not silence (hits of gets, failures of all others). */
  readonly quiet: boolean
  readonly housekeeping: boolean
}

const COMMANDS: (BinaryCommand | undefined)[] = new Array(256).fill(undefined)

function register(
  loud: number,
  quiet: number | undefined,
  name: string,
  hasKey: boolean,
  extras: number,
  facts: { readonly kind?: BinaryCommand['kind']; readonly housekeeping?: boolean } = {},
): void {
  const { kind = 'other', housekeeping = false } = facts
  const text = hasKey ? `${name} ?` : name
  COMMANDS[loud] = { name, text, hasKey, extras, kind, quiet: false, housekeeping }
  if (quiet !== undefined) COMMANDS[quiet] = { name, text, hasKey, extras, kind, quiet: true, housekeeping }
}

// Memcached 1.6, protocol_binary.h; https://docs.memcached.org/protocols/binary/
register(0x00, 0x09, 'get', true, 0, { kind: 'get' })
register(0x0c, 0x0d, 'get', true, 0, { kind: 'get' })
register(0x01, 0x11, 'set', true, 8)
register(0x02, 0x12, 'add', true, 8)
register(0x03, 0x13, 'replace', true, 8)
register(0x04, 0x14, 'delete', true, 0)
register(0x05, 0x15, 'incr', true, 20)
register(0x06, 0x16, 'decr', true, 20)
register(0x07, 0x17, 'quit', false, 0, { housekeeping: true })
register(0x08, 0x18, 'flush_all', false, -1)
register(0x0a, undefined, 'noop', false, 0, { housekeeping: true })
register(0x0b, undefined, 'version', false, 0, { housekeeping: true })
register(0x0e, 0x19, 'append', true, 0)
register(0x0f, 0x1a, 'prepend', true, 0)
register(0x10, undefined, 'stats', false, 0, { kind: 'stat' })
register(0x1b, undefined, 'verbosity', false, 4, { housekeeping: true })
register(0x1c, undefined, 'touch', true, 4)
register(0x1d, 0x1e, 'gat', true, 4, { kind: 'get' })
register(0x23, 0x24, 'gat', true, 4, { kind: 'get' })
register(0x20, undefined, 'sasl_list_mechs', false, 0, { housekeeping: true })
register(0x21, undefined, 'sasl_auth', true, 0, { housekeeping: true })
register(0x22, undefined, 'sasl_step', true, 0, { housekeeping: true })

/** undefined: no such operation. */
export const commandOf = (opcode: number): BinaryCommand | undefined => COMMANDS[opcode]

/** Status of an answer, as the text protocol says it where it does. */
const STATUS = new Map<number, string>([
  [0x0001, 'NOT_FOUND'],
  [0x0002, 'EXISTS'],
  [0x0003, 'TOO_LARGE'],
  [0x0004, 'INVALID_ARGUMENTS'],
  [0x0005, 'NOT_STORED'],
  [0x0006, 'NON_NUMERIC'],
  [0x0007, 'WRONG_VBUCKET'],
  [0x0008, 'AUTH_ERROR'],
  [0x0020, 'AUTH_ERROR'],
  [0x0021, 'AUTH_CONTINUE'],
  [0x0081, 'UNKNOWN_COMMAND'],
  [0x0082, 'OUT_OF_MEMORY'],
  [0x0083, 'NOT_SUPPORTED'],
  [0x0084, 'INTERNAL_ERROR'],
  [0x0085, 'BUSY'],
  [0x0086, 'TEMPORARY_FAILURE'],
])
export const Status = { ok: 0, notFound: 1, exists: 2, notStored: 5, authContinue: 0x21 } as const

export const statusName = (status: number): string => STATUS.get(status) ?? `0x${status.toString(16).padStart(4, '0')}`
export const isKnownStatus = (status: number): boolean => status === 0 || STATUS.has(status)
/** Not errors, but worth telling from success. */
export const isRefusal = (status: number): boolean =>
  status === Status.notFound ||
  status === Status.exists ||
  status === Status.notStored ||
  status === Status.authContinue
/** The server could not do what it was asked. */
export const isServersFault = (status: number): boolean => status >= 0x82
