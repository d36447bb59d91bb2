import type { Counters } from '../telemetry/counters.js'
import type { CaptureFile } from './capture-file.js'
import { cutShort, emptyPacket, LONGEST_PACKET, type Packet, type PacketReader } from './packet.js'
import { PcapError } from './pcap-error.js'

// draft-ietf-opsawg-pcapng: block types.
const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE_DESCRIPTION = 1
const OBSOLETE_PACKET = 2
const SIMPLE_PACKET = 3
const ENHANCED_PACKET = 6

const BYTE_ORDER_MAGIC = 0x1a2b3c4d
const OPTION_END = 0
const OPTION_TIME_RESOLUTION = 9
const OPTION_TIME_OFFSET = 14

const SMALLEST_BLOCK = 12
const LONGEST_BLOCK = LONGEST_PACKET + 65_536
const MOST_INTERFACES = 65_536

interface Interface {
  readonly linkType: number
  /** Most bytes of a packet that were captured; 0: no limit. */
  readonly snapLength: number
  /** Time units a second: a power of 10 or of 2. */
  readonly unitsPerSecond: bigint
  /** Seconds to add to each time. */
  readonly offsetSeconds: number
}

/** Block by block; the interfaces of a section are forgotten when the next one begins. */
export function createPcapngReader(file: CaptureFile, counters: Counters): PacketReader {
  const packet = emptyPacket()
  let little = true
  let interfaces: Interface[] = []
  const fail = (problem: string): never => {
    throw new PcapError(file.path, file.offset, `damaged: ${problem}`)
  }

  const section = (): void => {
    const magic = file.view.getUint32(file.at + 8, true)
    if (magic === BYTE_ORDER_MAGIC) little = true
    else if (file.view.getUint32(file.at + 8, false) === BYTE_ORDER_MAGIC) little = false
    else fail('a section without a byte order')
    interfaces = []
  }

  const stamp = (from: Interface, high: number, low: number): void => {
    const units = (BigInt(high) << 32n) | BigInt(low)
    const seconds = units / from.unitsPerSecond
    packet.seconds = Number(seconds) + from.offsetSeconds
    packet.nanos = Number(((units - seconds * from.unitsPerSecond) * 1_000_000_000n) / from.unitsPerSecond)
  }

  const contents = (at: number, from: Interface, captured: number, original: number, end: number): Packet => {
    if (at + captured > end) fail(`a packet of ${captured} captured bytes in a block of fewer`)
    packet.linkType = from.linkType
    packet.bytes = file.bytes
    packet.start = at
    packet.end = at + captured
    packet.originalLength = Math.max(captured, original)
    return packet
  }

  /** The packet of the block that is at file.at; undefined if the block holds none. */
  const packetOf = (type: number, length: number): Packet | undefined => {
    const { view, at } = file
    const end = at + length - 4
    if (type === INTERFACE_DESCRIPTION) {
      if (length < 20) fail('an interface without a link type')
      if (interfaces.length >= MOST_INTERFACES) fail('more interfaces than can be')
      interfaces.push(readInterface(view, at + 8, end, little))
      return undefined
    }
    if (type === SIMPLE_PACKET) {
      if (length < 16) fail('a packet without a length')
      const from = interfaces[0] ?? fail('a packet of no interface')
      const original = view.getUint32(at + 8, little)
      const captured = Math.min(original, from.snapLength === 0 ? original : from.snapLength, length - 16)
      return contents(at + 12, from, captured, original, end)
    }
    if (type !== ENHANCED_PACKET && type !== OBSOLETE_PACKET) return undefined
    if (length < 32) fail('a packet without a length')
    const id = type === ENHANCED_PACKET ? view.getUint32(at + 8, little) : view.getUint16(at + 8, little)
    const from = interfaces[id] ?? fail(`a packet of interface ${id}, which was not described`)
    stamp(from, view.getUint32(at + 12, little), view.getUint32(at + 16, little))
    return contents(at + 28, from, view.getUint32(at + 20, little), view.getUint32(at + 24, little), end)
  }

  const next = (): Packet | undefined => {
    for (;;) {
      const got = file.need(SMALLEST_BLOCK)
      if (got === 0) return undefined
      if (got < SMALLEST_BLOCK) return cutShort(counters)
      if (file.view.getUint32(file.at, true) === SECTION_HEADER) section()
      const type = file.view.getUint32(file.at, little)
      const length = file.view.getUint32(file.at + 4, little)
      if (length < SMALLEST_BLOCK || length % 4 !== 0 || length > LONGEST_BLOCK) fail(`a block of ${length} bytes`)
      if (file.need(length) < length) return cutShort(counters)
      if (file.view.getUint32(file.at + length - 4, little) !== length) fail('a block whose two lengths differ')
      const found = packetOf(type, length)
      file.take(length)
      if (found !== undefined) return found
    }
  }
  return { next, close: file.close }
}

function readInterface(view: DataView, at: number, end: number, little: boolean): Interface {
  let unitsPerSecond = 1_000_000n
  let offsetSeconds = 0
  let option = at + 8
  while (option + 4 <= end) {
    const code = view.getUint16(option, little)
    const length = view.getUint16(option + 2, little)
    if (code === OPTION_END || option + 4 + length > end) break
    if (code === OPTION_TIME_RESOLUTION && length >= 1) {
      const exponent = view.getUint8(option + 4)
      unitsPerSecond = exponent & 0x80 ? 1n << BigInt(exponent & 0x7f) : 10n ** BigInt(exponent)
    } else if (code === OPTION_TIME_OFFSET && length >= 8) {
      offsetSeconds = Number(view.getBigInt64(option + 4, little))
    }
    option += 4 + ((length + 3) & ~3)
  }
  return {
    linkType: view.getUint16(at, little),
    snapLength: view.getUint32(at + 4, little),
    unitsPerSecond,
    offsetSeconds,
  }
}
