import { AF_INET, ipv4Text } from '../capture/address-text.js'
import { type Connection, type Endpoint, NO_ENDPOINT } from '../capture/connection.js'
import { DATA, Op } from '../capture/event-layout.js'
import type { EventReader } from '../capture/event-reader.js'
import { hashOf } from '../protocols/key-hash.js'
import type { CopyPolicy, ProtocolModule, Sender } from '../protocols/protocol.js'
import type { RouteTemplates } from '../protocols/route-templates.js'
import type { Counters } from '../telemetry/counters.js'
import type { ConnectionState } from './connection-state.js'

/** Bytes of a datagram that go into its place: the same at both ends, however much of it was copied. */
const HASHED_BYTES = 64
/** In a connection key, beside the client's port: tells datagrams' keys from all others. */
const DATAGRAM_KEY = 0x1_0000_0011
const LONGEST_LOOK = 256
/** Datagrams that no module recognises before the socket is left alone. */
const BOUNDED_LOOK = 8
/** The kernel announces a socket again that has been quiet for half of that. */
const QUIET_NS = 60e9
const MOST_SOCKETS = 4096
/** A socket that is busy is noted once in so long. */
const USED_NS = 1e9

export interface DatagramsOptions {
  readonly modules: readonly ProtocolModule[]
  readonly counters: Counters
  readonly routes: (endpoint: string) => RouteTemplates
  readonly leaveAlone: (state: ConnectionState) => void
  readonly ask: (state: ConnectionState, wants: CopyPolicy) => void
  /** Nothing tells that a socket was closed: one that has been quiet is over. */
  readonly forget: (state: ConnectionState) => void
}

/**
 * Sockets whose calls move whole messages. All of one socket's peers share its state: a client may ask several servers
 * at once, and a server's socket has no peer at all. Who asked is known where the kernel could tell (a send names its
 * peer, a receive on a socket without one does not): at the latest when it is answered.
 */
export interface Datagrams {
  opened(state: ConnectionState, timeNs: number): void
  /** One datagram of a socket that is followed. */
  read(state: ConnectionState, record: EventReader): void
}

export function createDatagrams(options: DatagramsOptions): Datagrams {
  const modules = options.modules.filter(({ detectDatagram }) => detectDatagram !== undefined)

  const recognise = (state: ConnectionState, record: EventReader, isSend: boolean): boolean => {
    const end = record.payload + Math.min(record.headLength, LONGEST_LOOK)
    for (const module of modules) {
      const { match, sender } = module.detectDatagram!(record.bytes, record.payload, end)
      if (match !== 'yes' || sender === undefined) continue
      const { connection } = state
      connection.role = isSend === (sender === 'client') ? 'client' : 'server'
      const server = connection.role === 'client' ? connection.remote : connection.local
      state.module = module
      state.protocol = module.open({
        sink: state,
        counters: options.counters,
        joined: state.joined,
        routes: options.routes(`${server.address}:${server.port}`),
        datagrams: true,
      })
      options.counters.add(`samples.sockets.${module.name}`)
      options.ask(state, module.wants)
      return true
    }
    if (++state.unrecognised >= BOUNDED_LOOK) options.leaveAlone(state)
    return false
  }

  /** By the time of their latest datagram. */
  const sockets = new Map<ConnectionState, number>()
  const used = (state: ConnectionState, timeNs: number): void => {
    const lastNs = sockets.get(state)
    if (lastNs !== undefined && timeNs - lastNs < USED_NS) return
    sockets.delete(state)
    sockets.set(state, timeNs)
    for (const [oldest, lastNs] of sockets) {
      if (sockets.size <= MOST_SOCKETS && timeNs - lastNs < QUIET_NS) break
      sockets.delete(oldest)
      options.forget(oldest)
    }
  }

  return {
    opened: (state, timeNs) => used(state, timeNs),
    read: (state, record) => {
      used(state, record.timeNs)
      if (record.length <= 0 || record.headLength === 0) return
      const isSend = record.op === Op.send
      if (state.protocol === undefined && !recognise(state, record, isSend)) return
      const { role } = state.connection
      const sender: Sender = isSend === (role === 'client') ? 'client' : 'server'
      const peer = peerOf(record, state.socket)
      if (sender === 'client') {
        const { connection, socket } = state
        // The peer that it is connected to was told of the question before: nothing about it changes any more.
        const isKnown = connection !== socket && connection.remote === peer && peer.port !== 0
        if (!isKnown) state.connection = asked(socket, peer)
      } else if (role === 'server' && peer !== NO_ENDPOINT) state.answeredPeer = peer
      const stream = state.stream(sender)
      stream.resume()
      const { payload, headLength, length } = record
      stream.position = placeOf(record)
      stream.push(record.bytes, payload, payload + headLength, record.timeNs)
      if (length > headLength) stream.pushHole(length - headLength, record.timeNs)
      state.protocol!.read(sender, stream)
      stream.resume()
      stream.settle()
      state.answeredPeer = undefined
      if (state.protocol!.failed) {
        state.protocol!.close()
        state.protocol = undefined
        if (++state.restarts >= BOUNDED_LOOK) options.leaveAlone(state)
      }
    },
  }
}

/** What stands for a position, which a datagram has none of: both ends compute it alike. */
function placeOf({ bytes, payload, headLength, length }: EventReader): number {
  return (hashOf(bytes, payload, payload + Math.min(headLength, HASHED_BYTES)) ^ length) >>> 0
}

/** The other end of a socket that has one, or of this call. */
function peerOf(record: EventReader, { remote }: Connection): Endpoint {
  const port = record.u16(DATA.peerPort)
  if (port === 0) return remote
  if (port === remote.port) return remote
  const isV4 = record.u16(DATA.peerFamily) === AF_INET
  return { address: isV4 ? ipv4Text(record.bytes, record.offset + DATA.position) : '', port }
}

/** The socket with the peer of one question; its key is the client's port, which both ends know. */
function asked(socket: Connection, peer: Endpoint): Connection {
  const connection = { ...socket, remote: peer }
  setDatagramKey(connection)
  return connection
}

/** No key while the client's port is not known. */
export function setDatagramKey(connection: Connection): void {
  const isClient = connection.role === 'client'
  const { port } = isClient ? connection.local : connection.remote
  connection.keyLow = port === 0 ? 0 : port
  connection.keyHigh = port === 0 ? 0 : DATAGRAM_KEY
  connection.ownsLow = isClient
}
