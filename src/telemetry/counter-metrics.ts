import type { Counters } from './counters.js'
import type { Metric, MetricSample } from './metric.js'

/**
 * All counters as metrics: `capture.lost.ring_full` becomes `ghostspan_capture_lost_total{cause="ring_full"}`. Of
 * protocols the second part is the protocol: `protocols.http.resync` becomes
 * `ghostspan_protocols_resync_total{protocol="http"}`.
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

function placeOf(name: string): { family: string; labels: Record<string, string> } {
  const parts = name.split('.')
  const labels: Record<string, string> = {}
  if (parts[0] === 'protocols' && parts.length > 2) labels['protocol'] = parts.splice(1, 1)[0]!
  if (parts.length > 2) labels['cause'] = parts.splice(2).join('.')
  return { family: parts.join('_').replaceAll(/[^a-zA-Z0-9_]/g, '_'), labels }
}
