import { type Counters, createCounters } from '../telemetry/counters.js'
import type { EventSource } from './event-source.js'
import type { Packet } from './packet.js'
import { emptySegment, findSegment } from './packet-layers.js'
import { createPcapEndpoints } from './pcap-endpoints.js'
import { createPacketReader } from './pcap-reader.js'
import { RecordBatch } from './record-batch.js'
import { NO_CONTROL } from './recording-source.js'
import { createTcpConnections, type RecordedEnds } from './tcp-connections.js'
import { REASSEMBLY_LIMITS, type ReassemblyCounts, type ReassemblyLimits } from './tcp-reassembly.js'

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

/**
 * The TCP connections of a pcap or pcapng file as the records that the kernel would have sent. Everything that is read
 * before a damage is handed on; then `read` throws. @throws PcapError if the file is none, or damaged.
 */
export function createPcapSource(path: string, options: PcapSourceOptions = {}): EventSource {
  const counters = options.counters ?? createCounters()
  const reader = createPacketReader(path, counters)
  const batch = new RecordBatch()
  const counts: ReassemblyCounts = { held: 0, missing: 0, retransmitted: 0, outOfWindow: 0 }
  const connections = createTcpConnections({
    ends: options.ends ?? 'server',
    batch,
    endpoints: createPcapEndpoints(record => batch.put(record)),
    counts,
    limits: { ...REASSEMBLY_LIMITS, ...options.limits },
    connectionLimit: options.connectionLimit ?? 65_536,
  })
  const packets = counters.counter('capture.pcap.packets')
  const segment = emptySegment()
  let ended = false
  let finished = false
  let damage: unknown

  const next = (): Packet | undefined => {
    try {
      return reader.next()
    } catch (error) {
      damage = error
      return undefined
    }
  }
  const first = next()
  let waiting = first
  const base = { seconds: first?.seconds ?? 0, nanos: first?.nanos ?? 0 }

  const work = (packet: Packet): void => {
    packets.value++
    const { linkType, bytes, start, end, originalLength } = packet
    const none = findSegment(segment, linkType, bytes, start, end, originalLength)
    if (none !== undefined) {
      counters.add(`capture.pcap.${none}`)
      return
    }
    const sinceNs = (packet.seconds - base.seconds) * 1e9 + (packet.nanos - base.nanos)
    connections.add(segment, Math.max(0, MONOTONIC_BASE_NS + sinceNs))
  }
  const finish = (): void => {
    finished = true
    connections.finish()
    counters.add('capture.pcap.connections', connections.opened)
    counters.add('capture.pcap.connections_evicted', connections.evicted)
    counters.add('capture.pcap.missing_bytes', counts.missing)
    counters.add('capture.pcap.retransmitted_bytes', counts.retransmitted)
    counters.add('capture.pcap.out_of_window', counts.outOfWindow)
    reader.close()
  }

  return {
    kind: 'pcap',
    origin: {
      host: options.host ?? 'pcap',
      monotonicBaseNs: BigInt(MONOTONIC_BASE_NS),
      wallBaseNs: BigInt(base.seconds) * 1_000_000_000n + BigInt(base.nanos),
      kernel: '',
    },
    control: NO_CONTROL,
    read: () => {
      if (ended) return undefined
      while (!finished && batch.length < BATCH_BYTES) {
        const packet = waiting ?? next()
        waiting = undefined
        if (packet === undefined) finish()
        else work(packet)
      }
      if (batch.length > 0) return batch.take()
      ended = true
      if (damage !== undefined) throw damage
      return undefined
    },
    get ended() {
      return ended
    },
    close: async () => {
      ended = true
      reader.close()
    },
  }
}
