import type { PipelineStatus } from '../pipeline.js'
import type { Counters } from '../telemetry/counters.js'
import type { Metric } from '../telemetry/metric.js'
import type { OtlpTarget } from './trace-sinks.js'

/** What the pipeline did and holds. */
export function pipelineMetrics(status: PipelineStatus): Metric[] {
  const counter = (name: string, help: string, value: number): Metric => ({
    name: `ghostspan_${name}_total`,
    type: 'counter',
    help,
    samples: [{ value }],
  })
  const gauge = (name: string, help: string, value: number): Metric => ({
    name: `ghostspan_${name}`,
    type: 'gauge',
    help,
    samples: [{ value }],
  })
  return [
    counter('events', 'Records read from the source.', status.events),
    counter('events_lost', 'Records that the kernel could not hand over.', status.lostEvents),
    counter('samples', 'Operations seen at one end of a connection.', status.samples),
    counter('spans', 'Spans that left in a trace.', status.spans),
    counter('traces', 'Traces that left.', status.traces),
    gauge('connections_open', 'Connections that are followed.', status.openConnections),
    gauge('samples_open', 'Operations that have not left yet.', status.openSamples),
    gauge('traces_open', 'Traces that have not left yet.', status.openTraces),
    {
      name: 'otel_sdk_span_started_total',
      type: 'counter',
      help: 'Spans created.',
      samples: [{ value: status.samples }],
    },
    {
      name: 'otel_sdk_span_live',
      type: 'gauge',
      help: 'Spans that have not ended.',
      samples: [{ value: status.openSamples }],
    },
  ]
}

/** The export's end in OpenTelemetry's own names for it (semantic conventions, "OpenTelemetry SDK metrics"). */
export function exportMetrics(targets: readonly OtlpTarget[], counters: Counters): Metric[] {
  if (targets.length === 0) return []
  const processor = (index: number): Record<string, string> => ({
    otel_component_type: 'batching_span_processor',
    otel_component_name: `batching_span_processor/${index}`,
  })
  const exporter = (index: number): Record<string, string> => {
    const type = targets[index]!.protocol === 'grpc' ? 'otlp_grpc_span_exporter' : 'otlp_http_span_exporter'
    return { otel_component_type: type, otel_component_name: `${type}/${index}` }
  }
  const dropped = Object.entries(counters.snapshot('export.otlp.dropped.', true))
  const all = targets.length === 1 ? exporter(0) : { otel_component_type: 'otlp_span_exporter' }
  return [
    {
      name: 'otel_sdk_processor_span_queue_size',
      type: 'gauge',
      help: 'Spans that wait to be exported.',
      samples: targets.map((target, index) => ({ labels: processor(index), value: target.sink.status().queuedSpans })),
    },
    {
      name: 'otel_sdk_processor_span_queue_capacity',
      type: 'gauge',
      help: 'Most spans that may wait.',
      samples: targets.map((target, index) => ({
        labels: processor(index),
        value: target.settings.batch.maxQueueSize,
      })),
    },
    {
      name: 'otel_sdk_exporter_span_inflight',
      type: 'gauge',
      help: 'Spans on their way to the receiver.',
      samples: targets.map((target, index) => ({ labels: exporter(index), value: target.sink.status().sendingSpans })),
    },
    {
      name: 'otel_sdk_exporter_span_exported_total',
      type: 'counter',
      help: 'Spans that the receiver took, and with error_type those that it did not get.',
      samples: [
        { labels: all, value: counters.counter('export.otlp.spans').value },
        ...dropped.map(([name, value]) => ({ labels: { ...all, error_type: name.split('.').at(-1)! }, value })),
      ],
    },
  ]
}
