import { Op, WireRole } from './event-layout.js'
import { createFlowKeys } from './flow-keys.js'
import { TcpFlag, type TcpSegment } from './packet-layers.js'
import type { PcapEndpoints } from './pcap-endpoints.js'
import type { RecordBatch, RecordedEnd } from './record-batch.js'
import { type ReassemblyCounts, type ReassemblyLimits, TcpDirection } from './tcp-reassembly.js'

/** Which ends of the connections get records, as if the capture had been taken there. */
export type RecordedEnds = 'both' | 'client' | 'server'

export interface TcpConnectionsOptions {
  readonly ends: RecordedEnds
  readonly batch: RecordBatch
  readonly endpoints: PcapEndpoints
  readonly counts: ReassemblyCounts
  readonly limits: ReassemblyLimits
  /** Most connections followed at once; beyond it the oldest are told as far as they are known, and forgotten. */
  readonly connectionLimit: number
}

/** Ports from here on are given to clients by the systems in use (Linux 32768, others 49152). */
const FIRST_EPHEMERAL_PORT = 32_768
/** Connections that have ended and are remembered, so that late repetitions are not taken for new ones. */
const MOST_REMEMBERED = 4096

/** The TCP connections of a capture: which packets belong together, who opened them, when they end. */
export interface TcpConnections {
  /** Takes one segment; its bytes are copied if they must wait. `timeNs` is that of its record. */
  add(segment: TcpSegment, timeNs: number): void
  /** The capture is over: everything known is told. */
  finish(): void
  readonly opened: number
  readonly evicted: number
}

export function createTcpConnections(options: TcpConnectionsOptions): TcpConnections {
  const connections = new Map<string, TcpConnection>()
  const keys = createFlowKeys()
  const ended: string[] = []
  let opened = 0
  let evicted = 0

  const forget = (key: string, connection: TcpConnection): void => {
    connections.delete(key)
    connection.end()
  }
  const makeRoom = (): void => {
    while (ended.length > MOST_REMEMBERED) {
      const key = ended.shift()!
      if (connections.get(key)?.ended === true) connections.delete(key)
    }
    if (connections.size < options.connectionLimit) return
    const oldest = connections.entries().next().value
    if (oldest === undefined) return
    if (!oldest[1].ended) evicted++
    forget(...oldest)
  }
  const open = (key: string, segment: TcpSegment, fromLow: boolean, timeNs: number): TcpConnection => {
    const known = connections.get(key)
    if (known !== undefined) forget(key, known)
    makeRoom()
    const connection = new TcpConnection(options, ++opened, segment, fromLow, timeNs)
    connections.set(key, connection)
    return connection
  }

  return {
    add: (segment, timeNs) => {
      const fromLow = sourceIsLow(segment)
      const key = keys.keyOf(segment, fromLow)
      let connection = connections.get(key)
      const isSyn = (segment.flags & TcpFlag.syn) !== 0
      if (connection === undefined) {
        // Of a connection met in mid-life only what moves bytes is of interest.
        if (!isSyn && segment.length === 0) return
        connection = open(key, segment, fromLow, timeNs)
      } else if (connection.isOver(segment, fromLow)) {
        if (!isSyn && segment.length === 0) return
        connection = open(key, segment, fromLow, timeNs)
      } else if (connection.ended) return
      connection.add(segment, fromLow, timeNs)
      if (connection.ended) ended.push(key)
    },
    finish: () => {
      for (const connection of connections.values()) connection.flush()
      connections.clear()
    },
    get opened() {
      return opened
    },
    get evicted() {
      return evicted
    },
  }
}

/** Which end of a connection sorts first, by address, then by port. */
export function sourceIsLow({
  bytes,
  sourceAddress,
  destinationAddress,
  addressBytes,
  sourcePort,
  destinationPort,
}: TcpSegment) {
  for (let i = 0; i < addressBytes; i++) {
    const difference = bytes[sourceAddress + i]! - bytes[destinationAddress + i]!
    if (difference !== 0) return difference < 0
  }
  return sourcePort <= destinationPort
}

interface Peer {
  readonly address: Uint8Array
  readonly port: number
}

class TcpConnection {
  ended = false

  readonly #options: TcpConnectionsOptions
  readonly #number: number
  readonly #client: Peer
  readonly #server: Peer
  /** The client is the end whose address and port sort first. */
  readonly #clientIsLow: boolean
  readonly #roleKnown: boolean
  readonly #midlife: boolean
  readonly #fromClient: TcpDirection
  readonly #fromServer: TcpDirection
  #clientEnd: RecordedEnd | undefined
  #serverEnd: RecordedEnd | undefined
  #announced = false
  #resetBy: TcpDirection | undefined
  /** Records of one connection never go back in time, whatever the packets' stamps do. */
  #nowNs: number

  constructor(options: TcpConnectionsOptions, number: number, first: TcpSegment, fromLow: boolean, timeNs: number) {
    this.#options = options
    this.#number = number
    this.#nowNs = timeNs
    const source = peerOf(first, first.sourceAddress, first.sourcePort)
    const destination = peerOf(first, first.destinationAddress, first.destinationPort)
    const isSyn = (first.flags & TcpFlag.syn) !== 0
    const isAck = (first.flags & TcpFlag.ack) !== 0
    const fromClient = isSyn ? !isAck : first.sourcePort === first.destinationPort || source.port > destination.port
    this.#client = fromClient ? source : destination
    this.#server = fromClient ? destination : source
    this.#clientIsLow = fromClient === fromLow
    this.#midlife = !isSyn
    this.#roleKnown = isSyn || (this.#server.port < FIRST_EPHEMERAL_PORT && this.#client.port >= FIRST_EPHEMERAL_PORT)
    const { counts, limits } = options
    this.#fromClient = new TcpDirection(this.#sink(true), counts, limits)
    this.#fromServer = new TcpDirection(this.#sink(false), counts, limits)
  }

