import type { Channel } from './channel.js'
import { Method } from './methods.js'
import { afterShortString, shortString } from './wire-types.js'

/** Keeps what a method with its arguments at bytes[from, end) says of queues and consumers: later ones refer to it. */
export function noteMethod(id: number, channel: Channel, bytes: Uint8Array, from: number, end: number): void {
  switch (id) {
    case Method.queueDeclare:
      channel.lastQueue = shortString(bytes, from + 2, end) || undefined
      return
    case Method.queueDeclareOk:
      channel.lastQueue = shortString(bytes, from, end) || undefined
      return
    case Method.consume: {
      const tag = afterShortString(bytes, from + 2, end)
      const bits = afterShortString(bytes, tag, end)
      if (bits >= end) return
      const queue = shortString(bytes, from + 2, end) || channel.lastQueue
      channel.consuming(shortString(bytes, tag, end), queue, (bytes[bits]! & 2) !== 0)
      return
    }
    case Method.consumeOk:
      channel.consumes(shortString(bytes, from, end))
      return
    case Method.cancel:
      channel.cancelled(shortString(bytes, from, end))
      return
    case Method.get: {
      const bits = afterShortString(bytes, from + 2, end)
      if (bits >= end) return
      channel.getting(shortString(bytes, from + 2, end) || channel.lastQueue, (bytes[bits]! & 1) !== 0)
      return
    }
    case Method.getEmpty:
      channel.got()
      return
  }
}
