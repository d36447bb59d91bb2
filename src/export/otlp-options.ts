import type { Counters } from '../telemetry/counters.js'

/** As in OTEL_EXPORTER_OTLP_PROTOCOL. */
export type OtlpProtocol = 'grpc' | 'http/protobuf' | 'http/json'

/** Certificates as bytes; whoever reads the files tells which could not be read. */
export interface OtlpTls {
  /** Of the authorities that may have signed the receiver's certificate, PEM. Default: those of Node.js. */
  readonly authorities?: Buffer
  /** Our own certificate chain and its key, PEM; both or none. */
  readonly certificate?: Buffer
  readonly key?: Buffer
}

/** Where and how spans are sent; one setting of OTEL_EXPORTER_OTLP_* each. */
export interface OtlpEndpoint {
  readonly protocol?: OtlpProtocol
  /**
   * gRPC: `http://host:4317`, `https://…` or `host:4317`; HTTP: the whole URL with its path,
   * `http://host:4318/v1/traces`. http means no TLS.
   */
  readonly url: string
  /** No TLS for a gRPC endpoint without a scheme. */
  readonly insecure?: boolean
  readonly headers?: Readonly<Record<string, string>>
  readonly compression?: 'none' | 'gzip'
  /** For one attempt; 0: no limit. Default 10,000 ms. */
  readonly timeoutMillis?: number
  readonly tls?: OtlpTls
}

export interface AttributeLimits {
  readonly valueLength: number
  readonly count: number
}

export interface OtlpSinkOptions extends OtlpEndpoint {
  /** Version of Ghostspan, exported as the scope's. */
  readonly version: string
  readonly counters: Counters
  /** Text attributes are cut to `valueLength`, attributes beyond `count` left out. Default: no limit. */
  readonly attributeLimits?: AttributeLimits
  /** An address of the observed host, for receivers that ask for it. Default: the first of this machine. */
  readonly hostAddress?: string
  /** Takes one sentence for the operator. Default: nobody reads them. */
  readonly warn?: (message: string) => void
  /** Spans that may wait; beyond that the oldest whole traces are dropped. Default 65,536. */
  readonly queueSpans?: number
  /** Spans in one request. Default 2,048: the cheapest per span, see docs/measurements.md. */
  readonly batchSpans?: number
  /** Longest wait for a batch to fill. Default 1,000 ms. */
  readonly lingerMillis?: number
  /** Requests under way at once. Default 2. */
  readonly requestsInFlight?: number
  /** First and longest wait after a failure. Default 500 and 30,000 ms. */
  readonly backOffMillis?: number
  readonly longestBackOffMillis?: number
  /** A request that has failed for so long is given up. Default 300,000 ms. */
  readonly retryMillis?: number
  /** How long `flush` and `close` wait before they count the rest as lost. Default 10,000 ms. */
  readonly flushMillis?: number
  /** Losses are told at most so often. Default 60,000 ms. */
  readonly noticeMillis?: number
  /** Milliseconds, monotone. */
  readonly clock?: () => number
  /** 0 to below 1. */
  readonly random?: () => number
}

export const otlpDefaults = {
  queueSpans: 65_536,
  batchSpans: 2_048,
  lingerMillis: 1_000,
  requestsInFlight: 2,
  backOffMillis: 500,
  longestBackOffMillis: 30_000,
  retryMillis: 300_000,
  flushMillis: 10_000,
  noticeMillis: 60_000,
  timeoutMillis: 10_000,
} as const
