import { SERVER_HIGH, SERVER_LOW } from '../traces/ids.js'
import { shapeDictionary, shapeTraces, thinTraces, traceShapes } from './shape-schema.js'
import { sketchTable } from './sketch-schema.js'

/**
 * The tables. One row a span, written once: a real table with the column names of the OpenTelemetry collector's
 * ClickHouse exporter, so that Grafana, HyperDX and existing SQL read it; ids and resource attributes lie compact
 * behind ALIAS columns; `samples` and `links` are views over it.
 *
 * Kept as measured: the sorting key ends in Timestamp but the primary key must not (a bare time column there makes
 * ClickHouse match time ranges against it and ignore the five-minute bucket). hex() of an integer drops leading zero
 * bytes, so ids are padded. Map buckets need map_buckets_min_avg_size = 0, or maps of fifteen keys stay whole. No column
 * may be named trace_id: Grafana's look-up says `WITH '…' AS trace_id … WHERE TraceId = trace_id`, and a column would win
 * over that alias.
 */
export interface SchemaOptions {
  readonly database: string
  /** Rows are dropped this long after they were archived. */
  readonly retentionSeconds: number
  /** Parts are not merged beyond this size, so that retention by size has something to drop. */
  readonly largestPartBytes: number
  /** Settings of the span table that not every server knows; left out where they are refused. */
  readonly mapSettings: string
}

export interface Migration {
  readonly number: number
  readonly name: string
  /** Statements that may be run again and again. */
  readonly statements: (options: SchemaOptions) => readonly string[]
}

export const MAP_BUCKETS =
  "map_serialization_version = 'with_buckets', map_buckets_strategy = 'constant', max_buckets_in_map = 32, map_buckets_min_avg_size = 0"

const MAP = 'Map(LowCardinality(String), String)'
/** Between the id of a client span, which is the wire key, and that of its server span; a bijection. */
const SERVER_MASK = `0x${hexWord(SERVER_HIGH)}${hexWord(SERVER_LOW)}`
const DEDUPLICATION = 'non_replicated_deduplication_window = 1000'

function hexWord(word: number): string {
  return word.toString(16).padStart(8, '0')
}

/** Hex of a 64-bit id, leading zeros kept. */
export const hex64 = (column: string): string => `lower(leftPad(hex(${column}), 16, '0'))`

export const ttl = (retentionSeconds: number): string => `archived + toIntervalSecond(${Math.round(retentionSeconds)})`

const spans = ({ database, retentionSeconds, largestPartBytes, mapSettings }: SchemaOptions): string => `
CREATE TABLE IF NOT EXISTS ${database}.otel_traces (
  Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  trace_key FixedString(16) CODEC(ZSTD(1)),
  span_key UInt64 CODEC(NONE),
  parent_key UInt64 CODEC(ZSTD(1)),
  flags UInt8 COMMENT '1: remote parent, 2: came after its trace had left, 4: its trace was incomplete, 8: wire_key is span_key, 16: wire_key is that of the client span of span_key' CODEC(ZSTD(1)),
  SpanName LowCardinality(String) CODEC(ZSTD(1)),
  SpanKind LowCardinality(String) CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  resource LowCardinality(String) COMMENT 'all resource attributes, JSON' CODEC(ZSTD(1)),
  SpanAttributes ${MAP} CODEC(ZSTD(3)),
  attribute_types LowCardinality(String) COMMENT 'JSON array of the keys that are no strings: n number, b boolean, N and B those of links' CODEC(ZSTD(1)),
  Duration UInt64 CODEC(T64, ZSTD(1)),
  StatusCode LowCardinality(String) CODEC(ZSTD(1)),
  StatusMessage String CODEC(ZSTD(1)),
  \`Links.TraceId\` Array(String) CODEC(ZSTD(1)),
  \`Links.SpanId\` Array(String) CODEC(ZSTD(1)),
  \`Links.TraceState\` Array(String) CODEC(ZSTD(1)),
  \`Links.Attributes\` Array(${MAP}) CODEC(ZSTD(1)),
  protocol LowCardinality(String) CODEC(ZSTD(1)),
  pid UInt32 CODEC(ZSTD(1)),
  tid UInt32 CODEC(ZSTD(1)),
  carrier UInt64 CODEC(ZSTD(1)),
  response_ns UInt64 COMMENT 'from the first byte of the answer to the last' CODEC(T64, ZSTD(1)),
  request_bytes UInt64 CODEC(T64, ZSTD(1)),
  response_bytes UInt64 CODEC(T64, ZSTD(1)),
  local_address LowCardinality(String) CODEC(ZSTD(1)),
  local_port UInt16 CODEC(ZSTD(1)),
  remote_address LowCardinality(String) CODEC(ZSTD(1)),
  remote_port UInt16 CODEC(ZSTD(1)),
  other_wire_key UInt64 COMMENT 'where neither flag 8 nor 16 says it; 0: unknown' CODEC(ZSTD(1)),
  request_position UInt64 CODEC(T64, ZSTD(1)),
  ordinal UInt32 CODEC(T64, ZSTD(1)),
  link_evidence LowCardinality(String) COMMENT 'empty: no link to a parent' CODEC(ZSTD(1)),
  confidence Float32 CODEC(ZSTD(1)),
  evidence UInt32 COMMENT 'strengths of wire, context, content, time: eight bits each, lowest first' CODEC(ZSTD(1)),
  \`alternatives.span_id\` Array(UInt64) CODEC(ZSTD(1)),
  \`alternatives.confidence\` Array(Float32) CODEC(ZSTD(1)),
  archived DateTime DEFAULT now() CODEC(ZSTD(1)),
  TraceId String ALIAS lower(hex(trace_key)),
  SpanId String ALIAS ${hex64('span_key')},
  ParentSpanId String ALIAS if(parent_key = 0, '', ${hex64('parent_key')}),
  wire_key UInt64 ALIAS multiIf(bitAnd(flags, 8) != 0, span_key, bitAnd(flags, 16) != 0, bitXor(span_key, ${SERVER_MASK}), other_wire_key),
  TraceState String ALIAS '',
  ScopeName String ALIAS 'ghostspan',
  ScopeVersion String ALIAS JSONExtractString(resource, 'telemetry.distro.version'),
  ResourceAttributes ${MAP} ALIAS JSONExtract(resource, '${MAP}'),
  \`Events.Timestamp\` Array(DateTime64(9)) ALIAS [],
  \`Events.Name\` Array(LowCardinality(String)) ALIAS [],
  \`Events.Attributes\` Array(${MAP}) ALIAS [],
  INDEX ix_trace lower(hex(trace_key)) TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX ix_service ServiceName TYPE set(0) GRANULARITY 1,
  INDEX ix_value mapValues(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
PRIMARY KEY (toStartOfFiveMinutes(Timestamp), lower(hex(trace_key)))
ORDER BY (toStartOfFiveMinutes(Timestamp), lower(hex(trace_key)), Timestamp)
TTL ${ttl(retentionSeconds)}
SETTINGS ttl_only_drop_parts = 1, index_granularity = 2048, ${DEDUPLICATION},
  max_bytes_to_merge_at_max_space_in_pool = ${largestPartBytes}${mapSettings === '' ? '' : `,\n  ${mapSettings}`}`

