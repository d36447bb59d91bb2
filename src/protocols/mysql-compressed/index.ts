import type { Counter } from '../../telemetry/counters.js'
import { InputStream } from '../input-stream.js'
import { MysqlConnection } from '../mysql/pair.js'
import type { ConnectionOptions, CopyPolicy, ProtocolConnection, ProtocolModule, Sender } from '../protocol.js'
import { detectCompressed } from './detect.js'
import { type FrameHeader, HEADER, readFrameHeader, unpackFrame } from './frame.js'
import { FrameSink } from './frame-sink.js'

/** A frame's content is needed from its beginning: statements, and the first packets of an answer. */
const WANTS: CopyPolicy = { clientHead: 1024, serverHead: 1024, clientTail: 0, serverTail: 0, countOnly: false }
/** Of a frame that is longer, what has come by then is read. */
const WAITED_FOR = 32_768
const MOST_REFUSED = 16

/** Frames of both directions, unpacked for the module that reads their packets. */
class CompressedConnection implements ProtocolConnection {
  readonly #sink: FrameSink
  readonly #inner: MysqlConnection
  readonly #streams = { client: new InputStream(), server: new InputStream() }
  readonly #synced = { client: false, server: false }
  readonly #lost: Counter
  readonly #hidden: Counter
  #refused = 0

  constructor(options: ConnectionOptions) {
    const { counters } = options
    this.#sink = new FrameSink(options.sink)
    // Compression begins behind the login, which another has read.
    this.#inner = new MysqlConnection({ ...options, sink: this.#sink, joined: true })
    this.#lost = counters.counter('protocols.mysql_compressed.lost_place')
    this.#hidden = counters.counter('protocols.mysql_compressed.not_unpacked')
  }

  get failed(): boolean {
    return this.#inner.failed || this.#refused > MOST_REFUSED
  }

  read(sender: Sender, stream: InputStream): void {
    if (stream.dropped > 0) {
      stream.dropped = 0
      this.#lose(sender, stream.timeNs)
    }
    while (!this.failed && !stream.skipping && this.#frame(sender, stream)) {}
  }

  close(): void {
    this.#inner.close()
  }

  #lose(sender: Sender, timeNs: number): void {
    this.#synced[sender] = false
    this.#lost.value++
    // What is behind does not follow what was unpacked before.
    const inner = this.#streams[sender]
    inner.resume()
    inner.pushHole(inner.owed + 1, timeNs)
    this.#inner.read(sender, inner)
    inner.settle()
  }

  /** Takes one frame; false while it is not there. */
  #frame(sender: Sender, stream: InputStream): boolean {
    const { bytes, start, end, hole } = stream
    if (start === end && hole === 0) return false
    if (end - start < HEADER) {
      if (hole > 0) this.#giveUp(sender, stream)
      return false
    }
    const frame = readFrameHeader(bytes, start)
    if (frame === undefined) {
      this.#refused++
      this.#giveUp(sender, stream)
      return false
    }
    const isHere = end - start >= Math.min(HEADER + frame.length, WAITED_FOR)
    if (!isHere && hole === 0) return false
    if (!this.#synced[sender] && !this.#mayBegin(sender, stream, frame)) {
      stream.resume()
      return false
    }
    this.#synced[sender] = true
    const place = this.#sink.places[sender]
    place.start = stream.position
    place.end = Math.min(stream.position + HEADER + frame.length, stream.come)
    const stop = Math.min(end, start + HEADER + frame.length)
    this.#unpack(sender, stream, frame, start + HEADER, stop)
    stream.skip(HEADER + frame.length)
    return true
  }

  /** A client's frames begin with a command; a server's are believed once a command waits for its answer. */
  #mayBegin(sender: Sender, { bytes, start, end }: InputStream, frame: FrameHeader): boolean {
    if (sender === 'server') return this.#synced.client && frame.sequence <= 1
    const found = detectCompressed(bytes, start, end)
    return frame.sequence === 0 && (found.match === 'yes' || (found.match === 'maybe' && this.#synced.server))
  }

  #unpack(sender: Sender, stream: InputStream, frame: FrameHeader, from: number, to: number): void {
    const inner = this.#streams[sender]
    const { bytes, timeNs } = stream
    const isPacked = frame.unpacked > 0
    const content = isPacked ? unpackFrame(bytes, from, to, frame.unpacked) : bytes.subarray(from, to)
    const length = isPacked ? frame.unpacked : frame.length
    const here = content?.length ?? 0
    if (here > 0) {
      inner.push(content!, 0, here, timeNs)
      this.#inner.read(sender, inner)
    }
    if (here < length) {
      this.#hidden.value++
      inner.pushHole(length - here, timeNs)
      this.#inner.read(sender, inner)
    }
    inner.settle()
  }

  #giveUp(sender: Sender, stream: InputStream): void {
    stream.resume()
    this.#lose(sender, stream.timeNs)
  }
}

/** MySQL's and MariaDB's protocol where both ends have agreed to compress it. */
export const mysqlCompressed: ProtocolModule = {
  name: 'mysql-compressed',
  leaf: true,
  wants: WANTS,
  detect: detectCompressed,
  open: options => new CompressedConnection(options),
}
