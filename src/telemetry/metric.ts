/** One value of a metric, with what tells it from the others. */
export interface MetricSample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

/** One metric of ours, as `/metrics` shows it. */
export interface Metric {
  /** Prometheus' name, unit and `_total` included: `process_cpu_seconds_total`. */
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly samples: readonly MetricSample[]
}
