import type { SchemaOptions } from './schema.js'

/**
 * Sketches by minute, hour and day. The bins of a quantile sketch, the registers of a distinct count and the counts of
 * frequent items are plain arrays: merging is sumMap and maxMap, so that the archive rolls them up itself, any SQL can
 * read them, and each array has the codec that suits it. Minutes are written as they come, several rows a key where a
 * span came late; hours and days are made of them again whenever minutes came in, and the newest `rolled` counts.
 */
const columns = `
  time DateTime CODEC(DoubleDelta, ZSTD(1)),
  kind LowCardinality(String) COMMENT 'operation, edge, distinct, frequent or kernel' CODEC(ZSTD(1)),
  service LowCardinality(String) CODEC(ZSTD(1)),
  name LowCardinality(String) COMMENT 'operation, far end of an edge, or what is counted' CODEC(ZSTD(1)),
  class LowCardinality(String) COMMENT 'end and ending of an operation, protocol of an edge' CODEC(ZSTD(1)),
  format UInt8 COMMENT 'rows of different formats are never merged' CODEC(ZSTD(1)),
  calls UInt64 CODEC(T64, ZSTD(1)),
  errors UInt64 CODEC(T64, ZSTD(1)),
  duration_ns UInt64 CODEC(T64, ZSTD(1)),
  longest_ns UInt64 CODEC(T64, ZSTD(1)),
  request_bytes UInt64 CODEC(T64, ZSTD(1)),
  response_bytes UInt64 CODEC(T64, ZSTD(1)),
  bins Array(Int16) COMMENT 'of durations in ns: bin i holds values from 1.0202^(i-1) to 1.0202^i, bin -1 is 0' CODEC(Delta(2), ZSTD(6)),
  counts Array(UInt64) CODEC(T64, ZSTD(6)),
  registers Array(UInt16) COMMENT 'HyperLogLog, 4096 registers: those that are not 0' CODEC(Delta(2), ZSTD(3)),
  ranks Array(UInt8) CODEC(ZSTD(3)),
  items Array(String) CODEC(ZSTD(3)),
  item_counts Array(UInt64) CODEC(T64, ZSTD(1)),`

export type SketchResolution = 'minutes' | 'hours' | 'days'

const SPAN: Readonly<Record<SketchResolution, string>> = {
  minutes: 'toDate(time)',
  hours: 'toYYYYMM(time)',
  days: 'toYear(time)',
}

/** How long each is kept at least. Minutes are small beside spans; days are for years. */
export const SKETCH_RETENTION_SECONDS: Readonly<Record<SketchResolution, number>> = {
  minutes: 7 * 86_400,
  hours: 90 * 86_400,
  days: 3 * 365 * 86_400,
}

export function sketchTable({ database }: SchemaOptions, resolution: SketchResolution): string {
  const merged = resolution === 'minutes' ? 'MergeTree' : 'ReplacingMergeTree(rolled)'
  const stamp =
    resolution === 'minutes'
      ? 'archived DateTime DEFAULT now() CODEC(ZSTD(1))'
      : 'rolled DateTime64(3) DEFAULT now64(3) CODEC(ZSTD(1))'
  const since = resolution === 'minutes' ? 'archived' : 'time'
  return `
CREATE TABLE IF NOT EXISTS ${database}.sketches_${resolution} (${columns}
  ${stamp}
) ENGINE = ${merged}
PARTITION BY ${SPAN[resolution]}
ORDER BY (kind, service, name, class, format, time)
TTL ${since} + toIntervalSecond(${SKETCH_RETENTION_SECONDS[resolution]})
SETTINGS ttl_only_drop_parts = 1, index_granularity = 1024, non_replicated_deduplication_window = 1000`
}
