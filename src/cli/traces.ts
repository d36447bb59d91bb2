import { type Command, Option } from 'commander'
import type { TraceFilter, TraceSummary } from '../archive/queries/list-traces.js'
import { countOption, durationNanosOption, momentOption } from './option-values.js'
import { addArchivePlaceOptions, addSettingsFileOptions, type SettingsFlags, settingsFor } from './settings-options.js'
import { note, print, printJson, wantsColours } from './standard-output.js'

interface TracesFlags extends SettingsFlags {
  readonly service?: string
  readonly operation?: string
  readonly minDuration?: number
  readonly maxDuration?: number
  readonly errors?: boolean
  readonly since?: bigint
  readonly until?: bigint
  readonly limit?: number
  readonly json?: boolean
}

export function addTracesCommand(program: Command): void {
  const moment = (text: string): bigint => momentOption(text)
  const command = program
    .command('traces')
    .summary('list archived traces')
    .description('Lists traces of the archive, the newest first. Works while the daemon runs, and without it.')
    .option('-s, --service <name>', 'some span belongs to this service')
    .option('-o, --operation <name>', 'some span has this name; with --service, of that service')
    .addOption(
      new Option('--min-duration <time>', 'took at least this long, such as 100ms').argParser(durationNanosOption),
    )
    .addOption(new Option('--max-duration <time>', 'took at most this long').argParser(durationNanosOption))
    .option('-e, --errors', 'only traces in which something failed')
    .addOption(
      new Option('--since <time>', 'began at or after: 2030-01-31T14:02, or how long ago: 15m').argParser(moment),
    )
    .addOption(new Option('--until <time>', 'began at or before').argParser(moment))
    .addOption(new Option('-n, --limit <number>', 'most traces (default: 20)').argParser(countOption))
    .option('--json', 'an object a trace, on a line each')
  addSettingsFileOptions(addArchivePlaceOptions(command))
    .addHelpText(
      'after',
      `
Examples:
  ghostspan traces --service shop --errors --since 1h
  ghostspan traces --operation 'POST /orders' --min-duration 100ms
  ghostspan traces --json --limit 100 | jq -r .traceId
  ghostspan show 4f1c09`,
    )
    .action(listArchived)
}

async function listArchived(flags: TracesFlags): Promise<void> {
  const { settings, warnings } = await settingsFor(flags)
  for (const warning of warnings) note(`warning: ${warning}`)
  const { listTraces } = await import('../archive/queries/list-traces.js')
  const { readArchive } = await import('./archive-access.js')
  const found = await readArchive(settings, archive => listTraces(archive, filterOf(flags)))
  if (flags.json === true) {
    for (const trace of found) printJson(traceObject(trace))
    return
  }
  if (found.length === 0) note('no such trace in the archive')
  else print(await traceTable(found))
}

function filterOf(flags: TracesFlags): TraceFilter {
  const { service, operation, minDuration, maxDuration, errors, since, until, limit } = flags
  return {
    ...(service === undefined ? {} : { service }),
    ...(operation === undefined ? {} : { operation }),
    ...(minDuration === undefined ? {} : { minDurationNs: minDuration }),
    ...(maxDuration === undefined ? {} : { maxDurationNs: maxDuration }),
    ...(errors === true ? { errorsOnly: true } : {}),
    ...(since === undefined ? {} : { sinceNs: since }),
    ...(until === undefined ? {} : { untilNs: until }),
    limit: limit ?? 20,
  }
}

/** Times as decimal text, since 64 bits do not fit a number. */
function traceObject(trace: TraceSummary): Record<string, unknown> {
  const { traceId, startNs, name, service, durationNs, spans, services, error } = trace
  return { traceId, startUnixNano: String(startNs), name, service, durationNs, spans, services, error }
}

async function traceTable(traces: readonly TraceSummary[]): Promise<string> {
  const { formatDuration } = await import('../export/durations.js')
  const { textTable } = await import('./text-table.js')
  const rows = traces.map(trace => [
    trace.traceId,
    localTime(trace.startNs),
    formatDuration(trace.durationNs),
    String(trace.spans),
    trace.error ? 'failed' : '',
    trace.service,
    trace.name,
  ])
  const table = textTable(
    [
      { title: 'TRACE' },
      { title: 'BEGAN' },
      { title: 'DURATION', align: 'right' },
      { title: 'SPANS', align: 'right' },
      { title: '' },
      { title: 'SERVICE' },
      { title: 'OPERATION' },
    ],
    rows,
  )
  return wantsColours(process.env) ? table.replaceAll(/ {2}failed {2}/g, '  \u001b[31mfailed\u001b[0m  ') : table
}

function localTime(startNs: bigint): string {
  const date = new Date(Number(startNs / 1_000_000n))
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, '0')}`
}
