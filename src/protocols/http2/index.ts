import type { InputStream } from '../input-stream.js'
import type { ConnectionOptions, CopyPolicy, ProtocolConnection, ProtocolModule, Sender } from '../protocol.js'
import { detectHttp2 } from './detect.js'
import { FrameReader } from './frame-reader.js'
import { Streams } from './streams.js'

/** The end of what a server writes holds the trailers, and the frame that ends the stream. */
const WANTS: CopyPolicy = { clientHead: 1024, serverHead: 512, clientTail: 0, serverTail: 128, countOnly: false }
/** Asked for once header blocks on a connection were seen not to fit. */
const LONG_BLOCK = 4096

class Http2Connection implements ProtocolConnection {
  readonly #streams: Streams
  readonly #client: FrameReader
  readonly #server: FrameReader
  #wants: CopyPolicy | undefined

  constructor({ sink, counters, joined, routes }: ConnectionOptions) {
    this.#streams = new Streams(sink, counters, routes)
    this.#client = new FrameReader('client', this.#streams, joined)
    this.#server = new FrameReader('server', this.#streams, joined, this.#client)
  }

  read(sender: Sender, stream: InputStream): void {
    if (this.failed) return
    if (sender === 'client') this.#client.read(stream)
    else this.#server.read(stream)
    if (this.failed) this.#streams.abandonAll()
  }

  close(): void {
    this.#streams.abandonAll()
  }

  get failed(): boolean {
    return this.#client.failed || this.#server.failed
  }

  get wants(): CopyPolicy | undefined {
    const clientHead = this.#client.sawCutBlock ? LONG_BLOCK : WANTS.clientHead
    const serverHead = this.#server.sawCutBlock ? LONG_BLOCK : WANTS.serverHead
    if (clientHead === WANTS.clientHead && serverHead === WANTS.serverHead) return undefined
    if (this.#wants?.clientHead !== clientHead || this.#wants.serverHead !== serverHead) {
      this.#wants = { ...WANTS, clientHead, serverHead }
    }
    return this.#wants
  }
}

/** HTTP/2 (RFC 9113) and gRPC over it. */
export const http2: ProtocolModule = {
  name: 'http2',
  leaf: false,
  wants: WANTS,
  detect: detectHttp2,
  open: options => new Http2Connection(options),
}
