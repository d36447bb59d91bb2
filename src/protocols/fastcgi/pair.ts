import type { Counter } from '../../telemetry/counters.js'
import { createCgiExchange, describeRequest, describeStatus } from '../cgi/describe.js'
import { readResponseHead } from '../cgi/response-head.js'
import type { InputStream } from '../input-stream.js'
import type { ConnectionOptions, ProtocolConnection, Sender } from '../protocol.js'
import { HEADER, isOfClient, isOfServer, type RecordHeader, RecordType, readHeader } from './records.js'
import { FastCgiRequest } from './request.js'

/** Requests at once on one connection; web servers send one after the other. */
const MOST_OPEN = 256
/** Bytes of an answer's first record in which its head is looked for. */
const HEAD_LOOK = 1024
const MOST_REFUSED = 8

/** Records of both directions in, exchanges out. */
export class FastCgiConnection implements ProtocolConnection {
  failed = false
  readonly #options: ConnectionOptions
  readonly #open = new Map<number, FastCgiRequest>()
  readonly #lost: Counter
  /** The next byte of each direction is known to begin a record. */
  readonly #synced = { client: true, server: true }
  /** What is to be told once the record that is being passed is over. */
  readonly #owed: { client: (() => void) | undefined; server: (() => void) | undefined } = {
    client: undefined,
    server: undefined,
  }
  #refused = 0

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#synced.client = this.#synced.server = !options.joined
    this.#lost = options.counters.counter('protocols.fastcgi.lost_place')
  }

  read(sender: Sender, stream: InputStream): void {
    if (stream.dropped > 0) {
      stream.dropped = 0
      this.#lose(sender)
    }
    while (!this.failed && !stream.skipping) {
      const owed = this.#owed[sender]
      this.#owed[sender] = undefined
      owed?.()
      if (!this.#record(sender, stream)) return
    }
  }

  close(): void {
    for (const request of this.#open.values()) this.#options.sink.abandon(request.exchange)
    this.#open.clear()
  }

  #lose(sender: Sender): void {
    this.#synced[sender] = false
    this.#owed[sender] = undefined
    this.#lost.value++
  }

  /** Takes one record; false while it is not there. */
  #record(sender: Sender, stream: InputStream): boolean {
    const { bytes, start, end, hole } = stream
    if (start === end && hole === 0) return false
    if (end - start < HEADER) {
      if (hole === 0) return false
      stream.resume()
      this.#lose(sender)
      return false
    }
    const header = readHeader(bytes, start)
    const isOwn = header !== undefined && (sender === 'client' ? isOfClient(header.type) : isOfServer(header.type))
    if (!isOwn || (!this.#synced[sender] && header.request === 0)) {
      stream.resume()
      if (this.#synced[sender]) this.#lose(sender)
      if (++this.#refused > MOST_REFUSED) this.failed = true
      return false
    }
    const wanted = HEADER + (sender === 'client' ? wantedOfClient(header) : wantedOfServer(header))
    if (end - start < wanted && hole === 0) return false
    this.#synced[sender] = true
    this.#refused = 0
    const content = start + HEADER
    const contentEnd = Math.min(end, content + header.length)
    const whole = content + header.length <= end
    const after = stream.position + HEADER + header.length + header.padding
    if (sender === 'client') this.#client(header, stream, content, contentEnd, whole, after)
    else this.#server(header, stream, content, contentEnd, after)
    stream.skip(HEADER + header.length + header.padding)
    return true
  }

  #client(header: RecordHeader, stream: InputStream, from: number, to: number, whole: boolean, after: number): void {
    const { type, request: id, length } = header
    if (type === RecordType.beginRequest) {
      this.#begin(id, stream.position)
      return
    }
    const request = this.#open.get(id)
    if (request === undefined) return
    if (type === RecordType.parameters) {
      if (length > 0) request.addParameters(stream.bytes, from, to, whole)
      else this.#describe(request)
    } else if (type === RecordType.input && length === 0) {
      this.#owed.client = () => this.#sent(request, after)
    } else if (type === RecordType.abortRequest) {
      request.exchange.clientError ??= 'aborted'
    }
  }

  #begin(id: number, offset: number): void {
    const before = this.#open.get(id)
    if (before !== undefined) this.#abandon(id, before)
    if (this.#open.size >= MOST_OPEN) this.#abandon(...this.#open.entries().next().value!)
    const request = new FastCgiRequest(createCgiExchange('fastcgi'))
    this.#open.set(id, request)
    this.#options.sink.begin(request.exchange, offset)
  }

  #abandon(id: number, request: FastCgiRequest): void {
    this.#open.delete(id)
    this.#options.sink.abandon(request.exchange)
  }

  #describe(request: FastCgiRequest): void {
    if (request.described) return
    request.described = true
    const variables = request.takeVariables()
    if (request.cut || variables.count === 0) request.exchange.truncated = true
    describeRequest(request.exchange, variables, this.#options.routes)
  }

  #sent(request: FastCgiRequest, offset: number): void {
    if (request.sent || request.answered) return
    request.sent = true
    this.#options.sink.requestEnd(request.exchange, offset)
  }

  #server(header: RecordHeader, stream: InputStream, from: number, to: number, after: number): void {
    const { type, request: id, length } = header
    const request = this.#open.get(id)
    if (request === undefined) return
    if (!request.answered) {
      // Its variables' end may lie in what was not copied.
      this.#describe(request)
      request.answered = true
      this.#options.sink.responseBegin(request.exchange, stream.position)
    }
    if (type === RecordType.output && length > 0 && request.exchange.responseBodyBytes === undefined) {
      const head = readResponseHead(stream.bytes, from, Math.min(to, from + HEAD_LOOK))
      describeStatus(request.exchange, head.status)
      if (head.status === 0) request.exchange.truncated = true
      request.exchange.responseBodyBytes = head.end < 0 ? 0 : length - (head.end - from)
    } else if (type === RecordType.output) {
      request.exchange.responseBodyBytes = (request.exchange.responseBodyBytes ?? 0) + length
    } else if (type === RecordType.endRequest) {
      if (to - from >= 5) noteEnd(request, stream.bytes[from + 4]!)
      this.#owed.server = () => this.#end(id, request, after)
    }
  }

  #end(id: number, request: FastCgiRequest, offset: number): void {
    if (this.#open.get(id) !== request) return
    this.#open.delete(id)
    this.#options.sink.end(request.exchange, offset)
  }
}

const PROTOCOL_STATUS = ['complete', 'CANT_MPX_CONN', 'OVERLOADED', 'UNKNOWN_ROLE']

/** The application did not take the request on. */
function noteEnd({ exchange }: FastCgiRequest, status: number): void {
  if (status === 0) return
  const name = PROTOCOL_STATUS[status] ?? `protocol status ${status}`
  exchange.clientError = name
  exchange.serverError = name
}

/** Bytes of the content that must be there before the record is read. */
function wantedOfClient({ type, length }: RecordHeader): number {
  return type === RecordType.parameters ? length : 0
}

function wantedOfServer({ type, length }: RecordHeader): number {
  if (type === RecordType.output) return Math.min(length, HEAD_LOOK)
  return type === RecordType.endRequest ? length : 0
}
