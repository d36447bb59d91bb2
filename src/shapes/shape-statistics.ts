import { RowBinaryWriter } from '../archive/row-binary.js'
import { ZERO_BIN } from '../sketches/quantile-sketch.js'
import type { Counters } from '../telemetry/counters.js'
import type { FinishedTrace } from '../traces/span.js'
import { shapeHex } from './shape-hash.js'
import { MOST_OUTLINE_NODES, outlineOf, similarityOf, walkOutline } from './shape-outline.js'
import { type TraceTree, traceTree } from './trace-tree.js'

/** Counts, latencies and examples of shapes since the last time they were taken. */
export interface ShapeStatistics {
  /** How often this shape was seen before, by this process and the archive. */
  seen(shape: string): number
  /** `weight`: of how many requests the trace is one. */
  add(trace: FinishedTrace, tree: TraceTree, shape?: string): void
  /** Rows of `trace_shapes` in RowBinary; forgets what they say. */
  take(): { readonly rows: number; readonly bytes: Buffer }
  /** What the archive knew before. */
  learn(shape: string, traces: number): void
}

export const SHAPE_STATISTICS_COLUMNS = [
  ...['shape', 'first_seen', 'last_seen', 'traces', 'failed', 'service', 'name', 'spans', 'outline', 'similarity'],
  ...['node_bins', 'slowest', 'latest', 'latest_failed'],
]

interface ShapeCounts {
  readonly shape: string
  firstSeen: number
  lastSeen: number
  traces: number
  failed: number
  spans: number
  readonly nodeBins: Map<number, number>
  slowest: Example
  latest: Example
  latestFailed: Example
}

interface Example {
  readonly value: number
  readonly trace: string
}

const NONE: Example = { value: 0, trace: '0'.repeat(32) }
/** Between two flushes. What a hostile client invents beyond is counted in `shapes.other`. */
const MOST_SHAPES = 4_000
const MOST_KNOWN = 200_000
const SCALE = 1 / Math.log(1.01 / 0.99)

export function createShapeStatistics(counters: Counters): ShapeStatistics {
  const known = new Map<string, number>()
  const described = new Set<string>()
  const open = new Map<string, ShapeCounts>()
  const texts = new Map<
    string,
    { readonly service: string; readonly name: string; outline: string; similarity: number[] }
  >()

  const countsOf = (shape: string, tree: TraceTree): ShapeCounts | undefined => {
    let counts = open.get(shape)
    if (counts === undefined) {
      if (open.size >= MOST_SHAPES) return undefined
      const nothing = { firstSeen: Number.POSITIVE_INFINITY, lastSeen: 0, traces: 0, failed: 0, spans: 0 }
      counts = { shape, ...nothing, nodeBins: new Map(), slowest: NONE, latest: NONE, latestFailed: NONE }
      open.set(shape, counts)
      if (!described.has(shape)) {
        const outline = outlineOf(tree)
        const top = tree.root.span ?? tree.root.children[0]!.span!
        const text = { service: top.resource.service, name: top.name, outline: JSON.stringify(outline) }
        texts.set(shape, { ...text, similarity: similarityOf(outline) })
      }
    }
    return counts
  }
  return {
    seen: shape => known.get(shape) ?? 0,
    learn: (shape, traces) => {
      if (known.size < MOST_KNOWN) known.set(shape, (known.get(shape) ?? 0) + traces)
    },
    add: (trace, tree, given) => {
      const shape = given ?? shapeHex(tree.root.hash)
      const before = known.get(shape)
      if (before === undefined) counters.add('shapes.new')
      if (before !== undefined || known.size < MOST_KNOWN) known.set(shape, (before ?? 0) + 1)
      const counts = countsOf(shape, tree)
      if (counts === undefined) {
        counters.add('shapes.other')
        return
      }
      const { root, base } = tree
      const failed = trace.spans.some(span => span.status.code === 'error')
      const millis = base[0] * 1_000 + Math.floor(base[1] / 1e6)
      counts.traces++
      if (failed) counts.failed++
      counts.spans = Math.max(counts.spans, trace.spans.length)
      counts.firstSeen = Math.min(counts.firstSeen, base[0])
      counts.lastSeen = Math.max(counts.lastSeen, base[0])
      const duration = root.end - root.start
      if (duration >= counts.slowest.value) counts.slowest = { value: duration, trace: trace.traceId }
      if (millis >= counts.latest.value) counts.latest = { value: millis, trace: trace.traceId }
      if (failed && millis >= counts.latestFailed.value) counts.latestFailed = { value: millis, trace: trace.traceId }
      walkOutline(tree, (node, place) => {
        if (place >= MOST_OUTLINE_NODES) return
        const nanos = node.end - node.start
        const key = place * 4_096 + 1 + (nanos >= 1 ? Math.ceil(Math.log(nanos) * SCALE) : ZERO_BIN)
        counts.nodeBins.set(key, (counts.nodeBins.get(key) ?? 0) + 1)
      })
    },
    take: () => {
      const writer = new RowBinaryWriter()
      for (const counts of open.values()) {
        append(writer, counts, texts.get(counts.shape))
        described.add(counts.shape)
      }
      if (described.size > MOST_KNOWN) described.clear()
      const rows = open.size
      open.clear()
      texts.clear()
      return { rows, bytes: writer.bytes() }
    },
  }
}

function append(
  writer: RowBinaryWriter,
  counts: ShapeCounts,
  text: { service: string; name: string; outline: string; similarity: number[] } | undefined,
): void {
  writer.hex(counts.shape)
  writer.uint32(counts.firstSeen)
  writer.uint32(counts.lastSeen)
  writer.uint64(counts.traces)
  writer.uint64(counts.failed)
  writer.text(text?.service ?? '')
  writer.text(text?.name ?? '')
  writer.uint32(counts.spans)
  writer.text(text?.outline ?? '')
  const { similarity } = text ?? { similarity: [] }
  writer.varint(similarity.length)
  for (const word of similarity) writer.uint32(word)
  const bins = [...counts.nodeBins].sort(([a], [b]) => a - b)
  writer.varint(bins.length)
  for (const [key] of bins) writer.uint32(key)
  writer.varint(bins.length)
  for (const [, count] of bins) writer.uint64(count)
  for (const { value, trace } of [counts.slowest, counts.latest, counts.latestFailed]) {
    writer.uint64(value)
    writer.hex(trace)
  }
}

/** Shapes of traces that are kept as rows of spans: counted and described only. */
export function createShapeCounter(
  statistics: ShapeStatistics,
  counters: Counters,
): { add(trace: FinishedTrace): void } {
  return {
    add: trace => {
      if (trace.late) return
      const tree = traceTree(trace)
      if (tree === undefined) counters.add('shapes.traces.no_tree')
      else statistics.add(trace, tree)
    },
  }
}

/** How often traces like this one were seen before; undefined for what is no tree. */
export function seenShape(statistics: ShapeStatistics, trace: FinishedTrace): number | undefined {
  const tree = traceTree(trace)
  return tree === undefined ? undefined : statistics.seen(shapeHex(tree.root.hash))
}

/** Where nobody else counts shapes: each look counts. */
export function createSeenShapes(counters: Counters): (trace: FinishedTrace) => number | undefined {
  const statistics = createShapeStatistics(counters)
  let looks = 0
  return trace => {
    const tree = traceTree(trace)
    if (tree === undefined) return undefined
    const before = statistics.seen(shapeHex(tree.root.hash))
    statistics.add(trace, tree)
    // Only how often is asked for; the rest must not grow.
    if (++looks % 1_000 === 0) statistics.take()
    return before
  }
}
