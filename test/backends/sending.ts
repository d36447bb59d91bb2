import type { OtlpProtocol } from '../../src/export/otlp-options.js'
import { createOtlpSink } from '../../src/export/otlp-sink.js'
import { createCounters } from '../../src/telemetry/counters.js'
import type { FinishedTrace } from '../../src/traces/span.js'
import { version } from '../../src/version.js'

/** Traces in one go: enough for several requests. */
export const manyTraces = 2_000

/** Sends and waits; returns the counters but those of requests. */
export async function send(
  traces: readonly FinishedTrace[],
  started: Record<string, string>,
  protocol: OtlpProtocol,
): Promise<Record<string, number>> {
  const counters = createCounters()
  const url = protocol === 'grpc' ? started['otlp_grpc']! : started['otlp_http']!
  const sink = createOtlpSink({ url, protocol, version, counters, warn: message => console.error(message) })
  for (const trace of traces) sink.accept(trace)
  await sink.close()
  const { 'export.otlp.requests': _, ...counts } = counters.snapshot('export.otlp')
  return counts
}

/** Asks again and again, a minute at most; returns the last answer. */
export async function eventually<T>(read: () => T | Promise<T>, enough: (value: T) => boolean): Promise<T> {
  const until = Date.now() + 60_000
  for (;;) {
    const value = await read()
    if (enough(value) || Date.now() > until) return value
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
