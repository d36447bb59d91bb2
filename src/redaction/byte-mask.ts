import type { ProtocolModule, Sender } from '../protocols/protocol.js'

/**
 * One direction of a connection as redaction follows it, byte by byte: what the protocol needs to be read stays, what a
 * value says is put out of the way, lengths stay. A mask that has lost its place puts everything out of the way until a
 * call begins that it can read again.
 */
export interface ByteMask {
  /** A call's bytes[start, end) come next: a place to find the way again. `length` bytes were moved by the call. */
  begin(bytes: Uint8Array, start: number, end: number, length: number): void
  /** The last bytes[start, end) of a call come next; what lies before them was not copied and has been told by `hole`. */
  tail?(bytes: Uint8Array, start: number, end: number): void
  /** What stands for this byte in the redacted form. */
  next(byte: number): number
  /** The next `count` bytes were moved, but not copied. */
  hole(count: number): void
}

/** The two directions of one connection; they may know of each other. */
export type ConnectionMasks = Readonly<Record<Sender, ByteMask>>

export interface MaskOptions {
  readonly module: ProtocolModule
  /** One for each direction: values come in pieces, between those of other connections. */
  readonly newDisguise: () => Disguise
}

/** Values of which it matters that they are the same in two places: the same bytes get the same letters. */
export interface Disguise {
  /** A value begins. */
  reset(): void
  /** A letter that depends on all bytes of the value so far, and on a key that nobody knows. */
  next(byte: number): number
}

/** `x` */
export const MASKED = 0x78

export function createDisguise(key: readonly [number, number]): Disguise {
  let [a, b] = key
  return {
    reset: () => {
      ;[a, b] = key
    },
    next: byte => {
      a = Math.imul(a ^ byte ^ key[1], 0x85ebca6b)
      a ^= a >>> 13
      b = Math.imul(b ^ a, 0xc2b2ae35)
      b ^= b >>> 16
      return 0x61 + ((b >>> 8) & 15)
    },
  }
}

/** Everything out of the way: for what nobody can read. */
export const MASK_ALL: ByteMask = { begin: () => {}, next: () => MASKED, hole: () => {} }

/** True if a call's first bytes are surely the start of a message of the module's protocol, sent by that end. */
export function isMessageStart(
  module: ProtocolModule,
  sender: Sender,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  const { match, sender: teller } = module.detect(bytes, start, Math.min(end, start + 256))
  return match === 'yes' && (teller === undefined || teller === sender)
}
