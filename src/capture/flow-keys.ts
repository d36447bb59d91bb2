import type { TcpSegment } from './packet-layers.js'

const SLOTS = 1024
/** Two addresses of 16 bytes. */
const SLOT_BYTES = 32

/** Names of connections: the same text for both directions. */
export interface FlowKeys {
  /** @param fromLow whether the segment's source is the end that sorts first (`sourceIsLow`) */
  keyOf(segment: TcpSegment, fromLow: boolean): string
}

/**
 * A name is put together once and then found again by its bytes: a new text for every packet is what a capture costs
 * most memory for.
 */
export function createFlowKeys(): FlowKeys {
  const names: string[] = new Array(SLOTS).fill('')
  const parts = new Uint8Array(SLOTS * SLOT_BYTES)
  return {
    keyOf: (segment, fromLow) => {
      const { bytes, addressBytes, sourceAddress, destinationAddress, sourcePort, destinationPort } = segment
      const low = fromLow ? sourceAddress : destinationAddress
      const high = fromLow ? destinationAddress : sourceAddress
      const lowPort = fromLow ? sourcePort : destinationPort
      const highPort = fromLow ? destinationPort : sourcePort
      let hash = Math.imul(lowPort, 0x9e3779b1) ^ Math.imul(highPort, 0x85ebca6b)
      for (let i = addressBytes - 4; i < addressBytes; i++) {
        hash = Math.imul(hash ^ bytes[low + i]!, 0x01000193) ^ Math.imul(bytes[high + i]!, 0x27d4eb2f)
      }
      const slot = ((hash ^ (hash >>> 15)) >>> 0) % SLOTS
      const name = names[slot]!
      const at = slot * SLOT_BYTES
      if (name.length === 2 + addressBytes && sameParts(parts, at, bytes, low, high, addressBytes)) {
        if (name.charCodeAt(0) === lowPort && name.charCodeAt(1) === highPort) return name
      }
      for (let i = 0; i < addressBytes; i++) {
        parts[at + i] = bytes[low + i]!
        parts[at + addressBytes + i] = bytes[high + i]!
      }
      const made = nameOf(bytes, low, high, addressBytes, lowPort, highPort)
      names[slot] = made
      return made
    },
  }
}

function sameParts(
  parts: Uint8Array,
  at: number,
  bytes: Uint8Array,
  low: number,
  high: number,
  addressBytes: number,
): boolean {
  for (let i = 0; i < addressBytes; i++) {
    if (parts[at + i] !== bytes[low + i] || parts[at + addressBytes + i] !== bytes[high + i]) return false
  }
  return true
}

function nameOf(
  bytes: Uint8Array,
  low: number,
  high: number,
  addressBytes: number,
  lowPort: number,
  highPort: number,
): string {
  let name = String.fromCharCode(lowPort, highPort)
  for (let i = 0; i < addressBytes; i += 2) {
    name += String.fromCharCode(
      (bytes[low + i]! << 8) | bytes[low + i + 1]!,
      (bytes[high + i]! << 8) | bytes[high + i + 1]!,
    )
  }
  return name
}
