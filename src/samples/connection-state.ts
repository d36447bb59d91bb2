import type { Connection, Endpoint } from '../capture/connection.js'
import { InputStream } from '../protocols/input-stream.js'
import type {
  CopyPolicy,
  Exchange,
  ExchangeSink,
  ProtocolConnection,
  ProtocolModule,
  Sender,
} from '../protocols/protocol.js'
import type { Activity } from './activity.js'
import { setDatagramKey } from './datagrams.js'
import type { Sample } from './sample.js'
import type { SampleRecorder } from './sample-recorder.js'

/**
 * One connection as the driver follows it: two streams, the module that reads them, and the samples of the exchanges
 * that the module has reported and not yet ended.
 */
export class ConnectionState implements ExchangeSink {
  /** Of datagrams: the socket with the peer of the latest question. */
  connection: Connection
  /** As it was announced. */
  readonly socket: Connection
  /** Datagrams: to whom the answer that is being read goes. */
  answeredPeer: Endpoint | undefined
  client = new InputStream()
  server = new InputStream()
  module: ProtocolModule | undefined
  protocol: ProtocolConnection | undefined
  /** Chunks that no module recognised so far; beyond a bound the connection is left alone. */
  unrecognised = 0
  /** Times that a module gave the connection up since the last answer was understood. */
  restarts = 0
  opaque = false
  /** False until the first bytes of each direction have fixed its position. */
  clientStarted = false
  serverStarted = false
  /** Bytes at the beginning were not seen: no handshake may be assumed. */
  joined: boolean
  /** What the kernel was last asked to copy. */
  wants: CopyPolicy | undefined
  /** The activity in which connect() was called, until the first bytes are written. */
  connectActivity: Activity | undefined
  connectTid = 0
  /** Grows with everything that the module reports. */
  reports = 0
  exchanges = 0

  readonly #recorder: SampleRecorder
  /** Samples that have begun and not ended, oldest first. */
  readonly #open: Sample[] = []

  constructor(connection: Connection, recorder: SampleRecorder) {
    this.connection = connection
    this.socket = connection
    this.joined = connection.midlife
    this.#recorder = recorder
  }

  stream(sender: Sender): InputStream {
    return sender === 'client' ? this.client : this.server
  }

  begin(exchange: Exchange, offset: number): void {
    this.reports++
    const ordinal = this.exchanges++
    if (exchange.housekeeping) {
      this.connectActivity = undefined
      return
    }
    const sample = this.#recorder.begin(this, exchange, offset, ordinal, this.stream(exchange.initiator).timeNs)
    this.connectActivity = undefined
    exchange.follower = sample
    this.#open.push(sample)
  }

  requestEnd(exchange: Exchange, offset: number): void {
    this.reports++
    const sample = exchange.follower as Sample | undefined
    if (sample !== undefined) this.#recorder.requestEnd(sample, offset)
  }

  responseBegin(exchange: Exchange, offset: number): void {
    const sample = exchange.follower as Sample | undefined
    if (sample === undefined) return
    if (this.answeredPeer !== undefined && sample.connection.keyHigh === 0) this.#knowPeer(sample, this.answeredPeer)
    this.#recorder.responseBegin(sample, offset)
  }

  end(exchange: Exchange, offset: number, timeNs?: number): void {
    const sample = this.#leave(exchange)
    if (sample === undefined) return
    this.restarts = 0
    this.#recorder.end(sample, offset, timeNs)
  }

  abandon(exchange: Exchange): void {
    const sample = this.#leave(exchange)
    if (sample !== undefined) this.#recorder.abandon(sample)
  }

  /** What more bytes from the other end belong to: the request that is being read, or the call that is answered next. */
  get reading(): Sample | undefined {
    if (this.connection.role === 'client') return this.#open.find(({ side }) => side === 'client')
    return this.#open.find(isBeingRead)
  }

  /** The client's request is being read and has not ended. */
  get readingRequest(): boolean {
    return this.#open.some(isBeingRead)
  }

  /** This end turns out to play the other part. */
  turnRound(): void {
    const { client, server, clientStarted, serverStarted } = this
    this.connection.role = this.connection.role === 'client' ? 'server' : 'client'
    this.client = server
    this.server = client
    this.clientStarted = serverStarted
    this.serverStarted = clientStarted
  }

  /** The connection's key has become known: its open samples get theirs. */
  keyed(): void {
    for (const sample of this.#open) this.#recorder.keyed(sample)
  }

  /** The connection is gone: what a module left open is given up. */
  close(): void {
    this.protocol?.close()
    for (const sample of this.#open.slice()) this.abandon(sample.exchange)
  }

  /** Who asked is known only now. */
  #knowPeer(sample: Sample, peer: Endpoint): void {
    sample.connection.remote = peer
    setDatagramKey(sample.connection)
    this.#recorder.keyed(sample)
  }

  #leave(exchange: Exchange): Sample | undefined {
    const sample = exchange.follower as Sample | undefined
    if (sample === undefined) return undefined
    exchange.follower = undefined
    const open = this.#open
    const at = open.indexOf(sample)
    if (at < 0) return sample
    // Without the list that splice would return.
    for (let i = at + 1; i < open.length; i++) open[i - 1] = open[i]!
    open.pop()
    return sample
  }
}

function isBeingRead({ side, requestEndNs }: Sample): boolean {
  return side === 'server' && Number.isNaN(requestEndNs)
}
