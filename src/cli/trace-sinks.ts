import type { Archive } from '../archive/archive.js'
import type { ArchiveSink } from '../archive/sink.js'
import type { OtlpExporterSettings, Settings } from '../config/settings.js'
import { urlWithoutPassword } from '../config/without-secrets.js'
import type { OtlpEndpoint } from '../export/otlp-options.js'
import type { OtlpSink } from '../export/otlp-sink.js'
import type { TextOutput } from '../export/text-output.js'
import type { ShapeStatistics } from '../shapes/shape-statistics.js'
import type { SketchSink } from '../sketches/sketch-sink.js'
import type { Counters } from '../telemetry/counters.js'
import type { Logger } from '../telemetry/logger.js'
import type { FinishedTrace, TraceSink } from '../traces/span.js'
import { version } from '../version.js'
import { CommandError } from './command-error.js'
import { wantsColours } from './standard-output.js'

export interface SinkContext {
  readonly settings: Settings
  readonly counters: Counters
  readonly log: Logger
}

/** One way out of the daemon, for `status`. */
export interface OtlpTarget {
  readonly endpoint: string
  readonly protocol: string
  readonly settings: OtlpExporterSettings
  readonly sink: OtlpSink
}

/** Where and how an exporter sends. Its files are read here, so that a wrong path is told at the start. */
export async function otlpEndpointOf(exporter: OtlpExporterSettings): Promise<OtlpEndpoint> {
  return {
    protocol: exporter.protocol,
    url: otlpUrl(exporter),
    headers: exporter.headers,
    compression: exporter.compression,
    ...(exporter.timeoutMillis === 0 ? {} : { timeoutMillis: exporter.timeoutMillis }),
    ...(await tlsOf(exporter)),
  }
}

export async function createOtlpTarget(exporter: OtlpExporterSettings, context: SinkContext): Promise<OtlpTarget> {
  const { createOtlpSink } = await import('../export/otlp-sink.js')
  const { settings, counters, log } = context
  const { batch } = exporter
  const sink = createOtlpSink({
    ...(await otlpEndpointOf(exporter)),
    version,
    counters,
    warn: message => log.warn({ component: 'export' }, message),
    queueSpans: batch.maxQueueSize,
    batchSpans: batch.maxBatchSize,
    lingerMillis: batch.scheduleDelayMillis,
    retryMillis: batch.exportTimeoutMillis === 0 ? Number.POSITIVE_INFINITY : batch.exportTimeoutMillis,
    flushMillis: settings.shutdownTimeoutMillis,
  })
  return { endpoint: urlWithoutPassword(exporter.endpoint), protocol: exporter.protocol, settings: exporter, sink }
}

/** A bare host:port speaks TLS unless it is said to be insecure (OTLP exporter specification, "Endpoint"). */
function otlpUrl({ endpoint, tls }: OtlpExporterSettings): string {
  return endpoint.includes('://') ? endpoint : `${tls.insecure ? 'http' : 'https'}://${endpoint}`
}

async function tlsOf({ tls }: OtlpExporterSettings): Promise<{ tls?: Record<string, Buffer> }> {
  const { readFile } = await import('node:fs/promises')
  const files = { authorities: tls.caFile, certificate: tls.certFile, key: tls.keyFile }
  const read: Record<string, Buffer> = {}
  for (const [name, path] of Object.entries(files)) {
    if (path === undefined) continue
    try {
      read[name] = await readFile(path)
    } catch (error) {
      throw new CommandError(`the certificate file of the exporter cannot be read: ${(error as Error).message}`)
    }
  }
  return Object.keys(read).length === 0 ? {} : { tls: read }
}

export interface PrintOptions {
  readonly form: 'tree' | 'json'
  readonly output: TextOutput
  readonly counters: Counters
}

export async function createPrintSink({ form, output, counters }: PrintOptions): Promise<TraceSink> {
  if (form === 'json') {
    const { createJsonLinesSink } = await import('../export/json-lines-sink.js')
    return createJsonLinesSink({ output, counters })
  }
  const { createTerminalSink } = await import('../export/terminal-sink.js')
  const { columns } = process.stdout
  return createTerminalSink({
    output,
    counters,
    colours: wantsColours(process.env),
    ...(columns === undefined ? {} : { width: columns }),
  })
}

/** The archive's sink, with migrations before the first insert and rows spooled while it is away. */
async function createArchiveTarget(archive: Archive, context: SinkContext): Promise<ArchiveSink> {
  const { createArchiveSink } = await import('../archive/sink.js')
  const { migrate } = await import('../archive/migrate.js')
  const { join } = await import('node:path')
  const { settings, counters, log } = context
  const { dataDirectory, retention, spoolBytes } = settings.archive
  return createArchiveSink({
    archive,
    prepare: () => migrate(archive, { retentionSeconds: retention.ageMillis / 1000, limitBytes: retention.sizeBytes }),
    spoolDirectory: join(dataDirectory, 'spool'),
    spoolLimitBytes: spoolBytes,
    counters,
    warn: message => log.warn({ component: 'archive' }, message),
    closeMillis: settings.shutdownTimeoutMillis,
  })
}

