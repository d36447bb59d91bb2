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
  return new PcapngReader(file, counters)
}

class PcapngReader implements PacketReader {
  readonly #file: CaptureFile
  readonly #counters: Counters
  readonly #packet = emptyPacket()
  #little = true
  #interfaces: Interface[] = []

  constructor(file: CaptureFile, counters: Counters) {
    this.#file = file
    this.#counters = counters
  }

  next(): Packet | undefined {
    const file = this.#file
    for (;;) {
      const got = file.need(SMALLEST_BLOCK)
      if (got === 0) return undefined
      if (got < SMALLEST_BLOCK) return cutShort(this.#counters)
      if (file.view.getUint32(file.at, true) === SECTION_HEADER) this.#section()
      const type = file.view.getUint32(file.at, this.#little)
      const length = file.view.getUint32(file.at + 4, this.#little)
      if (length < SMALLEST_BLOCK || length % 4 !== 0 || length > LONGEST_BLOCK)
        this.#fail(`a block of ${length} bytes`)
      if (file.need(length) < length) return cutShort(this.#counters)
      if (file.view.getUint32(file.at + length - 4, this.#little) !== length) {
        this.#fail('a block whose two lengths differ')
      }
      const found = this.#packetOf(type, length)
      file.take(length)
      if (found !== undefined) return found
    }
  }

  close(): void {
    this.#file.close()
  }

  #fail(problem: string): never {
    throw new PcapError(this.#file.path, this.#file.offset, `damaged: ${problem}`)
  }

  #section(): void {
    const { view, at } = this.#file
    if (view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC) this.#little = true
    else if (view.getUint32(at + 8, false) === BYTE_ORDER_MAGIC) this.#little = false
    else this.#fail('a section without a byte order')
    this.#interfaces = []
  }

  /** The packet of the block that is at file.at; undefined if the block holds none. */
  #packetOf(type: number, length: number): Packet | undefined {
    switch (type) {
      case INTERFACE_DESCRIPTION:
        this.#interface(length)
        return undefined
      case SIMPLE_PACKET:
        return this.#simplePacket(length)
      case ENHANCED_PACKET:
      case OBSOLETE_PACKET:
        return this.#stampedPacket(type, length)
      default:
        return undefined
    }
  }

  #interface(length: number): void {
    const { view, at } = this.#file
    if (length < 20) this.#fail('an interface without a link type')
    if (this.#interfaces.length >= MOST_INTERFACES) this.#fail('more interfaces than can be')
    this.#interfaces.push(readInterface(view, at + 8, at + length - 4, this.#little))
  }

  /** It has no time of its own: it is as late as the packet before it. */
  #simplePacket(length: number): Packet {
    const { view, at } = this.#file
    if (length < 16) this.#fail('a packet without a length')
    const from = this.#interfaces[0] ?? this.#fail('a packet of no interface')
    const original = view.getUint32(at + 8, this.#little)
    const captured = Math.min(original, from.snapLength === 0 ? original : from.snapLength, length - 16)
    return this.#contents(at + 12, from, captured, original, at + length - 4)
  }

  #stampedPacket(type: number, length: number): Packet {
    const { view, at } = this.#file
    const little = this.#little
    if (length < 32) this.#fail('a packet without a length')
    const id = type === ENHANCED_PACKET ? view.getUint32(at + 8, little) : view.getUint16(at + 8, little)
    const from = this.#interfaces[id] ?? this.#fail(`a packet of interface ${id}, which was not described`)
    const units = (BigInt(view.getUint32(at + 12, little)) << 32n) | BigInt(view.getUint32(at + 16, little))
    const seconds = units / from.unitsPerSecond
    this.#packet.seconds = Number(seconds) + from.offsetSeconds
    this.#packet.nanos = Number(((units - seconds * from.unitsPerSecond) * 1_000_000_000n) / from.unitsPerSecond)
    const [captured, original] = [view.getUint32(at + 20, little), view.getUint32(at + 24, little)]
    return this.#contents(at + 28, from, captured, original, at + length - 4)
  }

  #contents(at: number, from: Interface, captured: number, original: number, end: number): Packet {
    if (at + captured > end) this.#fail(`a packet of ${captured} captured bytes in a block of fewer`)
    const packet = this.#packet
    packet.linkType = from.linkType
    packet.bytes = this.#file.bytes
    packet.start = at
    packet.end = at + captured
    packet.originalLength = Math.max(captured, original)
    return packet
  }
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
