import { text, uint32, untilNul } from './messages.js'

/** Codes in place of a version: https://www.postgresql.org/docs/current/protocol-message-formats.html */
export const Code = { cancel: 80_877_102, ssl: 80_877_103, gssEncryption: 80_877_104 } as const

/** Length and code. */
export const STARTUP_HEADER = 8
/** The server's own limit (MAX_STARTUP_PACKET_LENGTH). */
export const STARTUP_LIMIT = 10_000

/** What a client's message without a type asks for; undefined: it is none. */
export type Opening = 'startup' | 'cancel' | 'ssl' | 'gss'

export function openingOf(bytes: Uint8Array, i: number): Opening | undefined {
  const length = uint32(bytes, i)
  const code = uint32(bytes, i + 4)
  if (code === Code.ssl) return length === STARTUP_HEADER ? 'ssl' : undefined
  if (code === Code.gssEncryption) return length === STARTUP_HEADER ? 'gss' : undefined
  // Until version 3.2 a key has four bytes; up to 256 since.
  if (code === Code.cancel) return length >= 16 && length <= 268 ? 'cancel' : undefined
  return code >>> 16 === 3 && (code & 0xffff) <= 9_999 && length > STARTUP_HEADER && length <= STARTUP_LIMIT
    ? 'startup'
    : undefined
}

/** Database that a startup message in bytes[start, end) names: pairs of texts, up to an empty name. Default: the user's name. */
export function databaseOf(bytes: Uint8Array, start: number, end: number): string | undefined {
  let user: string | undefined
  let i = start + STARTUP_HEADER
  while (i < end && bytes[i] !== 0) {
    const nameEnd = untilNul(bytes, i, end)
    const valueEnd = untilNul(bytes, nameEnd + 1, end)
    if (valueEnd >= end) return undefined
    const name = text(bytes, i, nameEnd)
    if (name === 'database') return text(bytes, nameEnd + 1, valueEnd)
    if (name === 'user') user = text(bytes, nameEnd + 1, valueEnd)
    i = valueEnd + 1
  }
  return i < end ? user : undefined
}
