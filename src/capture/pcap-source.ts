import { type Counter, type Counters, createCounters } from '../telemetry/counters.js'
import type { CaptureOrigin, EventSource } from './event-source.js'
import type { Packet, PacketReader } from './packet.js'
import { emptySegment, findSegment } from './packet-layers.js'
import { createPcapEndpoints } from './pcap-endpoints.js'
import { createPacketReader } from './pcap-reader.js'
import { RecordBatch } from './record-batch.js'
import { NO_CONTROL } from './recording-source.js'
import { createTcpConnections, type RecordedEnds, type TcpConnections } from './tcp-connections.js'
import { REASSEMBLY_LIMITS, type ReassemblyCounts, type ReassemblyLimits } from './tcp-reassembly.js'
import { createUdpFlows, type UdpFlows } from './udp-flows.js'

export interface PcapSourceOptions {
  readonly counters?: Counters
  /**
   * The ends of each connection that get records, as if the capture had been taken there. Default 'server': packets
   * tell nothing of processes, so the calling end would add a second span to each and no link between requests.
   */
  readonly ends?: RecordedEnds
  /** Name of the host, as it goes into ids. Default 'pcap', so that a renamed file gives the same traces. */
  readonly host?: string
  readonly limits?: Partial<ReassemblyLimits>
  /** Default 65,536. */
  readonly connectionLimit?: number
}

/** Records begin this long after the monotonic clock's zero, so that packets stamped out of order stay positive. */
const MONOTONIC_BASE_NS = 1_000_000_000
/** A batch is handed on when it is this long. */
const BATCH_BYTES = 1 << 18
/** Numbers of datagram flows' ends; connections are numbered from 1. */
const FIRST_FLOW = 2 ** 40

/**
 * The TCP connections and UDP flows of a pcap or pcapng file as the records that the kernel would have sent. Everything that is read
 * before a damage is handed on; then `read` throws. @throws PcapError if the file is none, or damaged.
 */
export function createPcapSource(path: string, options: PcapSourceOptions = {}): EventSource {
  return new PcapSource(path, options)
}

class PcapSource implements EventSource {
  readonly kind = 'pcap'
  readonly origin: CaptureOrigin
  readonly control = NO_CONTROL
  ended = false

  readonly #counters: Counters
  readonly #packets: Counter
  readonly #reader: PacketReader
  readonly #batch = new RecordBatch()
  readonly #segment = emptySegment()
  readonly #counts: ReassemblyCounts = { held: 0, missing: 0, retransmitted: 0, outOfWindow: 0 }
  readonly #connections: TcpConnections
  readonly #flows: UdpFlows
  #lastNs = 0
  readonly #base: { readonly seconds: number; readonly nanos: number }
  /** The first packet, read early because all times count from it. */
  #first: Packet | undefined
  #finished = false
  #damage: unknown

  constructor(
    path: string,
    { counters = createCounters(), ends = 'server', host = 'pcap', ...bounds }: PcapSourceOptions,
  ) {
    this.#counters = counters
    this.#packets = counters.counter('capture.pcap.packets')
    this.#reader = createPacketReader(path, counters)
    const shared = { ends, batch: this.#batch, endpoints: createPcapEndpoints(record => this.#batch.put(record)) }
    this.#connections = createTcpConnections({
      ...shared,
      counts: this.#counts,
      limits: { ...REASSEMBLY_LIMITS, ...bounds.limits },
      connectionLimit: bounds.connectionLimit ?? 65_536,
    })
    this.#flows = createUdpFlows({
      ...shared,
      flowLimit: bounds.connectionLimit ?? 65_536,
      firstNumber: FIRST_FLOW,
    })
    this.#first = this.#next()
    this.#base = { seconds: this.#first?.seconds ?? 0, nanos: this.#first?.nanos ?? 0 }
    this.origin = {
      host,
      monotonicBaseNs: BigInt(MONOTONIC_BASE_NS),
      wallBaseNs: BigInt(this.#base.seconds) * 1_000_000_000n + BigInt(this.#base.nanos),
      kernel: '',
    }
  }

  read(): Uint8Array | undefined {
    if (this.ended) return undefined
    while (!this.#finished && this.#batch.length < BATCH_BYTES) {
      const packet = this.#first ?? this.#next()
      this.#first = undefined
      if (packet === undefined) this.#finish()
      else this.#work(packet)
    }
    if (this.#batch.length > 0) return this.#batch.take()
    this.ended = true
    if (this.#damage !== undefined) throw this.#damage
    return undefined
  }

  async close(): Promise<void> {
    this.ended = true
    this.#reader.close()
  }

  #next(): Packet | undefined {
    try {
      return this.#reader.next()
    } catch (error) {
      this.#damage = error
      return undefined
    }
  }

  #work(packet: Packet): void {
    this.#packets.value++
    const { linkType, bytes, start, end, originalLength } = packet
    const none = findSegment(this.#segment, linkType, bytes, start, end, originalLength)
    if (none !== undefined) {
      this.#counters.add(`capture.pcap.${none}`)
      return
    }
    const sinceNs = (packet.seconds - this.#base.seconds) * 1e9 + (packet.nanos - this.#base.nanos)
    const timeNs = Math.max(0, MONOTONIC_BASE_NS + sinceNs)
    if (!this.#segment.isDatagram) this.#connections.add(this.#segment, timeNs)
    else {
      // Records of one flow never go back in time, whatever the packets' stamps do.
      this.#lastNs = Math.max(this.#lastNs, timeNs)
      this.#flows.add(this.#segment, this.#lastNs)
    }
  }

  #finish(): void {
    this.#finished = true
    this.#connections.finish()
    const { missing, retransmitted, outOfWindow } = this.#counts
    this.#counters.add('capture.pcap.connections', this.#connections.opened)
    this.#counters.add('capture.pcap.datagram_flows', this.#flows.opened)
    this.#counters.add('capture.pcap.connections_evicted', this.#connections.evicted)
    this.#counters.add('capture.pcap.missing_bytes', missing)
    this.#counters.add('capture.pcap.retransmitted_bytes', retransmitted)
    this.#counters.add('capture.pcap.out_of_window', outOfWindow)
    this.#reader.close()
  }
}
