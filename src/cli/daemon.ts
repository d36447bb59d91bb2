import { mkdirSync } from 'node:fs'
import type { LiveSource } from '../capture/live-source.js'
import type { LoadedSettings } from '../config/load-settings.js'
import type { Settings } from '../config/settings.js'
import type { Pipeline, PipelineStatus } from '../pipeline.js'
import { createCounters } from '../telemetry/counters.js'
import { createHealthServer, type HealthServer } from '../telemetry/health-server.js'
import type { Logger } from '../telemetry/logger.js'
import { createProcessGauges } from '../telemetry/process-gauges.js'
import { createLimitedSinks } from '../traces/attribute-limits.js'
import type { TraceSink } from '../traces/span.js'
import { callReport } from './call-report.js'
import { collectGarbage } from './collect-garbage.js'
import { CommandError } from './command-error.js'
import { openDaemonArchive } from './daemon-archive.js'
import { openDaemonExport } from './daemon-export.js'
import { type DaemonParts, daemonMetrics, daemonReadiness, daemonStatus } from './daemon-status.js'
import { openLiveSource } from './live-capture.js'
import { pipelineOptionsOf } from './pipeline-options.js'
import { writeRunFile } from './run-file.js'
import { createPrintSink, createSampledSink } from './trace-sinks.js'

export interface DaemonOptions {
  readonly loaded: LoadedSettings
  readonly print: 'tree' | 'json' | 'none'
  readonly log: Logger
  readonly signal: AbortSignal
  /** Nobody reads what is printed any more. */
  readonly onUnread: () => void
  readonly onStarted: (status: Record<string, unknown>) => void
}

export interface DaemonResult {
  readonly pipeline: PipelineStatus
  readonly counters: Readonly<Record<string, number>>
}

/** Repeated warnings are told at least this often. */
/** After this time what the start needed is garbage. */
const SETTLED_MILLIS = 2_000
const FLUSH_LOG_MILLIS = 60_000

/**
 * Watches, assembles, exports and archives until the signal. Starts what can fail first, the capture last, so that no
 * events wait in the kernel while the archive starts; ends in the opposite order, within the time that the settings give.
 */
export async function runDaemon(options: DaemonOptions): Promise<DaemonResult> {
  const { log, loaded, signal } = options
  const { settings } = loaded
  const closers: Closers = []
  let stopDeadline: NodeJS.Timeout | undefined
  try {
    closers.push(await claimDataDirectory(settings))
    const counters = createCounters()
    const gauges = createProcessGauges()
    closers.push(() => gauges.close())
    const flushLog = setInterval(() => log.flush(), FLUSH_LOG_MILLIS).unref()
    closers.push(() => clearInterval(flushLog))
    const parts: DaemonParts = {
      ...{ settings, settingsFile: loaded.file, counters, gauges, startedAt: new Date(), targets: [] },
      ...{ archive: undefined, source: undefined, pipeline: undefined, calls: undefined, stopping: false },
    }
    const health = await openHealth(parts, log)
    if (health !== undefined) closers.push(() => health.close())
    closers.push(writeRunFile(settings.archive.dataDirectory, health?.url))
    const sinks = await openSinks(parts, options, closers)
    const source = await openLiveSource(settings, counters)
    closers.push(() => source.close())
    const enginePid = parts.archive?.archive.enginePid()
    if (enginePid !== undefined) source.addOwnProcess(enginePid)
    const { createPipeline } = await import('../create-pipeline.js')
    const limited = createLimitedSinks(sinks, settings.attributeLimits, counters)
    const pipeline = createPipeline({ ...pipelineOptionsOf(settings), source, sinks: [limited], counters })
    parts.source = source
    parts.pipeline = pipeline
    closers.push(await countCalls(parts, source, pipeline))
    signal.addEventListener('abort', () => {
      parts.stopping = true
      stopDeadline = endLate(settings.shutdownTimeoutMillis, log)
    })
    options.onStarted({ ...daemonStatus(parts), health: health?.url ?? null })
    const settled = setTimeout(collectGarbage, SETTLED_MILLIS).unref()
    closers.push(() => clearTimeout(settled))
    await pipeline.run(signal)
    return { pipeline: pipeline.status(), counters: counters.snapshot() }
  } finally {
    for (const close of closers.reverse()) await close()
    clearTimeout(stopDeadline)
    log.flush()
  }
}

/** What has to be closed, in the order in which it was opened. */
type Closers = (() => unknown)[]

