import type { Counters } from '../telemetry/counters.js'
import type { TraceSink } from '../traces/span.js'
import { createTerminalTree, type TerminalTreeOptions } from './terminal-tree.js'
import type { TextOutput } from './text-output.js'

export interface TerminalSinkOptions extends TerminalTreeOptions {
  readonly output: TextOutput
  readonly counters: Counters
}

/** Prints traces as trees, an empty line after each. What a slow terminal has no room for is left out and counted. */
export function createTerminalSink(options: TerminalSinkOptions): TraceSink {
  const { output } = options
  const tree = createTerminalTree(options)
  const printed = options.counters.counter('export.terminal.traces')
  const dropped = options.counters.counter('export.terminal.dropped.slow_reader')
  return {
    accept(trace) {
      if (output.ended || trace.spans.length === 0) return
      if (output.write(`${tree.render(trace)}\n`)) printed.value++
      else if (!output.ended) dropped.value++
    },
    flush: () => output.flush(),
    close: () => output.flush(),
  }
}