const traceTimes = ({ database, retentionSeconds }: SchemaOptions): string => `
CREATE TABLE IF NOT EXISTS ${database}.otel_traces_trace_id_ts (
  trace_key FixedString(16) CODEC(ZSTD(1)),
  Start DateTime CODEC(Delta(4), ZSTD(1)),
  End DateTime CODEC(Delta(4), ZSTD(1)),
  archived DateTime DEFAULT now() CODEC(ZSTD(1)),
  TraceId String ALIAS lower(hex(trace_key))
) ENGINE = MergeTree
PARTITION BY toDate(Start)
ORDER BY (lower(hex(trace_key)), Start)
TTL ${ttl(retentionSeconds)}
SETTINGS ttl_only_drop_parts = 1, index_granularity = 2048, ${DEDUPLICATION}`

const traceTimesView = ({ database }: SchemaOptions): string => `
CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.otel_traces_trace_id_ts_mv TO ${database}.otel_traces_trace_id_ts AS
SELECT trace_key, min(toDateTime(Timestamp)) AS Start, max(toDateTime(Timestamp)) AS End
FROM ${database}.otel_traces GROUP BY trace_key`

const samples = ({ database }: SchemaOptions): string => `
CREATE VIEW IF NOT EXISTS ${database}.samples AS
SELECT TraceId AS trace_id, SpanId AS span_id, Timestamp AS start, Duration AS duration_ns, ServiceName AS service,
  SpanName AS operation, if(SpanKind IN ('Server', 'Consumer'), 'server', 'client') AS side, lower(SpanKind) AS kind, protocol,
  pid, tid, carrier, response_ns, request_bytes, response_bytes, local_address, local_port, remote_address, remote_port,
  if(wire_key = 0, '', ${hex64('wire_key')}) AS wire_key_hex, request_position, ordinal, CAST(StatusCode AS String) = 'Error' AS failed
FROM ${database}.otel_traces`

const links = ({ database }: SchemaOptions): string => `
CREATE VIEW IF NOT EXISTS ${database}.links AS
SELECT TraceId AS trace_id, ParentSpanId AS parent, SpanId AS child, Timestamp AS start, ServiceName AS service,
  SpanName AS operation, link_evidence AS decided_by, confidence,
  bitAnd(evidence, 255) / 255 AS wire, bitAnd(bitShiftRight(evidence, 8), 255) / 255 AS context,
  bitAnd(bitShiftRight(evidence, 16), 255) / 255 AS content, bitShiftRight(evidence, 24) / 255 AS time,
  arrayMap(id -> ${hex64('id')}, \`alternatives.span_id\`) AS alternatives, \`alternatives.confidence\` AS alternative_confidences
FROM ${database}.otel_traces WHERE link_evidence != ''`

/** In order; numbers are never used twice, and what has been released is never changed. */
export const migrations: readonly Migration[] = [
  {
    number: 1,
    name: 'spans with their samples and links',
    statements: options => [
      spans(options),
      traceTimes(options),
      traceTimesView(options),
      samples(options),
      links(options),
    ],
  },
  {
    number: 2,
    name: 'sketches by minute, hour and day',
    statements: options => [
      sketchTable(options, 'minutes'),
      sketchTable(options, 'hours'),
      sketchTable(options, 'days'),
    ],
  },
  {
    number: 3,
    name: 'traces as shapes',
    statements: options => [
      shapeTraces(options),
      thinTraces(options),
      ...shapeDictionary(options),
      traceShapes(options),
    ],
  },
]