/** Carries rows that are no spans, with a spool of their own. */
async function createOwnRowsSender(archive: Archive, room: 'sketches' | 'shapes', context: SinkContext) {
  const { createRowsSender } = await import('../archive/rows-sender.js')
  const { migrate } = await import('../archive/migrate.js')
  const { setSketchRetention } = await import('../archive/roll-up.js')
  const { join } = await import('node:path')
  const { settings, counters, log } = context
  const { retention, dataDirectory } = settings.archive
  return createRowsSender({
    archive,
    prepare: async () => {
      await migrate(archive, { retentionSeconds: retention.ageMillis / 1000, limitBytes: retention.sizeBytes })
      await setSketchRetention(archive, settings.sketches.retentionSeconds)
    },
    spoolDirectory: join(dataDirectory, `spool-${room}`),
    counters,
    room,
    warn: message => log.warn({ component: room }, message),
  })
}

/** Sketches of what is archived. */
async function createSketchTarget(archive: Archive, context: SinkContext): Promise<SketchSink> {
  const { createSketchSink } = await import('../sketches/sketch-sink.js')
  const { openFlushMark } = await import('../sketches/flush-mark.js')
  const { join } = await import('node:path')
  const { settings, counters, log } = context
  const now = (): number => Date.now() / 1000
  const mark = openFlushMark(join(settings.archive.dataDirectory, 'sketches-until.json'), now())
  if (mark.before !== undefined) {
    counters.add('sketches.lost.killed_before')
    const from = mark.before === 0 ? 'of its last minute' : `from ${new Date(mark.before * 1000).toISOString()} on`
    log.warn(
      { component: 'sketches' },
      `the daemon that ran here before was killed: its sketches ${from} are lost, at most a minute and five seconds of them; nothing was counted from then until now`,
    )
  }
  const sink = createSketchSink({
    sender: await createOwnRowsSender(archive, 'sketches', context),
    counters,
    now,
    flushed: until => mark.flushed(until),
    closeMillis: settings.shutdownTimeoutMillis,
  })
  return {
    ...sink,
    close: async () => {
      await sink.close()
      mark.clear()
    },
  }
}

/** Everything of the archive that takes finished traces, as the settings say. */
export interface ArchiveTargets {
  /** Spans as rows; in it are only those that cannot be kept as shapes, where shapes are stored. */
  readonly rows: ArchiveSink
  /** Keep traces: what sampling leaves over. */
  readonly kept: readonly TraceSink[]
  /** Count traces: they see all. */
  readonly counting: readonly TraceSink[]
  /** One of `counting`; undefined where sketches are switched off. */
  readonly sketches: SketchSink | undefined
  readonly statistics: ShapeStatistics
  close(): Promise<void>
}

export async function createArchiveTargets(archive: Archive, context: SinkContext): Promise<ArchiveTargets> {
  const { createShapeCountingSink, createShapeSink } = await import('../shapes/shape-sink.js')
  const { createShapeStatistics } = await import('../shapes/shape-statistics.js')
  const { weightOf } = await import('../sketches/sampling-sink.js')
  const { settings, counters } = context
  const rows = await createArchiveTarget(archive, context)
  const statistics = createShapeStatistics(counters)
  await learnShapes(archive, statistics, context)
  const sender = await createOwnRowsSender(archive, 'shapes', context)
  const closeMillis = settings.shutdownTimeoutMillis
  const store = settings.shapes.store
    ? createShapeSink({ sender, counters, closeMillis, whole: rows, weightOf })
    : undefined
  const sketches = settings.sketches.enabled ? await createSketchTarget(archive, context) : undefined
  const counting = [
    createShapeCountingSink({ sender, counters, statistics }),
    ...(sketches === undefined ? [] : [sketches]),
  ]
  const kept = store ?? rows
  return {
    ...{ rows, kept: [kept], counting, sketches, statistics },
    close: async () => {
      await Promise.all(counting.map(sink => sink.close()))
      await Promise.all([kept.close(), sender.close(closeMillis)])
    },
  }
}

/** A shape that the archive knows is not new; where it does not answer yet, all look new. */
async function learnShapes(archive: Archive, statistics: ShapeStatistics, { log }: SinkContext): Promise<void> {
  const { knownShapes } = await import('../archive/queries/list-shapes.js')
  try {
    for (const { shape, traces } of await knownShapes(archive)) statistics.learn(shape, traces)
  } catch (error) {
    log.warn({ component: 'shapes' }, `what is known of shapes cannot be read: ${String(error)}`)
  }
}

/**
 * What passes of finished traces on to sinks, of which more may come later: a part where the settings ask for sampling,
 * else all.
 */
export async function createSampledSink(
  sinks: readonly TraceSink[],
  statistics: ShapeStatistics | undefined,
  { settings, counters }: Pick<SinkContext, 'settings' | 'counters'>,
): Promise<TraceSink> {
  const { createSamplingSink } = await import('../sketches/sampling-sink.js')
  const { enabled, share, rules } = settings.sampling
  if (!enabled) return createSamplingSink({ weight: () => 1 }, sinks)
  const { createTraceSampler } = await import('../sketches/trace-sampler.js')
  const { createSeenShapes, seenShape } = await import('../shapes/shape-statistics.js')
  const seen =
    statistics === undefined ? createSeenShapes(counters) : (trace: FinishedTrace) => seenShape(statistics, trace)
  return createSamplingSink(createTraceSampler({ share, rules, counters, seen }), sinks)
}
