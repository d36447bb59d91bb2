import { Attribute } from '../attribute-names.js'
import type { InputStream } from '../input-stream.js'
import type {
  ConnectionOptions,
  CopyPolicy,
  Exchange,
  ProtocolConnection,
  ProtocolModule,
  Sender,
} from '../protocol.js'
import { detectTls } from './detect.js'
import { type Hello, readHello } from './hello.js'
import { ContentType, HandshakeType, RECORD_HEADER, recordLength } from './records.js'

/** Hellos; nothing else of a connection can be read. */
const WANTS: CopyPolicy = { clientHead: 2048, serverHead: 256, clientTail: 0, serverTail: 0, countOnly: false }
const OPAQUE: CopyPolicy = { clientHead: 0, serverHead: 0, clientTail: 0, serverTail: 0, countOnly: true }
/** What is kept of a hello that comes in pieces. */
const LONGEST_HELLO = 16_384

/** Reads the two hellos of a connection and nothing behind them. */
class TlsConnection implements ProtocolConnection {
  readonly failed = false
  readonly #options: ConnectionOptions
  readonly #done = { client: false, server: false }
  #handshake: Exchange | undefined
  #opaque = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    // Where the beginning was not seen nothing will be told in the clear any more.
    if (options.joined) this.#close()
  }

  read(sender: Sender, stream: InputStream): void {
    if (!this.#opaque && !this.#done[sender]) this.#readHello(sender, stream)
    if (this.#opaque || this.#done[sender]) stream.resume()
    stream.dropped = 0
  }

  close(): void {
    if (this.#handshake !== undefined) this.#options.sink.abandon(this.#handshake)
    this.#handshake = undefined
    this.#opaque = true
  }

  get wants(): CopyPolicy | undefined {
    return this.#opaque ? OPAQUE : undefined
  }

  #readHello(sender: Sender, stream: InputStream): void {
    const { bytes, start, end } = stream
    const isHandshake = start < end && bytes[start] === ContentType.handshake
    const type = sender === 'client' ? HandshakeType.clientHello : HandshakeType.serverHello
    if (stream.dropped > 0 || (start < end && !isHandshake) || (start === end && stream.hole > 0)) {
      this.#pass(sender)
      return
    }
    const message = start + RECORD_HEADER
    const record = end - start >= RECORD_HEADER ? recordLength(bytes, start) : 0
    const whole = record > 0 && message + record <= end
    if (!whole && stream.hole === 0 && end - start < LONGEST_HELLO && !stream.ended) return
    if (message >= end || bytes[message] !== type) {
      this.#pass(sender)
      return
    }
    const stop = Math.min(end, message + record)
    const hello = readHello(bytes, message, stop, whole)
    if (sender === 'client') this.#began(hello, stream)
    else this.#answered(hello, stream, Math.min(end - start, RECORD_HEADER + record))
    this.#done[sender] = true
    if (sender === 'server') this.#close()
  }

  /** No hello of this sender's will be seen. */
  #pass(sender: Sender): void {
    this.#done[sender] = true
    if (sender === 'server') {
      this.close()
      this.#close()
    }
  }

  #began(hello: Hello, stream: InputStream): void {
    const exchange: Exchange = {
      protocol: 'tls',
      initiator: 'client',
      shape: 'call',
      name: 'TLS handshake',
      attributes: {},
      clientError: undefined,
      serverError: undefined,
      contentKeys: [],
      truncated: hello.cut,
      housekeeping: false,
      requestBodyBytes: undefined,
      responseBodyBytes: undefined,
      tag: 0,
      follower: undefined,
    }
    if (hello.serverName !== undefined) exchange.attributes[Attribute.serverAddress] = hello.serverName
    if (hello.protocols.length > 0) {
      exchange.attributes[Attribute.ghostspanTlsOfferedProtocols] = hello.protocols.join(',')
    }
    this.#handshake = exchange
    this.#options.sink.begin(exchange, stream.position)
  }

  #answered(hello: Hello, stream: InputStream, length: number): void {
    const exchange = this.#handshake
    if (exchange === undefined) return
    this.#handshake = undefined
    if (hello.version !== undefined) exchange.attributes[Attribute.tlsProtocolVersion] = hello.version
    // TLS 1.3 tells what the server took under encryption only.
    const [taken] = hello.protocols
    if (taken !== undefined) exchange.attributes[Attribute.tlsNextProtocol] = taken
    if (hello.cut) exchange.truncated = true
    this.#options.sink.responseBegin(exchange, stream.position)
    this.#options.sink.end(exchange, stream.position + length)
  }

  #close(): void {
    if (this.#opaque) return
    this.#opaque = true
    this.#options.counters.add('protocols.tls.opaque')
  }
}

/** TLS 1.0 to 1.3: recognised, and left alone behind the hellos. */
export const tls: ProtocolModule = {
  name: 'tls',
  leaf: false,
  wants: WANTS,
  detect: detectTls,
  open: options => new TlsConnection(options),
}
