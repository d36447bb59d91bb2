/** One TCP segment or UDP datagram as found in a packet; the same object is used for the next one. */
export interface TcpSegment {
  isDatagram: boolean
  /** 4 or 16 bytes each, in `bytes`. */
  addressBytes: 4 | 16
  sourceAddress: number
  destinationAddress: number
  sourcePort: number
  destinationPort: number
  sequence: number
  acknowledged: number
  /** Of `TcpFlag`. */
  flags: number
  bytes: Uint8Array
  /** bytes[start, end) was captured of the `length` bytes of payload. */
  start: number
  end: number
  length: number
}

export const TcpFlag = { fin: 1, syn: 2, reset: 4, ack: 16 } as const

/** Why a packet holds no segment that can be used. */
export type NoSegment = 'unsupported_link' | 'not_tcp' | 'fragment' | 'too_short'

const ETHERTYPE_IPV4 = 0x0800
const ETHERTYPE_IPV6 = 0x86dd
const VLAN_TAGS = new Set([0x8100, 0x88a8, 0x9100])
const MOST_TAGS = 4
const PROTOCOL_TCP = 6
const PROTOCOL_UDP = 17
const UDP_HEADER = 8
const MOST_EXTENSION_HEADERS = 8

// tcpdump.org/linktypes.html
const LinkType = {
  null: 0,
  ethernet: 1,
  rawBsd: 12,
  rawOpenBsd: 14,
  raw: 101,
  loop: 108,
  linuxCooked: 113,
  ipv4: 228,
  ipv6: 229,
  linuxCooked2: 276,
} as const

export function emptySegment(): TcpSegment {
  return {
    isDatagram: false,
    addressBytes: 4,
    sourceAddress: 0,
    destinationAddress: 0,
    sourcePort: 0,
    destinationPort: 0,
    sequence: 0,
    acknowledged: 0,
    flags: 0,
    bytes: new Uint8Array(0),
    start: 0,
    end: 0,
    length: 0,
  }
}

/**
 * Finds the TCP segment in the packet bytes[start, end), of which `originalLength` bytes were on the wire, and writes
 * it into `segment`. Checksums are not looked at: on the sending host they are not computed yet.
 */
