import assert from 'node:assert/strict'
import { test } from 'node:test'
import { counterMetrics } from '../../src/telemetry/counter-metrics.js'
import { createCounters } from '../../src/telemetry/counters.js'
import { renderPrometheus } from '../../src/telemetry/prometheus.js'

test('a metric is its help, its type and its samples', () => {
  const text = renderPrometheus([
    {
      name: 'a_total',
      type: 'counter',
      help: 'What\nit \\ is.',
      samples: [{ value: 1 }, { labels: { x: 'q"\\\n' }, value: 2.5 }],
    },
    { name: 'empty', type: 'gauge', help: '', samples: [] },
    { name: 'b', type: 'gauge', help: 'B.', samples: [{ value: Number.NaN }, { value: Number.POSITIVE_INFINITY }] },
  ])
  assert.equal(
    text,
    '# HELP a_total What\\nit \\\\ is.\n# TYPE a_total counter\na_total 1\na_total{x="q\\"\\\\\\n"} 2.5\n' +
      '# HELP b B.\n# TYPE b gauge\nb NaN\nb +Inf\n',
  )
})

test('counters become one family per room and thing, with the cause as a label, zeros included', () => {
  const counters = createCounters()
  counters.add('capture.lost.ring_full', 3)
  counters.counter('capture.lost.no_memory')
  counters.add('protocols.http.resync', 2)
  counters.add('protocols.mysql.resync', 1)
  counters.add('export.otlp.spans', 7)
  counters.add('jobs.retention.runs')
  counters.add('export.otlp.dropped.queue_full', 4)
  const text = renderPrometheus(counterMetrics(counters))
  const values = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  assert.deepEqual(values.sort(), [
    'ghostspan_capture_lost_total{cause="no_memory"} 0',
    'ghostspan_capture_lost_total{cause="ring_full"} 3',
    'ghostspan_export_otlp_dropped_total{cause="queue_full"} 4',
    'ghostspan_export_otlp_spans_total 7',
    'ghostspan_jobs_runs_total{job="retention"} 1',
    'ghostspan_protocols_resync_total{protocol="http"} 2',
    'ghostspan_protocols_resync_total{protocol="mysql"} 1',
  ])
  assert.equal(text.match(/# TYPE ghostspan_protocols_resync_total/g)?.length, 1)
})
