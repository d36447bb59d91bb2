import { type DiagLogFunction, DiagLogLevel, diag } from '@opentelemetry/api'

/** What OpenTelemetry's exporters have to say beyond the result of an export. */
export interface ExporterMessages {
  /** A receiver took a request but not all of its spans (OTLP specification, "Partial Success"). */
  partialSuccess(rejectedSpans: number, message: string): void
  warning(message: string): void
}

const listeners = new Set<ExporterMessages>()

/**
 * Listens to the exporters' own log, the only place where they tell of a partial success. The log is one for the
 * process and names no exporter: with several sinks each hears all. Returns how to stop.
 */
export function listenToExporters(listener: ExporterMessages): () => void {
  if (listeners.size === 0) {
    diag.setLogger(
      { error: say, warn: say, info: ignore, debug: ignore, verbose: ignore },
      { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
    )
  }
  listeners.add(listener)
  return () => {
    if (listeners.delete(listener) && listeners.size === 0) diag.disable()
  }
}

const ignore: DiagLogFunction = () => {}

const say: DiagLogFunction = (message, ...details) => {
  const partial = message === 'Received Partial Success response:' ? readPartialSuccess(details[0]) : undefined
  for (const listener of listeners) {
    if (partial !== undefined) listener.partialSuccess(partial.rejectedSpans, partial.message)
    else listener.warning([message, ...details.map(String)].join(' '))
  }
}

function readPartialSuccess(json: unknown): { rejectedSpans: number; message: string } | undefined {
  try {
    // A 64-bit integer is text in OTLP's JSON.
    const { rejectedSpans = 0, errorMessage = '' } = JSON.parse(String(json))
    return { rejectedSpans: Number(rejectedSpans), message: String(errorMessage) }
  } catch {
    return undefined
  }
}
