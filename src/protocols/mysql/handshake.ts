import { encodedInteger, HEADER, lengthOfInteger, textUntilNul, uint16, uint32 } from './packets.js'

/** https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html */
export const Capability = {
  connectWithDb: 1 << 3,
  compress: 1 << 5,
  protocol41: 1 << 9,
  ssl: 1 << 11,
  secureConnection: 1 << 15,
  pluginAuth: 1 << 19,
  encodedAuthData: 1 << 21,
  deprecateEof: 1 << 24,
  zstd: 1 << 26,
  queryAttributes: 1 << 27,
} as const

/** Capabilities with which everything after the login is compressed. */
export const COMPRESSION = Capability.compress | Capability.zstd

export interface Greeting {
  readonly system: 'mysql' | 'mariadb'
  readonly capabilities: number
}

/** Most of a greeting or login packet that is looked at. */
export const HANDSHAKE_LIMIT = 1024

/** The payload of a version 10 greeting in bytes[start, end); undefined if it is something else. */
export function readGreeting(bytes: Uint8Array, start: number, end: number): Greeting | undefined {
  if (end - start < 16 || bytes[start] !== 0x0a) return undefined
  const version = textUntilNul(bytes, start + 1, end)
  // Version, NUL, thread id, 8 bytes of scramble, filler; then what the server can do, in two halves.
  const at = start + 1 + Buffer.byteLength(version) + 1 + 4 + 8 + 1
  if (at + 2 > end) return undefined
  let capabilities = uint16(bytes, at)
  if (at + 7 <= end) capabilities |= uint16(bytes, at + 5) << 16
  return { system: /mariadb/i.test(version) ? 'mariadb' : 'mysql', capabilities }
}

export interface Login {
  readonly capabilities: number
  readonly database: string | undefined
  /** The packet only asks for TLS: what follows is encrypted. */
  readonly startsTls: boolean
}

/** A login's payload of `length` bytes, of which bytes[start, end) are here. User and password are not looked at. */
export function readLogin(bytes: Uint8Array, start: number, end: number, length: number): Login | undefined {
  if (end - start < 4) return undefined
  const low = uint16(bytes, start)
  if ((low & Capability.protocol41) === 0) {
    return { capabilities: low, database: undefined, startsTls: (low & Capability.ssl) !== 0 && length <= 5 }
  }
  const capabilities = uint32(bytes, start)
  if (length === 32) return { capabilities, database: undefined, startsTls: (capabilities & Capability.ssl) !== 0 }
  return { capabilities, database: databaseOf(bytes, start + 32, end, capabilities), startsTls: false }
}

/** user NUL, authentication data, database NUL */
function databaseOf(bytes: Uint8Array, start: number, end: number, capabilities: number): string | undefined {
  if ((capabilities & Capability.connectWithDb) === 0) return undefined
  let i = afterNul(bytes, start, end)
  if ((capabilities & Capability.encodedAuthData) !== 0) {
    const length = encodedInteger(bytes, i, end)
    if (length < 0) return undefined
    i += lengthOfInteger(bytes[i]!) + length
  } else if ((capabilities & Capability.secureConnection) !== 0) {
    if (i >= end) return undefined
    i += 1 + bytes[i]!
  } else i = afterNul(bytes, i, end)
  return isWhole(bytes, i, end) ? textUntilNul(bytes, i, end) || undefined : undefined
}

/** COM_CHANGE_USER: user NUL, length + authentication data, database NUL. */
export function databaseOfChangeUser(bytes: Uint8Array, start: number, end: number): string | undefined {
  const i = afterNul(bytes, start + HEADER + 1, end)
  if (i >= end) return undefined
  const database = i + 1 + bytes[i]!
  return isWhole(bytes, database, end) ? textUntilNul(bytes, database, end) || undefined : undefined
}

function afterNul(bytes: Uint8Array, i: number, end: number): number {
  while (i < end && bytes[i] !== 0) i++
  return i + 1
}

/** A NUL ends what begins at bytes[i]. */
function isWhole(bytes: Uint8Array, i: number, end: number): boolean {
  return afterNul(bytes, i, end) <= end
}
