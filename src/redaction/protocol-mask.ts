import type { Pseudonyms } from './pseudonyms.js'

/** One direction of a connection: its bytes in order, in whatever pieces they come, with holes. */
export interface DirectionMask {
  /**
   * Masks bytes[start, end) in place: the beginning of a call, or its end behind a hole. What is not known to be
   * structure becomes something else of the same length. Never throws, keeps nothing of `bytes`.
   */
  pass(bytes: Uint8Array, start: number, end: number): void
  /** The next `count` bytes were moved but not copied. */
  hole(count: number): void
}

/** Both directions of one connection of one protocol; they may know of each other. */
export interface ProtocolMask {
  readonly client: DirectionMask
  readonly server: DirectionMask
  /** The client sent a request while no other waited for its answer: the server's next call begins an answer. */
  answerIsNext?(): void
}

export interface MaskOptions {
  readonly pseudonyms: Pseudonyms
  /** The connection's beginning was not seen: no handshake may be expected. */
  readonly joined: boolean
  /** Directions whose next byte may lie in the middle of something. */
  readonly lost: { readonly client: boolean; readonly server: boolean }
}

export type CreateMask = (options: MaskOptions) => ProtocolMask

/** A direction that is read byte by byte and needs no look ahead. */
export interface ByteMask {
  /** Bytes[start, end) come next; a place to find the way again. */
  begin(bytes: Uint8Array, start: number, end: number): void
  /** What stands for this byte. */
  next(byte: number): number
  hole(count: number): void
}

export function bytewise(mask: ByteMask): DirectionMask {
  return {
    pass: (bytes, start, end) => {
      if (start === end) return
      mask.begin(bytes, start, end)
      for (let i = start; i < end; i++) bytes[i] = mask.next(bytes[i]!)
    },
    hole: count => mask.hole(count),
  }
}
