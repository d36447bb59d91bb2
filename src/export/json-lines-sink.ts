import type { Counters } from '../telemetry/counters.js'
import type { TraceSink } from '../traces/span.js'
import { spanToJson, traceToJson } from './span-json.js'
import type { TextOutput } from './text-output.js'

export interface JsonLinesSinkOptions {
  readonly output: TextOutput
  readonly counters: Counters
  /** An object a line: a trace (default) or a span. */
  readonly per?: 'trace' | 'span'
}

/** Writes traces as JSON lines. A trace that a slow reader has no room for is left out whole and counted. */
export function createJsonLinesSink(options: JsonLinesSinkOptions): TraceSink {
  const { output } = options
  const lines = options.counters.counter('export.json.lines')
  const dropped = options.counters.counter('export.json.dropped.slow_reader')
  return {
    accept(trace) {
      if (output.ended) return
      const objects = options.per === 'span' ? trace.spans.map(spanToJson) : [traceToJson(trace)]
      const text = objects.map(object => `${JSON.stringify(object)}\n`).join('')
      if (output.write(text)) lines.value += objects.length
      else if (!output.ended) dropped.value += objects.length
    },
    flush: () => output.flush(),
    close: () => output.flush(),
  }
}
