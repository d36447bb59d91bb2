import type { Counter } from '../../telemetry/counters.js'
import { createCgiExchange, describeRequest, describeStatus } from '../cgi/describe.js'
import { LONGEST_HEAD, readResponseHead } from '../cgi/response-head.js'
import { CgiVariables } from '../cgi/variables.js'
import type { InputStream } from '../input-stream.js'
import type {
  ConnectionOptions,
  CopyPolicy,
  Detection,
  Exchange,
  ProtocolConnection,
  ProtocolModule,
  Sender,
} from '../protocol.js'
import { detectUwsgi, HEADER, sizeAt } from './detect.js'

/** Variables of a usual request have 500 to 1,500 bytes. */
const WANTS: CopyPolicy = { clientHead: 4096, serverHead: 512, clientTail: 0, serverTail: 0, countOnly: false }
/** Without a body, whatever the head says (RFC 9110, 6.4.1). */
const hasNoBody = (exchange: Exchange, status: number): boolean =>
  status === 204 || status === 304 || exchange.attributes['http.request.method'] === 'HEAD'

/** One request, its body, its answer; then the connection is closed. */
class UwsgiConnection implements ProtocolConnection {
  failed = false
  readonly #options: ConnectionOptions
  readonly #lost: Counter
  #exchange: Exchange | undefined
  /** The request's last byte has not come. */
  #sending = false
  /** Its end is not known: its length was not seen. */
  #endless = false
  #answering = false
  /** The answer's end is known by its length. */
  #bounded = false
  /** Where, and when, the answer's last bytes so far were seen. */
  #answeredTo = 0
  #answeredNs = 0

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#lost = options.counters.counter('protocols.uwsgi.not_followed')
  }

  read(sender: Sender, stream: InputStream): void {
    if (sender === 'client') this.#readClient(stream)
    else this.#readServer(stream)
    stream.dropped = 0
  }

  /** An answer without a length ends with the connection. */
  close(): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    if (this.#answering && !this.#bounded) this.#end(this.#answeredTo, this.#answeredNs)
    else {
      this.#exchange = undefined
      this.#options.sink.abandon(exchange)
    }
  }

  #readClient(stream: InputStream): void {
    if (stream.skipping) return
    if (this.#sending) this.#sent(stream.position)
    if (this.#exchange !== undefined) {
      const next = this.#sending || this.#endless ? 'no' : this.#nextBegins(stream)
      if (next === 'maybe') return
      // What follows a request without a known length is part of its body.
      if (next === 'no') {
        stream.resume()
        return
      }
      this.#giveUp()
    }
    const { bytes, start, end, hole } = stream
    if (start === end) {
      stream.resume()
      return
    }
    if (end - start < HEADER) {
      if (hole > 0) this.#lose(stream)
      return
    }
    const size = sizeAt(bytes, start + 1)
    if (end - start < HEADER + size && hole === 0) {
      if (detectUwsgi(bytes, start, Math.min(end, start + 256)).match === 'no') this.failed = true
      return
    }
    if (detectUwsgi(bytes, start, Math.min(end, start + 256)).match !== 'yes') {
      this.failed = true
      return
    }
    this.#begin(stream, size)
  }

  #begin(stream: InputStream, size: number): void {
    const { bytes, start, end, position } = stream
    const stop = start + HEADER + size
    const variables = readVariables(bytes, start + HEADER, Math.min(end, stop))
    const exchange = createCgiExchange('uwsgi')
    describeRequest(exchange, variables, this.#options.routes)
    const isCut = end < stop
    const length = variables.contentLength
    this.#endless = length < 0 || (isCut && !variables.has('CONTENT_LENGTH'))
    exchange.truncated = isCut && (this.#endless || !variables.has('REQUEST_URI'))
    this.#exchange = exchange
    this.#options.sink.begin(exchange, position)
    stream.skip(HEADER + size + Math.max(0, length))
    if (this.#endless) return
    this.#sending = true
    if (!stream.skipping) this.#sent(stream.position)
  }

  #sent(offset: number): void {
    this.#sending = false
    if (this.#exchange !== undefined && !this.#answering) this.#options.sink.requestEnd(this.#exchange, offset)
  }

  #readServer(stream: InputStream): void {
    if (stream.skipping) return
    if (this.#exchange === undefined) {
      stream.resume()
      return
    }
    if (this.#bounded) {
      this.#end(stream.position)
      stream.resume()
      return
    }
    if (!this.#answering && !this.#beginAnswer(stream)) {
      // The whole of a connection's answer, and its head never ended.
      if (!stream.ended) return
    }
    if (this.#bounded) {
      if (!stream.skipping) this.#end(stream.position)
      return
    }
    if (stream.available + stream.hole > 0) this.#answeredNs = stream.timeNs
    stream.resume()
    this.#answeredTo = stream.position
    if (stream.ended && this.#answering) this.#end(stream.position, this.#answeredNs)
  }

  /** Behind a request's end: another one, though the end of the answer before has not been seen. */
  #nextBegins({ bytes, start, end, hole }: InputStream): Detection['match'] {
    const { match } = detectUwsgi(bytes, start, Math.min(end, start + 256))
    return match === 'maybe' && hole > 0 ? 'no' : match
  }

  #giveUp(): void {
    const exchange = this.#exchange!
    exchange.truncated = true
    if (this.#answering) {
      this.#end(this.#answeredTo, this.#answeredNs)
      return
    }
    this.#exchange = undefined
    this.#options.sink.abandon(exchange)
  }

  /** False while the head is not there. */
  #beginAnswer(stream: InputStream): boolean {
    const { bytes, start, end, hole, position, timeNs } = stream
    if (start === end && hole === 0) return false
    const exchange = this.#exchange!
    const head = readResponseHead(bytes, start, end)
    const isHere = head.end >= 0 || hole > 0 || end - start >= LONGEST_HEAD || stream.ended
    if (!isHere) return false
    if (this.#sending || this.#endless) this.#sending = this.#endless = false
    this.#answering = true
    this.#answeredNs = timeNs
    describeStatus(exchange, head.status)
    if (head.status === 0) exchange.truncated = true
    this.#options.sink.responseBegin(exchange, position)
    if (head.end < 0) return true
    const length = hasNoBody(exchange, head.status) ? 0 : head.contentLength
    if (length < 0) return true
    this.#bounded = true
    exchange.responseBodyBytes = length
    stream.skip(head.end - start + length)
    return true
  }

  #end(offset: number, timeNs?: number): void {
    const exchange = this.#exchange!
    this.#exchange = undefined
    this.#sending = this.#endless = this.#answering = this.#bounded = false
    if (timeNs === undefined) this.#options.sink.end(exchange, offset)
    else this.#options.sink.end(exchange, offset, timeNs)
  }

  #lose(stream: InputStream): void {
    this.#lost.value++
    stream.resume()
  }
}

/** Pairs of texts, each behind its length, as far as they are here. */
function readVariables(bytes: Uint8Array, from: number, end: number): CgiVariables {
  const variables = new CgiVariables()
  let at = from
  while (at + 2 <= end) {
    const nameStart = at + 2
    const nameEnd = nameStart + sizeAt(bytes, at)
    if (nameEnd + 2 > end) break
    const valueStart = nameEnd + 2
    const valueEnd = valueStart + sizeAt(bytes, nameEnd)
    if (valueEnd > end) break
    variables.add(bytes, nameStart, nameEnd, valueStart, valueEnd)
    at = valueEnd
  }
  return variables
}

/** The uwsgi protocol, as web servers speak it to applications. */
export const uwsgi: ProtocolModule = {
  name: 'uwsgi',
  leaf: false,
  wants: WANTS,
  detect: detectUwsgi,
  open: options => new UwsgiConnection(options),
}
