import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import type { MergedSketch } from '../archive/queries/read-sketches.js'
import type { Settings } from '../config/settings.js'
import { countOption, durationOption, momentOption } from './option-values.js'
import { addArchivePlaceOptions, addSettingsFileOptions, type SettingsFlags, settingsFor } from './settings-options.js'
import { readSketchRange } from './sketch-access.js'
import { type CallFigures, callFigures, grouped, percentText, rateText } from './sketch-figures.js'
import { note, print, printJson } from './standard-output.js'
import { createStopSignal } from './stop-signal.js'

interface TopFlags extends SettingsFlags {
  readonly since?: bigint
  readonly by: SortName
  readonly edges?: boolean
  readonly kernel?: boolean
  readonly live?: boolean
  readonly service?: string
  readonly limit?: number
  readonly every?: number
  readonly json?: boolean
}

type SortName = 'time' | 'calls' | 'errors' | 'p99'

const DEFAULT_SECONDS = 300

export function addTopCommand(program: Command): void {
  const command = program
    .command('top')
    .summary('the busiest operations and edges')
    .description(
      'What took most time in the last minutes, from sketches: every call counts, whatever was sampled. The daemon ' +
        'writes sketches at the end of a minute, so the last 65 seconds are not in them yet. Where no spans were made, ' +
        'or with --kernel, services and edges as the kernel counted them, whatever was copied.',
    )
    .addOption(
      new Option('--since <time>', 'from when on: 15m, 2h, or a time (default: 5m)').argParser((text: string) =>
        momentOption(text),
      ),
    )
    .addOption(
      new Option('--by <what>', 'what comes first').choices(['time', 'calls', 'errors', 'p99']).default('time'),
    )
    .option('-s, --service <name>', 'only operations of this service')
    .option('--edges', 'who calls whom, instead of operations or services')
    .option('--kernel', 'services instead of operations, from what the kernel counted of all calls')
    .option('--live', 'the same of the last two seconds (or of --every), from the running daemon')
    .addOption(new Option('-n, --limit <number>', 'most lines (default: 20)').argParser(countOption))
    .addOption(new Option('--every <time>', 'again and again until Ctrl-C, such as 10s').argParser(durationOption))
    .option('--json', 'an object a line, on a line each')
  addSettingsFileOptions(addArchivePlaceOptions(command))
    .addHelpText(
      'after',
      '\nExamples:\n  ghostspan top\n  ghostspan top --edges --by errors --since 1h\n  ghostspan top --live',
    )
    .action(top)
}

const LIVE_MILLIS = 2_000

async function top(flags: TopFlags): Promise<void> {
  const { settings, warnings } = await settingsFor(flags)
  for (const warning of warnings) note(`warning: ${warning}`)
  const show = flags.live === true ? await liveView(settings, flags) : () => showArchived(settings, flags)
  const terminal = flags.json !== true && process.stdout.isTTY === true
  const every = flags.every ?? (flags.live === true && terminal ? LIVE_MILLIS : undefined)
  if (every === undefined) {
    await show()
    return
  }
  const stop = createStopSignal()
  try {
    while (!stop.signal.aborted) {
      await show(stop.signal, () => {
        if (terminal) print('\u001b[2J\u001b[H')
      })
      // Live figures take their time themselves.
      if (flags.live !== true) await sleep(every, undefined, { signal: stop.signal }).catch(() => {})
    }
  } finally {
    stop.close()
  }
}

type View = (signal?: AbortSignal, before?: () => void) => Promise<void>

async function liveView(settings: Settings, flags: TopFlags): Promise<View> {
  const { daemonPlace } = await import('./daemon-url.js')
  const { createLiveCalls } = await import('./live-calls.js')
  const look = createLiveCalls(daemonPlace(settings, undefined).url)
  return async (signal, before) => {
    const { rows, seconds } = await look(flags.every ?? LIVE_MILLIS, signal)
    before?.()
    await showKernel(rows, seconds, flags)
  }
}

