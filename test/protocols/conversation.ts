import type { Sender } from '../../src/protocols/protocol.js'

/** One socket call of a recorded conversation. A string stands for its latin-1 bytes. */
export interface Call {
  readonly sender: Sender
  readonly bytes: Uint8Array
  /** The sender closes its direction after this call. */
  readonly eof?: boolean
}

export const client = (bytes: Uint8Array | string, eof = false): Call => ({
  sender: 'client',
  bytes: toBytes(bytes),
  eof,
})
export const server = (bytes: Uint8Array | string, eof = false): Call => ({
  sender: 'server',
  bytes: toBytes(bytes),
  eof,
})

const toBytes = (bytes: Uint8Array | string): Uint8Array =>
  typeof bytes === 'string' ? new Uint8Array(Buffer.from(bytes, 'latin1')) : bytes

/** The conversation as other calls that move the same bytes in the same order. */
export function recut(conversation: readonly Call[], lengths: () => number): Call[] {
  const calls: Call[] = []
  for (const call of conversation) {
    if (call.bytes.length === 0) calls.push(call)
    for (let at = 0; at < call.bytes.length; ) {
      const next = Math.min(call.bytes.length, at + Math.max(1, lengths()))
      calls.push({
        sender: call.sender,
        bytes: call.bytes.subarray(at, next),
        eof: call.eof === true && next === call.bytes.length,
      })
      at = next
    }
  }
  return calls
}

/** Neighbouring calls of one sender as one call. */
export function merge(conversation: readonly Call[]): Call[] {
  const calls: Call[] = []
  for (const call of conversation) {
    const last = calls.at(-1)
    if (last !== undefined && last.sender === call.sender && !last.eof) {
      calls[calls.length - 1] = { ...call, bytes: Buffer.concat([last.bytes, call.bytes]) }
    } else {
      calls.push(call)
    }
  }
  return calls
}

/** The first `count` bytes of the conversation, in the order they were moved. */
export function prefix(conversation: readonly Call[], count: number): Call[] {
  const calls: Call[] = []
  for (const call of conversation) {
    if (count <= 0) break
    calls.push(call.bytes.length <= count ? call : { sender: call.sender, bytes: call.bytes.subarray(0, count) })
    count -= call.bytes.length
  }
  return calls
}

/** A small repeatable generator: integers from 0 to below `limit`. */
export function seeded(seed: number): (limit: number) => number {
  let state = seed >>> 0
  return limit => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

export const sizeOf = (conversation: readonly Call[]): number =>
  conversation.reduce((sum, call) => sum + call.bytes.length, 0)
