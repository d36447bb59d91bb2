import { utf8 } from '../utf8.js'

/**
 * Pieces that every PostgreSQL message is made of, big-endian:
 *
 *     +------+-----------+---------+          +-----------+---------+
 *     | type | length: 4 | payload |    or    | length: 4 | payload |   the first message of a client
 *     +------+-----------+---------+          +-----------+---------+
 *
 * The length counts itself and the payload. https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export const HEADER = 5
/** Longest message that is believed: the server's own limit is 1 GiB. */
export const LONGEST = 0x40000000

const code = (letter: string): number => letter.charCodeAt(0)

/** Types of what clients send, after the first message. */
export const Frontend = {
  bind: code('B'),
  close: code('C'),
  copyData: code('d'),
  copyDone: code('c'),
  copyFail: code('f'),
  describe: code('D'),
  execute: code('E'),
  flush: code('H'),
  functionCall: code('F'),
  parse: code('P'),
  /** GSSResponse, SASLInitialResponse and SASLResponse, too. */
  password: code('p'),
  query: code('Q'),
  sync: code('S'),
  terminate: code('X'),
} as const

/** Types of what servers send. */
export const Backend = {
  authentication: code('R'),
  backendKey: code('K'),
  bindComplete: code('2'),
  closeComplete: code('3'),
  commandComplete: code('C'),
  copyBoth: code('W'),
  copyData: code('d'),
  copyDone: code('c'),
  copyIn: code('G'),
  copyOut: code('H'),
  dataRow: code('D'),
  emptyQuery: code('I'),
  error: code('E'),
  functionCallResponse: code('V'),
  negotiateVersion: code('v'),
  noData: code('n'),
  notice: code('N'),
  notification: code('A'),
  parameterDescription: code('t'),
  parameterStatus: code('S'),
  parseComplete: code('1'),
  portalSuspended: code('s'),
  ready: code('Z'),
  rowDescription: code('T'),
} as const

interface Lengths {
  readonly least: number
  readonly most: number
}

const ANY = LONGEST

/** By type: what a message's length may be; undefined: no such message. */
export const FRONTEND = table(Frontend, {
  bind: [12, ANY],
  close: [6, 1024],
  copyData: [4, ANY],
  copyDone: [4, 4],
  copyFail: [5, 65_536],
  describe: [6, 1024],
  execute: [9, 1024],
  flush: [4, 4],
  functionCall: [14, ANY],
  parse: [8, ANY],
  password: [4, 65_536],
  query: [5, ANY],
  sync: [4, 4],
  terminate: [4, 4],
})

export const BACKEND = table(Backend, {
  authentication: [8, 65_536],
  backendKey: [12, 264],
  bindComplete: [4, 4],
  closeComplete: [4, 4],
  commandComplete: [5, 1024],
  copyBoth: [7, 65_536],
  copyData: [4, ANY],
  copyDone: [4, 4],
  copyIn: [7, 65_536],
  copyOut: [7, 65_536],
  dataRow: [6, ANY],
  emptyQuery: [4, 4],
  error: [5, 1_048_576],
  functionCallResponse: [8, ANY],
  negotiateVersion: [12, 65_536],
  noData: [4, 4],
  notice: [5, 1_048_576],
  notification: [10, 65_536],
  parameterDescription: [6, 1_048_576],
  parameterStatus: [6, 65_536],
  parseComplete: [4, 4],
  portalSuspended: [4, 4],
  ready: [5, 5],
  rowDescription: [6, 1_048_576],
})

function table<K extends string>(
  types: Readonly<Record<K, number>>,
  lengths: Readonly<Record<K, readonly [number, number]>>,
): readonly (Lengths | undefined)[] {
  const out = new Array<Lengths | undefined>(256).fill(undefined)
  for (const name of Object.keys(types) as K[]) out[types[name]] = { least: lengths[name][0], most: lengths[name][1] }
  return out
}

/** Whether a message of that type may have that length. */
export function fits(kinds: readonly (Lengths | undefined)[], type: number, length: number): boolean {
  const kind = kinds[type]
  return kind !== undefined && length >= kind.least && length <= kind.most
}

export function uint16(bytes: Uint8Array, i: number): number {
  return (bytes[i]! << 8) | bytes[i + 1]!
}

export function uint32(bytes: Uint8Array, i: number): number {
  return ((bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!) >>> 0
}

/** Index of the next NUL in bytes[i, end); end if there is none. */
export function untilNul(bytes: Uint8Array, i: number, end: number): number {
  while (i < end && bytes[i] !== 0) i++
  return i
}

export function text(bytes: Uint8Array, start: number, end: number): string {
  return utf8(bytes, start, end)
}
