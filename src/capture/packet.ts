import type { Counters } from '../telemetry/counters.js'

/** One packet; the reader uses the same object for the next one. */
export interface Packet {
  /** Seconds since 1970 and the nanoseconds beyond. */
  seconds: number
  nanos: number
  /** LINKTYPE_ of the interface it was seen on (tcpdump.org/linktypes.html). */
  linkType: number
  /** bytes[start, end) is what was captured of its `originalLength` bytes. */
  bytes: Uint8Array
  start: number
  end: number
  originalLength: number
}

export interface PacketReader {
  /**
   * The next packet, valid until the next call; undefined at the end of the file. A file that stops in the middle of a
   * packet ends there, counted. @throws PcapError where the file is damaged.
   */
  next(): Packet | undefined
  close(): void
}

/** Longest packet that is believed; a longer one means a damaged file. */
export const LONGEST_PACKET = 1 << 24

export function emptyPacket(): Packet {
  return { seconds: 0, nanos: 0, linkType: 0, bytes: new Uint8Array(0), start: 0, end: 0, originalLength: 0 }
}

/** Whoever wrote the file was stopped in the middle of a packet. */
export function cutShort(counters: Counters): undefined {
  counters.add('capture.pcap.cut_short')
  return undefined
}
