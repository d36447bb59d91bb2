import { Op, WireRole, WireTransport } from './event-layout.js'
import { createFlowKeys } from './flow-keys.js'
import type { TcpSegment } from './packet-layers.js'
import type { PcapEndpoints } from './pcap-endpoints.js'
import type { RecordBatch, RecordedEnd } from './record-batch.js'
import { type RecordedEnds, sourceIsLow } from './tcp-connections.js'

export interface UdpFlowsOptions {
  readonly ends: RecordedEnds
  readonly batch: RecordBatch
  readonly endpoints: PcapEndpoints
  /** Most flows followed at once; beyond it the oldest is closed. */
  readonly flowLimit: number
  /** The number of the first flow's first end; those of TCP's connections lie below. */
  readonly firstNumber: number
}

/** Datagrams between two ports: as if each end had a socket of its own for the other. */
export interface UdpFlows {
  add(datagram: TcpSegment, timeNs: number): void
  readonly opened: number
}

interface Flow {
  /** Ends that get records, by whether they are the one that sent the flow's first datagram. */
  readonly first: RecordedEnd | undefined
  readonly second: RecordedEnd | undefined
  /** The first datagram's source is the end that sorts first. */
  readonly firstFromLow: boolean
}

interface End {
  readonly address: Uint8Array
  readonly port: number
}

export function createUdpFlows({ ends, batch, endpoints, flowLimit, firstNumber }: UdpFlowsOptions): UdpFlows {
  const flows = new Map<string, Flow>()
  const keys = createFlowKeys()
  let opened = 0

  const announce = (local: End, remote: End, isServer: boolean, number: number, timeNs: number): RecordedEnd => {
    const pid = endpoints.pidOf(local.address, isServer ? local.port : 0, isServer, timeNs)
    const end = { connection: number, pid }
    batch.connection(end, timeNs, {
      localIsn: 0,
      remoteIsn: 0,
      // What is said tells who asks.
      role: WireRole.unknown,
      transport: WireTransport.udp,
      midlife: false,
      localAddress: local.address,
      remoteAddress: remote.address,
      localPort: local.port,
      remotePort: remote.port,
    })
    return end
  }
  const open = (datagram: TcpSegment, firstFromLow: boolean, timeNs: number): Flow => {
    const source = endOf(datagram, datagram.sourceAddress, datagram.sourcePort)
    const destination = endOf(datagram, datagram.destinationAddress, datagram.destinationPort)
    const number = firstNumber + opened++ * 2
    // The one with the smaller port serves, as far as records go; with equal ports the one that was called first.
    const sourceServes = source.port < destination.port
    const wants = (serves: boolean): boolean => ends === 'both' || ends === (serves ? 'server' : 'client')
    return {
      firstFromLow,
      first: wants(sourceServes) ? announce(source, destination, sourceServes, number, timeNs) : undefined,
      second: wants(!sourceServes) ? announce(destination, source, !sourceServes, number + 1, timeNs) : undefined,
    }
  }
  const makeRoom = (timeNs: number): void => {
    if (flows.size < flowLimit) return
    const [key, { first, second }] = flows.entries().next().value!
    flows.delete(key)
    for (const end of [first, second]) if (end !== undefined) batch.close(end, timeNs)
  }

  return {
    add: (datagram, timeNs) => {
      const fromLow = sourceIsLow(datagram)
      const key = keys.keyOf(datagram, fromLow)
      let flow = flows.get(key)
      if (flow === undefined) {
        makeRoom(timeNs)
        flow = open(datagram, fromLow, timeNs)
        flows.set(key, flow)
      }
      const fromFirst = flow.firstFromLow === fromLow
      const sender = fromFirst ? flow.first : flow.second
      const receiver = fromFirst ? flow.second : flow.first
      const { bytes, start, end, length } = datagram
      if (length === 0) return
      if (sender !== undefined) batch.data(Op.send, sender, timeNs, 0, bytes, start, end, length)
      if (receiver !== undefined) batch.data(Op.receive, receiver, timeNs, 0, bytes, start, end, length)
    },
    get opened() {
      return opened
    },
  }
}

function endOf({ bytes, addressBytes }: TcpSegment, address: number, port: number): End {
  return { address: bytes.slice(address, address + addressBytes), port }
}
