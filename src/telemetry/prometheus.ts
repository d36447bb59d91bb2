import type { Metric, MetricSample } from './metric.js'

export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Prometheus' text format 0.0.4. Metrics of one name must come as one. */
export function renderPrometheus(metrics: readonly Metric[]): string {
  return metrics
    .filter(metric => metric.samples.length > 0)
    .map(renderMetric)
    .join('')
}

function renderMetric({ name, type, help, samples }: Metric): string {
  const lines = samples.map(sample => `${name}${labelsText(sample)} ${numberText(sample.value)}\n`)
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function labelsText({ labels = {} }: MetricSample): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return parts.length === 0 ? '' : `{${parts.join(',')}}`
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return String(value)
}
