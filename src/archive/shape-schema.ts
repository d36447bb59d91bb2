import type { SchemaOptions } from './schema.js'

const MAP_OF_COUNTS = 'Tuple(Array(UInt32), Array(UInt64))'
const numbers = ['threads', 'responses', 'sizes', 'ports', 'positions', 'ordinals', 'numbers']

/** Traces as rows of what their shape does not say. Looked up by id (bloom filter) or by shape and time. */
export function shapeTraces({ database, retentionSeconds }: SchemaOptions): string {
  return `
CREATE TABLE IF NOT EXISTS ${database}.shape_traces (
  Start DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  trace_key FixedString(16) CODEC(NONE),
  shape FixedString(16) CODEC(ZSTD(1)),
  node UInt64 COMMENT 'of shape_nodes: from it and the columns below the spans are rebuilt' CODEC(ZSTD(1)),
  flags UInt8 COMMENT '1: came after its trace had left, 2: incomplete' CODEC(ZSTD(1)),
  spans UInt16 CODEC(T64, ZSTD(1)),
  weight Float32 COMMENT 'stands for so many, where traces are sampled' CODEC(ZSTD(1)),
  repeats Array(Int64) CODEC(T64, ZSTD(1)),
  gaps Array(Int64) COMMENT 'ns, pre-order: from the sibling before, or the start of the parent' CODEC(T64, ZSTD(1)),
  tails Array(Int64) COMMENT 'ns: from the end of the last child, or the own start, to the own end' CODEC(T64, ZSTD(1)),
  ids Array(UInt64) CODEC(ZSTD(1)),
  ${numbers.map(name => `${name} Array(Int64) CODEC(T64, ZSTD(3)),`).join('\n  ')}
  texts Array(String) CODEC(ZSTD(3)),
  archived DateTime DEFAULT now() CODEC(ZSTD(1)),
  TraceId String ALIAS lower(hex(trace_key)),
  INDEX ix_trace lower(hex(trace_key)) TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toDate(Start)
ORDER BY (shape, node, Start)
TTL archived + toIntervalSecond(${Math.round(retentionSeconds)})
SETTINGS ttl_only_drop_parts = 1, index_granularity = 1024, non_replicated_deduplication_window = 1000`
}

/** Old traces: structure, and times of three digits. No id but the trace's. */
export function thinTraces({ database }: SchemaOptions): string {
  return `
CREATE TABLE IF NOT EXISTS ${database}.thin_traces (
  Start DateTime64(3) CODEC(Delta(8), ZSTD(1)),
  trace_key FixedString(16) CODEC(NONE),
  shape FixedString(16) CODEC(ZSTD(1)),
  node UInt64 CODEC(ZSTD(1)),
  flags UInt8 CODEC(ZSTD(1)),
  spans UInt16 CODEC(T64, ZSTD(1)),
  weight Float32 CODEC(ZSTD(1)),
  repeats Array(Int64) CODEC(T64, ZSTD(1)),
  gap_scales Array(Int8) COMMENT 'pre-order: number of bits of the ns, negative where the gap is' CODEC(ZSTD(3)),
  gap_digits Array(UInt8) COMMENT 'two bits below the first' CODEC(ZSTD(3)),
  duration_scales Array(Int8) COMMENT 'of ns: 64 steps of 1 % each; 0: none' CODEC(ZSTD(3)),
  duration_digits Array(UInt8) COMMENT 'steps within the 64' CODEC(ZSTD(3)),
  archived DateTime DEFAULT now() CODEC(ZSTD(1)),
  TraceId String ALIAS lower(hex(trace_key)),
  INDEX ix_trace lower(hex(trace_key)) TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(Start)
PRIMARY KEY (shape, node, Start)
ORDER BY (shape, node, Start, trace_key)
TTL archived + toIntervalDay(365)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 1000`
}

/** The dictionary of rows: each layout and each subtree once. Never dropped: rows of any age need it. */
export function shapeDictionary({ database }: SchemaOptions): string[] {
  return [
    `
CREATE TABLE IF NOT EXISTS ${database}.shape_layouts (
  layout UInt64 CODEC(NONE),
  text String COMMENT 'JSON: what spans of this layout have in common, and where the rest comes from' CODEC(ZSTD(6))
) ENGINE = ReplacingMergeTree ORDER BY layout
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000`,
    `
CREATE TABLE IF NOT EXISTS ${database}.shape_nodes (
  node UInt64 CODEC(NONE),
  layout UInt64 CODEC(ZSTD(3)),
  children Array(UInt64) CODEC(ZSTD(3)),
  repeated Array(UInt8) COMMENT 'which children come several times; how often is in the row' CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree ORDER BY node
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000`,
  ]
}

/** What is known of each shape; grows by sums, so that several daemons may write. */
export function traceShapes({ database }: SchemaOptions): string {
  return `
CREATE TABLE IF NOT EXISTS ${database}.trace_shapes (
  shape FixedString(16) CODEC(NONE),
  first_seen SimpleAggregateFunction(min, DateTime),
  last_seen SimpleAggregateFunction(max, DateTime),
  traces SimpleAggregateFunction(sum, UInt64),
  failed SimpleAggregateFunction(sum, UInt64),
  service SimpleAggregateFunction(max, String),
  name SimpleAggregateFunction(max, String),
  spans SimpleAggregateFunction(max, UInt32),
  outline SimpleAggregateFunction(max, String) COMMENT 'JSON: the tree of operations, repeats folded' CODEC(ZSTD(6)),
  similarity SimpleAggregateFunction(max, Array(UInt32)) COMMENT 'MinHash of its paths of operations',
  node_bins SimpleAggregateFunction(sumMap, ${MAP_OF_COUNTS}) COMMENT 'durations: number of the node in the outline * 4096 + bin + 1' CODEC(ZSTD(6)),
  slowest SimpleAggregateFunction(max, Tuple(UInt64, FixedString(16))) COMMENT 'duration in ns, trace',
  latest SimpleAggregateFunction(max, Tuple(UInt64, FixedString(16))) COMMENT 'ms since 1970, trace',
  latest_failed SimpleAggregateFunction(max, Tuple(UInt64, FixedString(16)))
) ENGINE = AggregatingMergeTree ORDER BY shape
TTL last_seen + toIntervalDay(365)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000`
}
