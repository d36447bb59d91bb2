import type { Command } from 'commander'
import type { Comparison } from '../compare/comparison.js'
import type { OsprofilerTrace } from '../compare/osprofiler-trace.js'
import type { RebuiltSpan } from '../compare/rebuilt-span.js'
import type { LoadedSettings } from '../config/load-settings.js'
import { CommandError } from './command-error.js'
import { addArchivePlaceOptions, addSettingsFileOptions, type SettingsFlags, settingsFor } from './settings-options.js'
import { note, print, printJson } from './standard-output.js'

interface CompareFlags extends SettingsFlags {
  readonly osprofiler?: string
  readonly traces?: string
  readonly html?: string
  readonly json?: boolean
}

/** Spans that began this long before OSProfiler's are looked at, µs: a command is at work before it asks the first service. */
const BEFORE_US = 30e6
const AFTER_US = 2e6

export function addCompareCommand(program: Command): void {
  const command = program
    .command('compare')
    .summary('an OSProfiler trace beside the reconstructed one')
    .description(
      'Loads a trace of OSProfiler, finds what was reconstructed of the same request, and says which spans both have, ' +
        'which one of them lacks and why, whether their parents agree and how far their times differ. The reconstruction ' +
        "itself never looks at OSProfiler's headers.",
    )
    .argument('<trace>', 'output of `osprofiler trace show --json ID`, or the id itself with --osprofiler')
    .option(
      '--osprofiler <url>',
      "the services' connection_string: redis://…, mysql+pymysql://…, postgresql://…, sqlite://…",
    )
    .option(
      '--traces <file>',
      'reconstructed traces: a recording, or JSON lines as `ghostspan replay --json` prints them',
    )
    .option('--html <file>', 'write a page with both waterfalls, to be opened in any browser without a network')
    .option('--json', 'the comparison as one JSON object')
    .option('--otlp [url]', "send OSProfiler's trace as well, under service names of its own")
  addSettingsFileOptions(addArchivePlaceOptions(command))
    .addHelpText(
      'after',
      `
Without --traces the archive is asked.

Examples:
  ghostspan compare trace.json
  ghostspan compare 3a6cf6fd-84d7-4e50-b0f3-d5b35d41e2a9 --osprofiler redis://127.0.0.1:6379 --html compare.html
  ghostspan compare trace.json --traces lab.gspan --json | jq .parentsEqual
  ghostspan compare trace.json --otlp http://localhost:4317`,
    )
    .action(compare)
}

async function compare(source: string, flags: CompareFlags): Promise<void> {
  // --otlp is this command's own wish to send something, not the daemon's.
  const loaded = await settingsFor(flags)
  for (const warning of loaded.warnings) note(`warning: ${warning}`)
  const trace = await loadTrace(source, flags.osprofiler)
  const around = flags.traces === undefined ? await archived(trace, loaded) : await fromFile(flags.traces, loaded)
  const { compareTraces } = await import('../compare/comparison.js')
  const comparison = compareTraces(trace, around)
  if (flags.html !== undefined) await writePage(flags.html, comparison)
  if (flags.otlp !== undefined && flags.otlp !== false) await send(trace, loaded)
  if (flags.json === true) {
    const { comparisonToJson } = await import('../compare/comparison-json.js')
    printJson(comparisonToJson(comparison))
    return
  }
  const { comparisonText } = await import('../compare/comparison-text.js')
  print(comparisonText(comparison))
}

async function loadTrace(source: string, connection: string | undefined): Promise<OsprofilerTrace> {
  const { loadOsprofilerTrace } = await import('../compare/load-osprofiler.js')
  const { OsprofilerError } = await import('../compare/osprofiler-error.js')
  try {
    return await loadOsprofilerTrace(source, connection)
  } catch (error) {
    if (error instanceof OsprofilerError) throw new CommandError(error.message, { cause: error })
    throw error
  }
}

