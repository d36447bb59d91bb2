import type { Counters } from '../telemetry/counters.js'
import type { InputStream } from './input-stream.js'
import type { RouteTemplates } from './route-templates.js'

/** A value of a span attribute. */
export type AttributeValue = string | number | boolean
export type Attributes = Record<string, AttributeValue>

/** Who sends on the connection, by the protocol's roles: the client opened it, the server accepted it. */
export type Sender = 'client' | 'server'

/** What the kernel is to copy of a connection's calls; bytes per call. */
export interface CopyPolicy {
  /** Bytes from the start of what the client sends (requests) and of what the server sends (answers). 0: the call is an event without payload. */
  readonly clientHead: number
  readonly serverHead: number
  /** Bytes from the end of each call, beyond the head. */
  readonly clientTail: number
  readonly serverTail: number
  /** True: calls are counted only and send no event at all. */
  readonly countOnly: boolean
}

/** An identifier found in a message that the same or a caused operation carries elsewhere. */
export interface ContentKey {
  /** Kind of identifier: 'traceparent', 'message', 'x-request-id'… Only keys of one kind are compared. */
  readonly type: string
  readonly value: string
  /** 'one': names exactly one operation (message id); 'group': shared by many, joins but never makes a parent. */
  readonly scope: 'one' | 'group'
}

/**
 * One operation as the protocol sees it: a request and its answer, or a one-way message. Created by a protocol
 * module when the request's first bytes are understood, filled in until `end`.
 */
export interface Exchange {
  readonly protocol: string
  /** Who started it: 'client' for calls, 'server' for messages that a server pushes (AMQP deliver). */
  readonly initiator: Sender
  /** call: request and answer. message: one-way; its "answer", if any, is a settlement (ack, confirm). */
  readonly shape: 'call' | 'message'
  /** Span name of low cardinality: `GET /items/{id}`, `SELECT shop.items`, `send orders`. */
  name: string
  /** Semantic-convention attributes of the operation itself (no network or process attributes). Redacted. */
  readonly attributes: Attributes
  /** Set when the operation failed, from the point of view of each side (HTTP 404 is an error for the client only). */
  clientError: string | undefined
  serverError: string | undefined
  readonly contentKeys: ContentKey[]
  /** The parser could not see all of it (lost events, uncopied bytes). */
  truncated: boolean
  /** True for handshakes, heartbeats and the like: followed, but never a span. */
  readonly housekeeping: boolean
  /** Bytes of payload proper, where the protocol says (bodies); undefined otherwise. */
  requestBodyBytes: number | undefined
  responseBodyBytes: number | undefined
  /** For the module's own pairing; nobody else looks at it. */
  tag: number
  /** For whoever takes the exchange from the sink; undefined until then, and of no concern to the module. */
  follower: object | undefined
}

/**
 * Where a module reports what it reads; called synchronously from `read`. `offset` is a position in the stream of
 * the sender named: of the message's first byte for the begins, of the byte after its last for the ends.
 * Order per exchange: begin, requestEnd?, responseBegin?, end | abandon.
 */
export interface ExchangeSink {
  begin(exchange: Exchange, offset: number): void
  requestEnd(exchange: Exchange, offset: number): void
  responseBegin(exchange: Exchange, offset: number): void
  /**
   * The answer (or a one-way message) is complete; `offset` in the stream of whoever sent its last byte. `timeNs`: when
   * that byte was seen, if that was before the call that is being read (the end became clear only later).
   */
  end(exchange: Exchange, offset: number, timeNs?: number): void
  /** No answer will be seen: connection lost, protocol error, resynchronisation. Reported without an answer. */
  abandon(exchange: Exchange): void
}

/** How sure a look at the first bytes is. `sender` where the bytes tell who sends them. */
export interface Detection {
  readonly match: 'no' | 'maybe' | 'yes'
  readonly sender?: Sender
}

/** What a module gets to know of a connection it takes over. */
export interface ConnectionOptions {
  readonly sink: ExchangeSink
  readonly counters: Counters
  /** True when the connection's beginning was not seen: no handshake state may be assumed. */
  readonly joined: boolean
  /** Route templates of the service that listens here. */
  readonly routes: RouteTemplates
  /** Each `read` finds one datagram in the stream, and behind it as a hole what was not copied of it. */
  readonly datagrams?: boolean
}

/**
 * One connection read by one module. `read` is called after every chunk of either direction with the stream of its
 * sender; it consumes as many whole messages as it can, never throws, never keeps `stream.bytes`.
 */
export interface ProtocolConnection {
  read(sender: Sender, stream: InputStream): void
  /** Both directions are finished: abandon what is open, or end what an end of file completes. */
  close(): void
  /** True once the module has given up: these bytes are not (or no longer) its protocol. The driver detects anew. */
  readonly failed: boolean
  /** What is worth copying from now on; undefined: the module's default. May change as the connection goes on. */
  readonly wants?: CopyPolicy | undefined
}

/** One protocol: the only thing a protocol folder exports. Registered in `registry.ts`. */
export interface ProtocolModule {
  readonly name: string
  /**
   * True for servers that make no calls of their own in the name of a request (databases, caches, brokers): where
   * the near end is seen, the far end need not be.
   */
  readonly leaf: boolean
  /** What to copy once a connection is known to be of this protocol. */
  readonly wants: CopyPolicy
  /** A bounded look (at most 256 bytes) at bytes[start, end): the start of a call's bytes, perhaps not of the connection. */
  detect(bytes: Uint8Array, start: number, end: number): Detection
  /** The same for a whole datagram; modules without it are never given any. */
  detectDatagram?(bytes: Uint8Array, start: number, end: number): Detection
  open(options: ConnectionOptions): ProtocolConnection
}
