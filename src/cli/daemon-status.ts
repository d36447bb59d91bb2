import { release } from 'node:os'
import type { LiveSource } from '../capture/live-source.js'
import type { Settings } from '../config/settings.js'
import type { Pipeline } from '../pipeline.js'
import type { CallCoverage, CallTotals } from '../sketches/call-totals.js'
import { counterMetrics } from '../telemetry/counter-metrics.js'
import type { Counters } from '../telemetry/counters.js'
import type { Readiness } from '../telemetry/health-server.js'
import type { Metric } from '../telemetry/metric.js'
import type { ProcessGauges } from '../telemetry/process-gauges.js'
import { version } from '../version.js'
import type { DaemonArchive } from './daemon-archive.js'
import { exportMetrics, pipelineMetrics } from './pipeline-metrics.js'
import type { OtlpTarget } from './trace-sinks.js'

/** The parts of a running daemon that can be asked; those that are not there (yet) are undefined. */
export interface DaemonParts {
  readonly settings: Settings
  readonly settingsFile: string | undefined
  readonly counters: Counters
  readonly gauges: ProcessGauges
  readonly startedAt: Date
  /** Grows when a receiver turns up. */
  readonly targets: OtlpTarget[]
  archive: DaemonArchive | undefined
  source: LiveSource | undefined
  pipeline: Pipeline | undefined
  calls: CallTotals | undefined
  stopping: boolean
}

/** What `/status` and `ghostspan status --json` show. Fields may be added, none is renamed. */
export function daemonStatus(parts: DaemonParts): Record<string, unknown> {
  const { settings, counters, archive } = parts
  return {
    version,
    pid: process.pid,
    startedAt: parts.startedAt.toISOString(),
    kernel: release(),
    hooks: parts.source?.hooks ?? null,
    settingsFile: parts.settingsFile ?? null,
    dataDirectory: settings.archive.dataDirectory,
    ...daemonReadiness(parts),
    cost: parts.gauges.read(),
    bpf: bpfTimes(parts.source),
    pipeline: parts.pipeline?.status() ?? null,
    calls: parts.calls?.coverage() ?? null,
    carriers: parts.source?.carriers() ?? [],
    context: parts.pipeline?.context() ?? [],
    ringPendingBytes: parts.source?.pendingBytes() ?? 0,
    otlp: parts.targets.map(({ endpoint, protocol, sink }) => ({ endpoint, protocol, ...sink.status() })),
    archive:
      archive === undefined
        ? null
        : { place: archive.archive.place, address: archive.archive.address, ...archive.sink.status() },
    counters: counters.snapshot(),
  }
}

export function daemonReadiness(parts: DaemonParts): Readiness {
  const reasons: string[] = []
  if (parts.source === undefined || parts.pipeline === undefined) reasons.push('the capture has not started yet')
  if (parts.stopping) reasons.push('it is stopping')
  for (const { endpoint, sink } of parts.targets) {
    const { healthy, lastFailure } = sink.status()
    if (!healthy) reasons.push(`export to ${endpoint} fails: ${lastFailure ?? 'no answer yet'}`)
  }
  const archive = parts.archive?.sink.status()
  if (archive?.away === true && archive.lastError !== undefined)
    reasons.push(`the archive is away: ${archive.lastError}`)
  return { ready: reasons.length === 0, reasons }
}

export function daemonMetrics(parts: DaemonParts): Metric[] {
  const metrics = [...parts.gauges.metrics(), ...counterMetrics(parts.counters)]
  if (parts.pipeline !== undefined) metrics.push(...pipelineMetrics(parts.pipeline.status()))
  metrics.push(...exportMetrics(parts.targets, parts.counters))
  const coverage = parts.calls?.coverage()
  if (coverage !== undefined) metrics.push(callMetric(coverage))
  const times = bpfTimes(parts.source)
  if (times.length > 0) {
    const samples = (value: (time: BpfTime) => number) =>
      times.map(time => ({ labels: { program: time.program }, value: value(time) }))
    metrics.push(
      {
        name: 'ghostspan_bpf_run_seconds_total',
        type: 'counter',
        help: 'Run time of the BPF programs; 0 while kernel.bpf_stats_enabled is 0.',
        samples: samples(time => time.seconds),
      },
      {
        name: 'ghostspan_bpf_runs_total',
        type: 'counter',
        help: 'Runs of the BPF programs.',
        samples: samples(time => time.runs),
      },
    )
  }
  return metrics
}

function callMetric({ copied, uncopied }: CallCoverage): Metric {
  return {
    name: 'ghostspan_socket_calls_total',
    type: 'counter',
    help: 'Socket calls of traced processes that moved bytes; copied: told by an event, else counted in the kernel only.',
    samples: [
      { labels: { copied: 'true' }, value: copied },
      { labels: { copied: 'false' }, value: uncopied },
    ],
  }
}

interface BpfTime {
  readonly program: string
  readonly seconds: number
  readonly runs: number
}

function bpfTimes(source: LiveSource | undefined): BpfTime[] {
  return (source?.programTimes() ?? []).map(({ name, nanoseconds, runs }) => ({
    program: name,
    seconds: nanoseconds / 1e9,
    runs,
  }))
}
