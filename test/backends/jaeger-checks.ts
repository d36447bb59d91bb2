import { existsSync } from 'node:fs'
import { demoRecordingPath } from '../../src/demo/recording-path.js'
import { createOtlpSink } from '../../src/export/otlp-sink.js'
import { createCounters } from '../../src/telemetry/counters.js'
import type { FinishedTrace, TraceSink } from '../../src/traces/span.js'
import { version } from '../../src/version.js'
import type { Backend } from './backend-process.js'
import type { Checks } from './checks.js'
import { type ExampleTraces, servicePairs, spansPerTrace } from './example-traces.js'
import { type JaegerApi, jaegerApi } from './jaeger-api.js'
import { eventually, manyTraces, send } from './sending.js'
import { byId, sentSpans, type ToldSpan, treeFaults } from './told-spans.js'

/** What is sent over each transport is in Jaeger as it was sent, and Jaeger finds nothing wrong with it. */
export async function checkJaeger(checks: Checks, jaeger: Backend, examples: ExampleTraces): Promise<void> {
  const started = await jaeger.start()
  const api = jaegerApi(started['query']!)
  try {
    for (const protocol of ['grpc', 'http/protobuf', 'http/json'] as const) {
      const trace = examples.next()
      const counts = await send([trace], started, protocol)
      await checks.equal(`Jaeger, ${protocol}: every span leaves once`, () => counts, {
        'export.otlp.spans': spansPerTrace,
      })
      await checkInJaeger(checks, `Jaeger, ${protocol}`, api, trace)
    }
    await checks.equal('Jaeger: services', async () => (await api.services()).sort(), [
      'audit',
      'nginx',
      'web',
      'worker',
    ])
    await checkMany(checks, started, api, examples)
    await checkRestart(checks, jaeger, started, api, examples.next())
    await checkRecording(checks, started, api)
  } finally {
    await jaeger.stop()
  }
}

async function checkInJaeger(checks: Checks, who: string, api: JaegerApi, trace: FinishedTrace): Promise<void> {
  const got = await eventually(
    () => api.spans(trace.traceId),
    spans => spans.length >= trace.spans.length,
  )
  await checks.equal(`${who}: one root, every parent there`, () => treeFaults(got), [])
  await checks.equal(
    `${who}: ids, names, kinds, ns times, status, attributes, links`,
    () => byId(got.map(withoutJaegersOwn)),
    byId(sentSpans(trace)),
  )
  await checks.equal(`${who}: no warning of clock skew or missing spans`, () => api.warnings(trace.traceId), [])
}

/** Jaeger adds attributes of its own, `@jaeger@…`. */
function withoutJaegersOwn(span: ToldSpan): ToldSpan {
  const own = Object.entries(span.attributes).filter(([key]) => !key.startsWith('@jaeger@'))
  return { ...span, attributes: Object.fromEntries(own) }
}

async function checkMany(
  checks: Checks,
  started: Record<string, string>,
  api: JaegerApi,
  examples: ExampleTraces,
): Promise<void> {
  const traces = Array.from({ length: manyTraces }, examples.next)
  const counts = await send(traces, started, 'grpc')
  await checks.equal(`Jaeger: ${manyTraces} traces leave without loss`, () => counts, {
    'export.otlp.spans': manyTraces * spansPerTrace,
  })
  await checks.equal(
    'Jaeger: its graph of services counts every call',
    () => api.dependencies(Date.now()),
    servicePairs(examples.made),
  )
}

async function checkRestart(
  checks: Checks,
  jaeger: Backend,
  started: Record<string, string>,
  api: JaegerApi,
  trace: FinishedTrace,
): Promise<void> {
  const counters = createCounters()
  const sink = createOtlpSink({ url: started['otlp_grpc']!, version, counters, lingerMillis: 10 })
  await jaeger.stop()
  sink.accept(trace)
  await eventually(
    () => counters.snapshot()['export.otlp.failures'] ?? 0,
    failures => failures > 0,
  )
  await jaeger.start()
  await eventually(
    () => counters.snapshot()['export.otlp.spans'] ?? 0,
    spans => spans === spansPerTrace,
  )
  await sink.close()
  await checkInJaeger(checks, 'Jaeger, away and back', api, trace)
}

/** The traces of the demo's recording, through the whole pipeline. */
async function checkRecording(checks: Checks, started: Record<string, string>, api: JaegerApi): Promise<void> {
  const path = demoRecordingPath()
  if (!existsSync(path)) {
    checks.notRun('the demo’s recording in Jaeger', `there is no ${path}`)
    return
  }
  const { openCapture } = await import('../../src/capture/open-capture.js')
  const { createPipeline } = await import('../../src/create-pipeline.js')
  const counters = createCounters()
  const traces: FinishedTrace[] = []
  const keep: TraceSink = { accept: trace => void traces.push(trace), flush: async () => {}, close: async () => {} }
  const otlp = createOtlpSink({ url: started['otlp_grpc']!, version, counters, queueSpans: 1_000_000 })
  const source = await openCapture(path, counters)
  await createPipeline({ source, sinks: [otlp, keep], counters }).run()
  await otlp.close()
  const ids = [...new Set(traces.map(trace => trace.traceId))].slice(0, 500)
  const faults: string[] = []
  for (const id of ids) {
    const spans = await eventually(
      () => api.spans(id),
      got => got.length > 0,
    )
    faults.push(...treeFaults(spans), ...(await api.warnings(id)))
  }
  await checks.equal('Jaeger: every trace of the demo’s recording has one root, no warning', () => faults, [])
  await checks.equal('… and there are some', () => ids.length > 0, true)
}
