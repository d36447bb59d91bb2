import { RowBinaryWriter } from '../archive/row-binary.js'
import type { RowsSender } from '../archive/rows-sender.js'
import type { Counters } from '../telemetry/counters.js'
import type { FinishedTrace, TraceSink } from '../traces/span.js'
import type { Layout } from './layouts.js'
import { appendShapeRow, SHAPE_COLUMNS } from './shape-row.js'
import { createShapeCounter, SHAPE_STATISTICS_COLUMNS, type ShapeStatistics } from './shape-statistics.js'
import { createTraceEncoder, type StoredNode } from './trace-encoder.js'

export interface ShapeSinkOptions {
  readonly sender: RowsSender
  /** Takes traces that cannot be rebuilt from a row, as they are. */
  readonly whole: TraceSink
  readonly counters: Counters
  /** Of how many requests a trace is one. Default 1. */
  readonly weightOf?: (trace: FinishedTrace) => number
  /** Default 2,000 traces or 5,000 ms, whichever comes first. */
  readonly batchTraces?: number
  readonly batchMillis?: number
  readonly closeMillis?: number
}

const BATCH_BYTES = 12 << 20

interface OpenRows {
  readonly writer: RowBinaryWriter
  rows: number
}

/**
 * Traces as rows of what their shapes do not say, instead of a row a span. What the dictionary lacks is on its way, or
 * on disk, before the rows that need it are.
 */
export function createShapeSink(options: ShapeSinkOptions): TraceSink {
  const { sender, whole, counters } = options
  const encoder = createTraceEncoder()
  const stored = counters.counter('shapes.traces.stored')
  let days = new Map<number, OpenRows>()
  let layouts: Layout[] = []
  let nodes: StoredNode[] = []
  let traces = 0
  let sending: Promise<void> = Promise.resolve()

  const sendAll = (): void => {
    const rows = days
    const dictionary = { layouts, nodes }
    if (traces === 0) return
    days = new Map()
    layouts = []
    nodes = []
    traces = 0
    sending = sending.then(async () => {
      if (dictionary.layouts.length + dictionary.nodes.length > 0) {
        sendDictionary(sender, dictionary.layouts, dictionary.nodes)
        await sender.settled()
      }
      for (const { writer, rows: count } of rows.values()) {
        sender.send('shape_traces', SHAPE_COLUMNS, count, writer.bytes())
      }
    })
  }
  const timer = setInterval(sendAll, options.batchMillis ?? 5_000)
  timer.unref()
  let closed = false
  return {
    accept: trace => {
      const weight = options.weightOf?.(trace) ?? 1
      const encoded = encoder.encode(trace, weight)
      if (encoded === undefined) {
        counters.add('shapes.traces.kept_as_rows')
        whole.accept(trace)
        return
      }
      const { row } = encoded
      layouts.push(...encoded.layouts)
      nodes.push(...encoded.nodes)
      const day = Math.floor(row.start[0] / 86_400)
      let open = days.get(day)
      if (open === undefined) {
        open = { writer: new RowBinaryWriter(), rows: 0 }
        days.set(day, open)
      }
      appendShapeRow(open.writer, row)
      open.rows++
      traces++
      stored.value++
      if (traces >= (options.batchTraces ?? 2_000) || open.writer.length > BATCH_BYTES) sendAll()
    },
    flush: async () => {
      sendAll()
      await sending
      await Promise.all([sender.settled(), whole.flush()])
    },
    close: async () => {
      if (closed) return
      closed = true
      clearInterval(timer)
      sendAll()
      await sending
      await Promise.all([sender.close(options.closeMillis ?? 10_000), whole.close()])
    },
  }
}

export const LAYOUT_COLUMNS = ['layout', 'text']
export const NODE_COLUMNS = ['node', 'layout', 'children', 'repeated']

export function encodeDictionary(
  layouts: readonly Layout[],
  nodes: readonly StoredNode[],
): { layouts: Buffer; nodes: Buffer } {
  const forLayouts = new RowBinaryWriter()
  for (const { id, text } of layouts) {
    forLayouts.hex64(id)
    forLayouts.text(JSON.stringify(text))
  }
  const forNodes = new RowBinaryWriter()
  for (const { id, layout, children, repeated } of nodes) {
    forNodes.hex64(id)
    forNodes.hex64(layout)
    forNodes.varint(children.length)
    for (const child of children) forNodes.hex64(child)
    forNodes.varint(repeated.length)
    for (const each of repeated) forNodes.uint8(each ? 1 : 0)
  }
  return { layouts: forLayouts.bytes(), nodes: forNodes.bytes() }
}

function sendDictionary(sender: RowsSender, layouts: readonly Layout[], nodes: readonly StoredNode[]): void {
  const bytes = encodeDictionary(layouts, nodes)
  if (layouts.length > 0) sender.send('shape_layouts', LAYOUT_COLUMNS, layouts.length, bytes.layouts)
  if (nodes.length > 0) sender.send('shape_nodes', NODE_COLUMNS, nodes.length, bytes.nodes)
}

function sendShapeStatistics(sender: RowsSender, statistics: ShapeStatistics): void {
  const { rows, bytes } = statistics.take()
  if (rows > 0) sender.send('trace_shapes', SHAPE_STATISTICS_COLUMNS, rows, bytes)
}

/** Counts the shapes of traces that are kept in another way. */
export function createShapeCountingSink(
  options: Pick<ShapeSinkOptions, 'sender' | 'counters'> & {
    readonly statistics: ShapeStatistics
    /** Default 60,000 ms. */
    readonly statisticsMillis?: number
  },
): TraceSink {
  const { sender, statistics, counters } = options
  const counter = createShapeCounter(statistics, counters)
  const timer = setInterval(() => sendShapeStatistics(sender, statistics), options.statisticsMillis ?? 60_000)
  timer.unref()
  return {
    accept: trace => counter.add(trace),
    flush: async () => {
      sendShapeStatistics(sender, statistics)
      await sender.settled()
    },
    close: async () => {
      clearInterval(timer)
      sendShapeStatistics(sender, statistics)
      // Whoever stores shapes with the same sender closes it.
      await sender.settled()
    },
  }
}