  /** True if the segment cannot belong to this life of the two ports. */
  isOver(segment: TcpSegment, fromLow: boolean): boolean {
    const direction = fromLow === this.#clientIsLow ? this.#fromClient : this.#fromServer
    const { flags, sequence, length, acknowledged } = segment
    if ((flags & TcpFlag.syn) !== 0) {
      if (direction.base === undefined || (sequence + 1) >>> 0 === direction.base) return false
      const other = direction === this.#fromClient ? this.#fromServer : this.#fromClient
      return (flags & TcpFlag.ack) === 0 || acknowledged !== other.base
    }
    // What the other end still sent has crossed the reset. Whoever sends on after resetting is in another life, or the
    // reset was not its own.
    if (!this.ended || (this.#resetBy !== undefined && this.#resetBy !== direction)) return false
    return length > 0 && !direction.hasAll(sequence, length)
  }

  add(segment: TcpSegment, fromLow: boolean, timeNs: number): void {
    this.#nowNs = Math.max(this.#nowNs, timeNs)
    const fromClient = fromLow === this.#clientIsLow
    const direction = fromClient ? this.#fromClient : this.#fromServer
    const other = fromClient ? this.#fromServer : this.#fromClient
    const { flags, bytes, start, end, length } = segment
    const isSyn = (flags & TcpFlag.syn) !== 0
    // A SYN takes one number, before the bytes that it may carry (RFC 7413).
    const sequence = isSyn ? (segment.sequence + 1) >>> 0 : segment.sequence
    if ((flags & TcpFlag.reset) !== 0) {
      // Before the handshake only a reset that answers the SYN counts (RFC 9293, 3.10.7.3).
      const answersSyn = (flags & TcpFlag.ack) !== 0 && segment.acknowledged === other.base
      if (direction.next === undefined ? !this.#midlife && !answersSyn : !direction.believesReset(sequence)) return
      this.#resetBy = direction
      this.end()
      return
    }
    direction.begin(sequence, true)
    if ((flags & TcpFlag.ack) !== 0) {
      if (isSyn) other.begin(segment.acknowledged, true)
      other.acknowledge(segment.acknowledged, length > 0, this.#nowNs)
    }
    direction.segment(sequence, bytes, start, end, length, (flags & TcpFlag.fin) !== 0, this.#nowNs)
    other.tick(this.#nowNs)
    if (this.#fromClient.closed && this.#fromServer.closed) this.end()
  }

  flush(): void {
    this.#fromClient.flush()
    this.#fromServer.flush()
    if (this.#fromClient.closed && this.#fromServer.closed) this.end()
  }

  /** Tells what is left, and that both ends have closed. */
  end(): void {
    if (this.ended) return
    this.ended = true
    this.#fromClient.flush()
    this.#fromServer.flush()
    for (const end of [this.#clientEnd, this.#serverEnd]) {
      if (end !== undefined) this.#options.batch.close(end, this.#nowNs)
    }
  }

  #sink(fromClient: boolean) {
    const { batch } = this.#options
    return {
      moved: (position: number, bytes: Uint8Array, start: number, end: number, length: number): void => {
        if (!this.#announced) this.#announce()
        const sender = fromClient ? this.#clientEnd : this.#serverEnd
        const receiver = fromClient ? this.#serverEnd : this.#clientEnd
        if (sender !== undefined) batch.data(Op.send, sender, this.#nowNs, position, bytes, start, end, length)
        if (receiver !== undefined) batch.data(Op.receive, receiver, this.#nowNs, position, bytes, start, end, length)
      },
      finished: (): void => {
        const receiver = fromClient ? this.#serverEnd : this.#clientEnd
        const direction = fromClient ? this.#fromClient : this.#fromServer
        if (receiver === undefined) return
        batch.endOfFile(receiver, this.#nowNs, (direction.next! - direction.base!) >>> 0)
      },
    }
  }

  /** The first bytes are about to be told: both ends' first sequence numbers are known, or cannot be. */
  #announce(): void {
    this.#announced = true
    const { ends } = this.#options
    if (ends !== 'server') this.#clientEnd = this.#announceEnd(true)
    if (ends !== 'client') this.#serverEnd = this.#announceEnd(false)
  }

  #announceEnd(isClient: boolean): RecordedEnd {
    const { batch, endpoints } = this.#options
    const local = isClient ? this.#client : this.#server
    const remote = isClient ? this.#server : this.#client
    const localBase = (isClient ? this.#fromClient : this.#fromServer).base
    const remoteBase = (isClient ? this.#fromServer : this.#fromClient).base
    const pid = endpoints.pidOf(local.address, isClient ? 0 : local.port, this.#roleKnown, this.#nowNs)
    const end = { connection: this.#number * 2 - (isClient ? 1 : 0), pid }
    batch.connection(end, this.#nowNs, {
      localIsn: localBase === undefined ? 0 : (localBase - 1) >>> 0,
      remoteIsn: remoteBase === undefined ? 0 : (remoteBase - 1) >>> 0,
      role: this.#roleKnown ? (isClient ? WireRole.opened : WireRole.accepted) : WireRole.unknown,
      roleGuessed: this.#midlife && this.#roleKnown,
      midlife: this.#midlife,
      localAddress: local.address,
      remoteAddress: remote.address,
      localPort: local.port,
      remotePort: remote.port,
    })
    return end
  }
}

function peerOf(segment: TcpSegment, address: number, port: number): Peer {
  return { address: segment.bytes.slice(address, address + segment.addressBytes), port }
}
