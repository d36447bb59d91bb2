import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Metric } from './metric.js'

/** What we cost ourselves: CPU, memory, and how long the event loop kept others waiting. */
export interface ProcessGauges {
  metrics(): Metric[]
  /** Shares of one CPU since the last call, and bytes; for `status`. */
  read(): ProcessCost
  close(): void
}

export interface ProcessCost {
  readonly cpuSeconds: number
  readonly residentBytes: number
  readonly heapUsedBytes: number
  readonly eventLoopDelayP99Seconds: number
  readonly eventLoopDelayMaxSeconds: number
  readonly uptimeSeconds: number
}

const RESOLUTION_MILLIS = 20
const NANOS = 1e9

export function createProcessGauges(): ProcessGauges {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MILLIS })
  delay.enable()
  // The histogram counts from one tick to the next; what is above the resolution is delay.
  const seconds = (nanos: number): number => Math.max(0, nanos / NANOS - RESOLUTION_MILLIS / 1000)
  const read = (): ProcessCost => {
    const { user, system } = process.cpuUsage()
    const memory = process.memoryUsage()
    return {
      cpuSeconds: (user + system) / 1e6,
      residentBytes: memory.rss,
      heapUsedBytes: memory.heapUsed,
      eventLoopDelayP99Seconds: seconds(delay.percentile(99)),
      eventLoopDelayMaxSeconds: seconds(delay.max),
      uptimeSeconds: process.uptime(),
    }
  }
  return {
    read,
    metrics: () => {
      const cost = read()
      const p50 = seconds(delay.percentile(50))
      delay.reset()
      const startSeconds = Date.now() / 1000 - cost.uptimeSeconds
      return [
        single(
          'process_cpu_seconds_total',
          'counter',
          'CPU time of the daemon, without BPF and archive.',
          cost.cpuSeconds,
        ),
        single('process_resident_memory_bytes', 'gauge', 'Resident memory of the daemon.', cost.residentBytes),
        single('process_start_time_seconds', 'gauge', 'Start of the daemon, seconds since 1970.', startSeconds),
        single('nodejs_heap_used_bytes', 'gauge', 'Used heap of the daemon.', cost.heapUsedBytes),
        {
          name: 'ghostspan_event_loop_delay_seconds',
          type: 'gauge',
          help: 'Delay of the event loop since the last look.',
          samples: [
            { labels: { quantile: '0.5' }, value: p50 },
            { labels: { quantile: '0.99' }, value: cost.eventLoopDelayP99Seconds },
            { labels: { quantile: '1' }, value: cost.eventLoopDelayMaxSeconds },
          ],
        },
      ]
    },
    close: () => delay.disable(),
  }
}

function single(name: string, type: Metric['type'], help: string, value: number): Metric {
  return { name, type, help, samples: [{ value }] }
}