async function showKernel(sketches: readonly MergedSketch[], seconds: number, flags: TopFlags): Promise<void> {
  const { kernelLines, kernelTable } = await import('./kernel-top.js')
  const edges = flags.edges === true
  const wanted = flags.service === undefined ? sketches : sketches.filter(({ service }) => service === flags.service)
  const lines = kernelLines(wanted, seconds, edges)
    .sort((a, b) => SORT[flags.by](b) - SORT[flags.by](a) || b.socketCalls - a.socketCalls)
    .slice(0, flags.limit ?? 20)
  if (flags.json === true) for (const line of lines) printJson(line)
  else if (lines.length === 0) note('the kernel counted no calls in this time')
  else print(await kernelTable(lines, edges))
}

interface Line extends CallFigures {
  readonly service: string
  readonly name: string
  readonly end: string
}

async function showArchived(settings: Settings, flags: TopFlags): Promise<void> {
  const range = { since: flags.since, until: undefined, defaultSeconds: DEFAULT_SECONDS }
  const service = flags.service === undefined ? {} : { service: flags.service }
  if (flags.kernel === true) {
    const { sketches, seconds } = await readSketchRange(settings, range, { kinds: ['kernel'], ...service })
    await showKernel(sketches, seconds, flags)
    return
  }
  const kind = flags.edges === true ? 'edge' : 'operation'
  const reading = await readSketchRange(settings, range, { kinds: [kind], ...service })
  const lines = linesOf(reading.sketches, reading.seconds, flags.edges === true)
    .sort((a, b) => SORT[flags.by](b) - SORT[flags.by](a))
    .slice(0, flags.limit ?? 20)
  if (lines.length === 0) {
    const { sketches, seconds } = await readSketchRange(settings, range, { kinds: ['kernel'], ...service })
    if (sketches.length > 0) {
      note(`no ${kind}s in this time: no spans were made of it; what the kernel counted:`)
      await showKernel(sketches, seconds, flags)
      return
    }
  }
  if (flags.json === true) {
    for (const line of lines) printJson(line)
    return
  }
  if (lines.length === 0) {
    note('no sketches in this time; the daemon writes them a few seconds after each minute')
    return
  }
  print(await table(lines, flags.edges === true))
}

const SORT: Readonly<Record<SortName, (line: CallFigures) => number>> = {
  time: line => line.meanNs * line.calls,
  calls: line => line.calls,
  errors: line => line.errors,
  p99: line => line.p99Ns,
}

/** The end that was seen is the first word of an operation's class. */
const endOf = (sketch: MergedSketch): string => sketch.class.split(' ')[0]!

function linesOf(sketches: readonly MergedSketch[], seconds: number, edges: boolean): Line[] {
  const end = (sketch: MergedSketch): string => (edges ? sketch.class : endOf(sketch))
  const groups = grouped(sketches, sketch => JSON.stringify([sketch.service, sketch.name, end(sketch)]))
  return [...groups.values()].map(group => ({
    ...{ service: group[0]!.service, name: group[0]!.name, end: end(group[0]!) },
    ...callFigures(group, seconds),
  }))
}

async function table(lines: readonly Line[], edges: boolean): Promise<string> {
  const { formatDuration } = await import('../export/durations.js')
  const { textTable } = await import('./text-table.js')
  return textTable(
    [
      { title: edges ? 'FROM' : 'SERVICE' },
      { title: edges ? 'TO' : 'OPERATION' },
      { title: edges ? 'PROTOCOL' : 'END' },
      { title: 'CALLS/S', align: 'right' },
      { title: 'FAILED', align: 'right' },
      { title: 'P50', align: 'right' },
      { title: 'P99', align: 'right' },
      { title: 'LONGEST', align: 'right' },
    ],
    lines.map(line => [
      ...[line.service === '' ? '(outside)' : line.service, line.name, line.end, rateText(line.perSecond)],
      ...[percentText(line.errors, line.calls), formatDuration(line.p50Ns), formatDuration(line.p99Ns)],
      formatDuration(line.longestNs),
    ]),
  )
}