/** What the kernel counts of all calls, copied or not: for `top` and `status`, and minute by minute for the archive. */
async function countCalls(parts: DaemonParts, source: LiveSource, pipeline: Pipeline): Promise<() => void> {
  const { createCallTotals } = await import('../sketches/call-totals.js')
  const { startKernelMinutes } = await import('../sketches/kernel-minutes.js')
  const { createOwnAddresses } = await import('../capture/own-addresses.js')
  const totals = createCallTotals({
    read: () => source.callSketches(),
    serviceOf: (pid, port) => pipeline.serviceOf(pid, port),
    isOwnAddress: createOwnAddresses(),
    counters: parts.counters,
  })
  parts.calls = totals
  const sketches = parts.archive?.targets.sketches
  if (sketches === undefined) return () => {}
  const minutes = startKernelMinutes({ totals, addRows: rows => sketches.addRows(rows), now: () => Date.now() })
  return () => minutes.stop()
}

/** Archive, export, terminal. The list grows when a receiver turns up later. */
async function openSinks(parts: DaemonParts, options: DaemonOptions, closers: Closers): Promise<TraceSink[]> {
  const { settings, counters } = parts
  const { log } = options
  const context = { settings, counters, log }
  const sinks: TraceSink[] = []
  if (settings.archive.enabled) {
    parts.archive = await openDaemonArchive(context)
    if (parts.archive !== undefined) {
      const { archive, targets, close } = parts.archive
      closers.push(close)
      sinks.push(...targets.kept)
      log.info({ component: 'archive' }, archiveText(settings, archive.address))
    }
  } else log.info({ component: 'archive' }, 'archives nothing, as set')
  const daemonExport = await openDaemonExport(context, target => {
    parts.targets.push(target)
    sinks.push(target.sink)
  })
  closers.push(() => daemonExport.close())
  if (options.print !== 'none') sinks.push(await printSink(options.print, counters, options.onUnread))
  const targets = parts.archive?.targets
  // What counts comes last: the sampler looks at what was seen before this trace.
  return [await createSampledSink(sinks, targets?.statistics, context), ...(targets?.counting ?? [])]
}

/** One daemon per data folder: the claim names pid and start time, so that what a killed one left counts for nothing. */
async function claimDataDirectory(settings: Settings): Promise<() => void> {
  const { dataDirectory } = settings.archive
  try {
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new CommandError(
      `the data folder ${dataDirectory} cannot be made: ${(error as Error).message}; name another one with --data-directory`,
      { cause: error },
    )
  }
  const { claimDirectory } = await import('../archive/directory-claim.js')
  try {
    const claim = claimDirectory(dataDirectory, 'run')
    return () => claim.release()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const text =
      code === undefined
        ? message
        : `the data folder ${dataDirectory} cannot be written: ${message}; name another one with --data-directory`
    throw new CommandError(text, { cause: error })
  }
}

async function openHealth(parts: DaemonParts, log: Logger): Promise<HealthServer | undefined> {
  const { enabled, host, port, required } = parts.settings.health
  if (!enabled) return undefined
  try {
    const server = await createHealthServer({
      host,
      port,
      metrics: () => daemonMetrics(parts),
      readiness: () => daemonReadiness(parts),
      status: () => daemonStatus(parts),
      calls: () => callReport(parts.calls, Date.now()),
    })
    log.info({ component: 'health' }, `serves ${server.url}/metrics, /healthz, /readyz, /status and /calls`)
    return server
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const reason = code === 'EADDRINUSE' ? 'another program listens there' : message
    const text = `metrics and health cannot be served at ${host}:${port}: ${reason}; choose another address with --listen, or --no-health`
    if (required) throw new CommandError(text, { cause: error })
    log.warn({ component: 'health' }, `${text}; going on without`)
    return undefined
  }
}

async function printSink(
  form: 'tree' | 'json',
  counters: ReturnType<typeof createCounters>,
  onEnd: () => void,
): Promise<TraceSink> {
  const { createStreamOutput } = await import('../export/text-output.js')
  return createPrintSink({ form, counters, output: createStreamOutput(process.stdout, { onEnd }) })
}

function archiveText({ archive }: Settings, address: string): string {
  const { retention, clickhouse } = archive
  const days = retention.ageMillis / 86_400_000
  const bounds = `${Number(days.toFixed(2))} days, ${Number((retention.sizeBytes / 1e9).toFixed(2))} GB`
  return `archives into ${address} (${clickhouse === undefined ? 'embedded ClickHouse' : 'ClickHouse server'}; keeps ${bounds})`
}

/** A receiver or an archive that hangs must not keep a daemon that was told to stop. */
function endLate(millis: number, log: Logger): NodeJS.Timeout {
  return setTimeout(() => {
    log.error({ component: 'run' }, `did not stop within ${millis * 2} ms; what was still open is lost`)
    log.flush()
    process.exit(1)
  }, millis * 2)
}
