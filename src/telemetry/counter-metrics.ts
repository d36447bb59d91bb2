import type { Counters } from './counters.js'
import type { Metric, MetricSample } from './metric.js'

/**
 * All counters as metrics: the last of three or more parts is the cause, so `capture.lost.ring_full` becomes
 * `ghostspan_capture_lost_total{cause="ring_full"}`. In the rooms `protocols` and `jobs` the second part is a label too
 * (`protocols.http.resync`: `ghostspan_protocols_resync_total{protocol="http"}`), in `export` it belongs to the name.
 */
export function counterMetrics(counters: Counters): Metric[] {
  const families = new Map<string, MetricSample[]>()
  for (const [name, value] of Object.entries(counters.snapshot('', true))) {
    const { family, labels } = placeOf(name)
    const samples = families.get(family)
    if (samples === undefined) families.set(family, [{ labels, value }])
    else samples.push({ labels, value })
  }
  return [...families].map(([family, samples]) => ({
    name: `ghostspan_${family}_total`,
    type: 'counter',
    help: `Ghostspan's counter ${family.replaceAll('_', ' ')}.`,
    samples,
  }))
}

/** Rooms whose second part says which one of many. */
const NAMED: Readonly<Record<string, string>> = { protocols: 'protocol', jobs: 'job' }

function placeOf(name: string): { family: string; labels: Record<string, string> } {
  const parts = name.split('.')
  const labels: Record<string, string> = {}
  const label = NAMED[parts[0]!]
  if (label !== undefined && parts.length > 2) labels[label] = parts.splice(1, 1)[0]!
  if (parts.length > (parts[0] === 'export' ? 3 : 2)) labels['cause'] = parts.pop()!
  return { family: parts.join('_').replaceAll(/[^a-zA-Z0-9_]/g, '_'), labels }
}
