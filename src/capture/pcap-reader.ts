import type { Counters } from '../telemetry/counters.js'
import { type CaptureFile, openCaptureFile } from './capture-file.js'
import { cutShort, emptyPacket, LONGEST_PACKET, type PacketReader } from './packet.js'
import { PcapError } from './pcap-error.js'
import { createPcapngReader } from './pcapng-reader.js'

const PCAP_HEADER_BYTES = 24
const PACKET_HEADER_BYTES = 16
const PCAPNG_MAGIC = 0x0a0d0d0a
/** Modified pcap (Kuznetzov): packet headers are eight bytes longer. */
const MODIFIED_MAGIC = 0xa1b2cd34

/** Opens a pcap file of either byte order with µs or ns, or a pcapng file. */
export function createPacketReader(path: string, counters: Counters): PacketReader {
  const file = openCaptureFile(path)
  try {
    if (file.need(4) < 4) throw new PcapError(path, 0, 'not a packet capture: shorter than its magic number')
    const magic = file.view.getUint32(file.at, true)
    if (magic === PCAPNG_MAGIC) return createPcapngReader(file, counters)
    return createClassicReader(file, magic, counters)
  } catch (error) {
    file.close()
    throw error
  }
}

interface Format {
  readonly little: boolean
  readonly nanosPerUnit: number
  readonly headerBytes: number
}

function formatOf(magic: number): Format | undefined {
  const swapped = ((magic & 0xff) << 24) | ((magic & 0xff00) << 8) | ((magic >>> 8) & 0xff00) | (magic >>> 24)
  for (const [value, little] of [
    [magic, true],
    [swapped >>> 0, false],
  ] as const) {
    if (value === 0xa1b2c3d4) return { little, nanosPerUnit: 1000, headerBytes: PACKET_HEADER_BYTES }
    if (value === 0xa1b23c4d) return { little, nanosPerUnit: 1, headerBytes: PACKET_HEADER_BYTES }
    if (value === MODIFIED_MAGIC) return { little, nanosPerUnit: 1000, headerBytes: PACKET_HEADER_BYTES + 8 }
  }
  return undefined
}

function createClassicReader(file: CaptureFile, magic: number, counters: Counters): PacketReader {
  const format = formatOf(magic)
  if (format === undefined) {
    throw new PcapError(file.path, 0, `not a packet capture: magic number 0x${magic.toString(16)}`)
  }
  if (file.need(PCAP_HEADER_BYTES) < PCAP_HEADER_BYTES) {
    throw new PcapError(file.path, 0, 'cut short in its header')
  }
  const { little, nanosPerUnit, headerBytes } = format
  const packet = emptyPacket()
  // The upper bits may say how long the frame check sequence is.
  packet.linkType = file.view.getUint32(file.at + 20, little) & 0x03ffffff
  file.take(PCAP_HEADER_BYTES)
  return {
    next: () => {
      const got = file.need(headerBytes)
      if (got === 0) return undefined
      if (got < headerBytes) return cutShort(counters)
      const captured = file.view.getUint32(file.at + 8, little)
      if (captured > LONGEST_PACKET) {
        throw new PcapError(file.path, file.offset, `damaged: a packet of ${captured} captured bytes`)
      }
      if (file.need(headerBytes + captured) < headerBytes + captured) return cutShort(counters)
      const { view, at } = file
      packet.seconds = view.getUint32(at, little)
      packet.nanos = view.getUint32(at + 4, little) * nanosPerUnit
      packet.originalLength = Math.max(captured, view.getUint32(at + 12, little))
      packet.bytes = file.bytes
      packet.start = at + headerBytes
      packet.end = packet.start + captured
      file.take(headerBytes + captured)
      return packet
    },
    close: file.close,
  }
}