async function archived(trace: OsprofilerTrace, { settings }: LoadedSettings): Promise<RebuiltSpan[]> {
  const { spansBetween } = await import('../archive/queries/spans-between.js')
  const { fromFinished } = await import('../compare/rebuilt-span.js')
  const { readArchive } = await import('./archive-access.js')
  const first = Math.min(...trace.spans.map(({ startUs }) => startUs))
  const last = Math.max(...trace.spans.map(({ endUs }) => endUs))
  const nanos = (us: number): bigint => BigInt(Math.round(us)) * 1_000n
  const found = await readArchive(settings, archive =>
    spansBetween(archive, nanos(first - BEFORE_US), nanos(last + AFTER_US)),
  )
  if (found.length === 0) note('the archive has nothing of the time of this trace: did `ghostspan run` watch then?')
  return found.map(fromFinished)
}

async function fromFile(path: string, { settings }: LoadedSettings): Promise<RebuiltSpan[]> {
  const { readFile } = await import('node:fs/promises')
  const { rebuiltFromJson, rebuiltSpans } = await import('../compare/rebuilt-span.js')
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (error) {
    throw new CommandError(`${path} cannot be read: ${(error as Error).message}`, { cause: error })
  }
  if (bytes[0] === 0x7b) {
    const spans = rebuiltFromJson(bytes.toString('utf8'))
    if (spans === undefined)
      throw new CommandError(`${path} holds no traces as \`ghostspan replay --json\` prints them`)
    return spans
  }
  const { openCapture } = await import('../capture/open-capture.js')
  const { createPipeline } = await import('../create-pipeline.js')
  const { createCounters } = await import('../telemetry/counters.js')
  const { pipelineOptionsOf } = await import('./pipeline-options.js')
  const counters = createCounters()
  const source = await openCapture(path, counters).catch((error: Error) => {
    throw new CommandError(error.message, { cause: error })
  })
  const spans: RebuiltSpan[] = []
  const nothing = async (): Promise<void> => {}
  const sink = {
    accept: (trace: Parameters<typeof rebuiltSpans>[0]) => void spans.push(...rebuiltSpans(trace)),
    flush: nothing,
    close: nothing,
  }
  try {
    await createPipeline({ ...pipelineOptionsOf(settings), source, sinks: [sink], counters }).run()
  } finally {
    await source.close()
  }
  return spans
}

async function writePage(path: string, comparison: Comparison): Promise<void> {
  const { writeFile } = await import('node:fs/promises')
  const { comparisonPage } = await import('../compare/comparison-page.js')
  try {
    await writeFile(path, comparisonPage(comparison))
  } catch (error) {
    throw new CommandError(`${path} cannot be written: ${(error as Error).message}`, { cause: error })
  }
  note(`both waterfalls are in ${path}`)
}

async function send(trace: OsprofilerTrace, loaded: LoadedSettings): Promise<void> {
  const { osprofilerAsTrace } = await import('../compare/osprofiler-as-trace.js')
  const { createCounters } = await import('../telemetry/counters.js')
  const { commandLogger } = await import('./command-logger.js')
  const { createOtlpTarget } = await import('./trace-sinks.js')
  const { version } = await import('../version.js')
  const counters = createCounters()
  const log = commandLogger(loaded)
  for (const exporter of loaded.settings.export.exporters) {
    if (exporter.kind !== 'otlp') continue
    const { sink, endpoint } = await createOtlpTarget(exporter, { settings: loaded.settings, counters, log })
    sink.accept(osprofilerAsTrace(trace, version))
    await sink.flush()
    await sink.close()
    const lost = Object.values(counters.snapshot('export.otlp.dropped')).reduce((sum, count) => sum + count, 0)
    if (lost > 0) throw new CommandError(`${endpoint} did not take ${lost} spans of OSProfiler's trace`)
    note(`sent OSProfiler's trace ${trace.baseId.replaceAll('-', '')} to ${endpoint}`)
  }
  log.flush()
}