export function findSegment(
  segment: TcpSegment,
  linkType: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  originalLength: number,
): NoSegment | undefined {
  const wireEnd = start + originalLength
  switch (linkType) {
    case LinkType.ethernet:
      return byEtherType(segment, bytes, start + 12, end, wireEnd)
    case LinkType.linuxCooked:
      return byEtherType(segment, bytes, start + 14, end, wireEnd)
    case LinkType.linuxCooked2:
      if (end - start < 20) return 'too_short'
      return byVersion(segment, bytes, start + 20, end, wireEnd)
    case LinkType.null:
    case LinkType.loop:
      return byVersion(segment, bytes, start + 4, end, wireEnd)
    case LinkType.raw:
    case LinkType.rawBsd:
    case LinkType.rawOpenBsd:
    case LinkType.ipv4:
    case LinkType.ipv6:
      return byVersion(segment, bytes, start, end, wireEnd)
    default:
      return 'unsupported_link'
  }
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

function byEtherType(
  segment: TcpSegment,
  bytes: Uint8Array,
  at: number,
  end: number,
  wireEnd: number,
): NoSegment | undefined {
  for (let tags = 0; tags <= MOST_TAGS; tags++) {
    if (at + 2 > end) return 'too_short'
    const type = u16(bytes, at)
    if (type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6) return byVersion(segment, bytes, at + 2, end, wireEnd)
    if (!VLAN_TAGS.has(type)) return 'not_tcp'
    at += 4
  }
  return 'not_tcp'
}

function byVersion(
  segment: TcpSegment,
  bytes: Uint8Array,
  at: number,
  end: number,
  wireEnd: number,
): NoSegment | undefined {
  if (at >= end) return 'too_short'
  const version = bytes[at]! >> 4
  if (version === 4) return ipv4(segment, bytes, at, end, wireEnd)
  return version === 6 ? ipv6(segment, bytes, at, end, wireEnd) : 'not_tcp'
}

function ipv4(segment: TcpSegment, bytes: Uint8Array, at: number, end: number, wireEnd: number): NoSegment | undefined {
  if (end - at < 20) return 'too_short'
  const headerBytes = (bytes[at]! & 0x0f) * 4
  if (headerBytes < 20) return 'not_tcp'
  const protocol = bytes[at + 9]!
  if (protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP) return 'not_tcp'
  // More fragments, or an offset.
  if ((u16(bytes, at + 6) & 0x3fff) !== 0) return 'fragment'
  const total = u16(bytes, at + 2)
  segment.addressBytes = 4
  segment.sourceAddress = at + 12
  segment.destinationAddress = at + 16
  // 0: the kernel had not cut the data into packets yet (segmentation offload) and they did not fit 16 bits.
  const packetEnd = total === 0 ? wireEnd : at + total
  if (protocol === PROTOCOL_UDP) return udp(segment, bytes, at + headerBytes, end, packetEnd)
  return tcp(segment, bytes, at + headerBytes, end, packetEnd)
}

function ipv6(segment: TcpSegment, bytes: Uint8Array, at: number, end: number, wireEnd: number): NoSegment | undefined {
  if (end - at < 40) return 'too_short'
  const payload = u16(bytes, at + 4)
  segment.addressBytes = 16
  segment.sourceAddress = at + 8
  segment.destinationAddress = at + 24
  const packetEnd = payload === 0 ? wireEnd : at + 40 + payload
  let next = bytes[at + 6]!
  let header = at + 40
  for (let headers = 0; headers <= MOST_EXTENSION_HEADERS; headers++) {
    if (next === PROTOCOL_TCP) return tcp(segment, bytes, header, end, packetEnd)
    if (next === PROTOCOL_UDP) return udp(segment, bytes, header, end, packetEnd)
    if (header + 8 > end) return 'too_short'
    switch (next) {
      case 0: // hop by hop
      case 43: // routing
      case 60: // destination options
        next = bytes[header]!
        header += (bytes[header + 1]! + 1) * 8
        break
      case 51: // authentication, RFC 4302
        next = bytes[header]!
        header += (bytes[header + 1]! + 2) * 4
        break
      case 44: // fragment; one that is the whole packet is none (RFC 6946)
        if ((u16(bytes, header + 2) & 0xfff9) !== 0) return 'fragment'
        next = bytes[header]!
        header += 8
        break
      default:
        return 'not_tcp'
    }
  }
  return 'not_tcp'
}

function tcp(
  segment: TcpSegment,
  bytes: Uint8Array,
  at: number,
  end: number,
  packetEnd: number,
): NoSegment | undefined {
  if (at + 14 > end || at + 20 > packetEnd) return 'too_short'
  const payload = at + (bytes[at + 12]! >> 4) * 4
  if (payload < at + 20) return 'not_tcp'
  segment.isDatagram = false
  segment.sourcePort = u16(bytes, at)
  segment.destinationPort = u16(bytes, at + 2)
  segment.sequence = u32(bytes, at + 4)
  segment.acknowledged = u32(bytes, at + 8)
  segment.flags = bytes[at + 13]!
  segment.bytes = bytes
  segment.length = Math.max(0, packetEnd - payload)
  segment.start = Math.min(payload, end)
  segment.end = Math.min(end, segment.start + segment.length)
  return undefined
}

function udp(
  segment: TcpSegment,
  bytes: Uint8Array,
  at: number,
  end: number,
  packetEnd: number,
): NoSegment | undefined {
  if (at + UDP_HEADER > end || at + UDP_HEADER > packetEnd) return 'too_short'
  const length = u16(bytes, at + 4)
  // 0: longer than 16 bits can say (RFC 2675), or left to segmentation offload.
  const datagramEnd = length === 0 ? packetEnd : Math.min(packetEnd, at + length)
  segment.isDatagram = true
  segment.sourcePort = u16(bytes, at)
  segment.destinationPort = u16(bytes, at + 2)
  segment.bytes = bytes
  segment.start = at + UDP_HEADER
  segment.length = Math.max(0, datagramEnd - segment.start)
  segment.end = Math.min(end, segment.start + segment.length)
  return undefined
}
