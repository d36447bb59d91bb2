import { type Command, Option } from 'commander'
import type { EventSource } from '../capture/event-source.js'
import type { Settings } from '../config/settings.js'
import type { PipelineStatus } from '../pipeline.js'
import type { Counters } from '../telemetry/counters.js'
import type { TraceSink } from '../traces/span.js'
import { CommandError } from './command-error.js'
import {
  addArchivePlaceOptions,
  addAssemblyOptions,
  addSettingsFileOptions,
  type SettingsFlags,
  settingsFor,
} from './settings-options.js'
import { note, print, printJson, whenUnread } from './standard-output.js'
import { createStopSignal } from './stop-signal.js'
import type { SinkContext } from './trace-sinks.js'

type Form = 'tree' | 'json' | 'summary' | 'none'

interface ReplayFlags extends SettingsFlags {
  readonly print?: Form
  readonly json?: boolean
}

interface Replayed {
  readonly file: string
  readonly kind: string
  readonly host: string
  readonly status: PipelineStatus
  readonly counters: Readonly<Record<string, number>>
}

export function addReplayCommand(program: Command): void {
  const command = program
    .command('replay')
    .summary('traces from recordings and packet captures')
    .description(
      'Runs recordings (`ghostspan record`) and packet captures (pcap, pcapng) through the same way as live events, at ' +
        'full speed. The same file gives the same traces with the same ids each time. Needs no privileges.',
    )
    .argument('<files...>', 'recordings, plain or gzip, and packet captures; told apart by their content')
    .addOption(
      new Option('-p, --print <form>', 'what to print (default: tree)').choices(['tree', 'json', 'summary', 'none']),
    )
    .option('--json', 'JSON lines: an object a trace; with --print summary an object a file')
    .option('--otlp [url]', 'send the spans as well, to http://localhost:4317 or elsewhere')
    .option('--archive', 'archive the spans as well')
  addSettingsFileOptions(addAssemblyOptions(addArchivePlaceOptions(command)))
    .addHelpText(
      'after',
      `
Examples:
  ghostspan replay shop.gspan
  ghostspan replay capture.pcapng --json | jq .traceId
  ghostspan replay *.gspan --print summary
  ghostspan replay shop.gspan --print none --otlp http://localhost:4317`,
    )
    .action(replay)
}

async function replay(files: readonly string[], flags: ReplayFlags): Promise<void> {
  const loaded = await settingsFor({ ...flags, archive: undefined as never })
  const { commandLogger } = await import('./command-logger.js')
  const { createCounters } = await import('../telemetry/counters.js')
  const log = commandLogger(loaded)
  const form: Form = flags.print ?? (flags.json === true ? 'json' : 'tree')
  const stop = createStopSignal()
  const { sources, counters } = await openAll(files, createCounters)
  const context: SinkContext = { settings: loaded.settings, counters: createCounters(), log }
  const closers: (() => Promise<unknown>)[] = []
  try {
    const sinks = await openSinks(form, flags, context, stop.stop, closers)
    const results: Replayed[] = []
    for (const [index, source] of sources.entries()) {
      if (stop.signal.aborted) break
      const result = await replayOne(files[index]!, source, loaded.settings, sinks, counters[index]!, stop.signal)
      results.push(result)
      if (form === 'summary') printSummary(result, flags.json === true)
      else note(summaryText(result))
    }
    for (const close of closers.splice(0).reverse()) await close()
    tellLosses(context.counters)
  } finally {
    for (const close of closers.reverse()) await close()
    for (const source of sources) await source.close()
    stop.close()
    log.flush()
  }
}

/** All files are opened before the first is read: a wrong name is told at once, not after an hour. */
async function openAll(files: readonly string[], createCounters: () => Counters) {
  const { openCapture } = await import('../capture/open-capture.js')
  const sources: EventSource[] = []
  const counters: Counters[] = []
  for (const file of files) {
    const own = createCounters()
    try {
      sources.push(await openCapture(file, own))
      counters.push(own)
    } catch (error) {
      for (const source of sources) await source.close()
      if (!(error instanceof Error)) throw error
      const ofSystem = (error as NodeJS.ErrnoException).syscall !== undefined
      throw new CommandError(ofSystem ? `${file} cannot be read: ${error.message}` : error.message, { cause: error })
    }
  }
  return { sources, counters }
}

async function openSinks(
  form: Form,
  flags: ReplayFlags,
  context: SinkContext,
  onUnread: () => void,
  closers: (() => Promise<unknown>)[],
): Promise<TraceSink[]> {
  const { createOtlpTarget, createPrintSink } = await import('./trace-sinks.js')
  const sinks: TraceSink[] = []
  if (form === 'tree' || form === 'json') {
    const { createBlockingOutput } = await import('../export/text-output.js')
    whenUnread(onUnread)
    const output = createBlockingOutput(1, { onEnd: onUnread })
    sinks.push(await createPrintSink({ form, output, counters: context.counters }))
  }
  if (flags.otlp !== undefined && flags.otlp !== false) {
    for (const exporter of context.settings.export.exporters) {
      if (exporter.kind !== 'otlp') continue
      const { sink } = await createOtlpTarget(exporter, context)
      sinks.push(sink)
      closers.push(() => sink.close())
    }
  }
  if (flags.archive === true) sinks.push(...(await openReplayArchive(context, closers)))
  return sinks
}

async function openReplayArchive(
  context: SinkContext,
  closers: (() => Promise<unknown>)[],
): Promise<readonly TraceSink[]> {
  const { openArchive } = await import('./archive-access.js')
  const { createArchiveTargets } = await import('./trace-sinks.js')
  const archive = await openArchive(context.settings, {
    role: 'daemon',
    warn: message => context.log.warn({ component: 'archive' }, message),
  })
  closers.push(() => archive.close())
  const { kept, counting, close } = await createArchiveTargets(archive, context)
  closers.push(close)
  return [...kept, ...counting]
}

async function replayOne(
  file: string,
  source: EventSource,
  settings: Settings,
  sinks: readonly TraceSink[],
  counters: Counters,
  signal: AbortSignal,
): Promise<Replayed> {
  const { createPipeline } = await import('../create-pipeline.js')
  const { pipelineOptionsOf } = await import('./pipeline-options.js')
  const { createLimitedSinks } = await import('../traces/attribute-limits.js')
  const limited = createLimitedSinks(sinks, settings.attributeLimits, counters)
  const pipeline = createPipeline({ ...pipelineOptionsOf(settings), source, sinks: [limited], counters })
  await pipeline.run(signal)
  const { kind, origin } = source
  return { file, kind, host: origin.host, status: pipeline.status(), counters: counters.snapshot() }
}

/** No times of ours in it: the same file gives the same summary. */
function printSummary({ file, kind, host, status, counters }: Replayed, json: boolean): void {
  if (json) {
    const { events, lostEvents, samples, spans, traces } = status
    printJson({ file, kind, host, events, lostEvents, samples, spans, traces, counters })
    return
  }
  print(summaryText({ file, kind, host, status, counters }))
  for (const [name, value] of Object.entries(counters)) print(`  ${name.padEnd(44)} ${value}`)
}

function summaryText({ file, kind, status }: Replayed): string {
  const { events, lostEvents, samples, spans, traces } = status
  return `${file} (${kind}): ${traces} traces, ${spans} spans from ${samples} samples in ${events} events; ${lostEvents} events lost`
}

function tellLosses(counters: Counters): void {
  for (const prefix of ['export.otlp.dropped', 'archive.lost']) {
    for (const [name, value] of Object.entries(counters.snapshot(prefix))) note(`lost: ${name} ${value}`)
  }
}
