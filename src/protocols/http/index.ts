import type { InputStream } from '../input-stream.js'
import type { ConnectionOptions, CopyPolicy, ProtocolConnection, ProtocolModule, Sender } from '../protocol.js'
import { detectHttp } from './detect.js'
import { Pairing } from './pair.js'
import { RequestReader } from './request-reader.js'
import { ResponseReader } from './response-reader.js'

const WANTS: CopyPolicy = { clientHead: 1024, serverHead: 512, clientTail: 0, serverTail: 0, countOnly: false }
/** Asked for once heads on a connection were seen not to fit. */
const LONG_HEAD = 4096

class HttpConnection implements ProtocolConnection {
  readonly #pairing: Pairing
  readonly #requests: RequestReader
  readonly #responses: ResponseReader

  constructor({ sink, counters, joined, routes }: ConnectionOptions) {
    this.#pairing = new Pairing(sink, counters)
    this.#requests = new RequestReader(this.#pairing, routes, joined)
    this.#responses = new ResponseReader(this.#pairing, joined, exchange => this.#requests.answered(exchange))
  }

  read(sender: Sender, stream: InputStream): void {
    if (sender === 'client') this.#requests.read(stream)
    else this.#responses.read(stream)
  }

  close(): void {
    if (!this.#pairing.failed) this.#responses.close()
    this.#pairing.abandonAll()
  }

  get failed(): boolean {
    return this.#pairing.failed
  }

  get wants(): CopyPolicy | undefined {
    const { sawCutHead: longRequests } = this.#requests
    const { sawCutHead: longResponses } = this.#responses
    if (!longRequests && !longResponses) return undefined
    return {
      ...WANTS,
      clientHead: longRequests ? LONG_HEAD : WANTS.clientHead,
      serverHead: longResponses ? LONG_HEAD : WANTS.serverHead,
    }
  }
}

/** HTTP/1.0 and HTTP/1.1 (RFC 9110, RFC 9112). */
export const http: ProtocolModule = {
  name: 'http',
  leaf: false,
  wants: WANTS,
  detect: detectHttp,
  open: options => new HttpConnection(options),
}
