import { type Command, Option } from 'commander'
import type { MergedSketch } from '../archive/queries/read-sketches.js'
import type { SketchKind } from '../sketches/sketch-row.js'
import { momentOption } from './option-values.js'
import { addArchivePlaceOptions, addSettingsFileOptions, type SettingsFlags, settingsFor } from './settings-options.js'
import { readSketchRange } from './sketch-access.js'
import { type CallFigures, callFigures, grouped, percentText, rateText } from './sketch-figures.js'
import { note, print, printJson } from './standard-output.js'

interface StatsFlags extends SettingsFlags {
  readonly service: string
  readonly operation?: string
  readonly since?: bigint
  readonly until?: bigint
  readonly json?: boolean
}

const DEFAULT_SECONDS = 3_600
const MOST_ITEMS = 10

export function addStatsCommand(program: Command): void {
  const moment = (text: string): bigint => momentOption(text)
  const command = program
    .command('stats')
    .summary('a service or an operation over hours or months')
    .description(
      'Counts, latency, callers, frequent routes and statements of a service, from sketches by minute, hour or day: a ' +
        'question about three months reads days, not spans. Longer ranges begin at the hour or day in which they lie.',
    )
    .requiredOption('-s, --service <name>', 'of this service')
    .option('-o, --operation <name>', 'of this operation only')
    .addOption(new Option('--since <time>', 'from when on: 2h, 30d, or a time (default: 1h)').argParser(moment))
    .addOption(new Option('--until <time>', 'up to when').argParser(moment))
    .option('--json', 'everything as one JSON object')
  addSettingsFileOptions(addArchivePlaceOptions(command))
    .addHelpText(
      'after',
      "\nExamples:\n  ghostspan stats --service shop\n  ghostspan stats --service shop --operation 'POST /orders' --since 30d",
    )
    .action(stats)
}

interface OperationStats extends CallFigures {
  readonly operation: string
  readonly class: string
}

async function stats(flags: StatsFlags): Promise<void> {
  const { settings, warnings } = await settingsFor(flags)
  for (const warning of warnings) note(`warning: ${warning}`)
  const kinds: SketchKind[] = flags.operation === undefined ? ['operation', 'distinct', 'frequent'] : ['operation']
  const range = { since: flags.since, until: flags.until, defaultSeconds: DEFAULT_SECONDS }
  const reading = await readSketchRange(settings, range, {
    ...{ kinds, service: flags.service },
    ...(flags.operation === undefined ? {} : { name: flags.operation }),
  })
  const calls = reading.sketches.filter(sketch => sketch.kind === 'operation')
  const operations = [...grouped(calls, sketch => `${sketch.name}\n${sketch.class}`).values()]
    .map((group): OperationStats => {
      const figures = callFigures(group, reading.seconds)
      return { operation: group[0]!.name, class: group[0]!.class, ...figures }
    })
    .sort((a, b) => b.calls - a.calls)
  const { distinctOf } = await import('../sketches/distinct-sketch.js')
  const distinct = Object.fromEntries(
    reading.sketches
      .filter(sketch => sketch.kind === 'distinct')
      .map(({ name, registers }) => [name, Math.round(distinctOf(registers))]),
  )
  const frequent = Object.fromEntries(
    reading.sketches.filter(sketch => sketch.kind === 'frequent').map(sketch => [sketch.name, frequentOf(sketch)]),
  )
  const { service } = flags
  const { since, until, rowsRead } = reading
  if (flags.json === true) {
    printJson({ service, since, until, rowsRead, operations, distinct, frequent })
    return
  }
  if (reading.sketches.length === 0) {
    note(`there are no sketches of ${service} in this time`)
    return
  }
  print(await operationTable(operations))
  for (const [name, count] of Object.entries(distinct)) print(`\nabout ${count} different ${name}`)
  for (const [name, { items, other }] of Object.entries(frequent)) {
    print(`\n${name}`)
    for (const { item, count } of items.slice(0, MOST_ITEMS)) print(`${String(count).padStart(10)}  ${item}`)
    const rest = other + items.slice(MOST_ITEMS).reduce((sum, { count }) => sum + count, 0)
    if (rest > 0) print(`${String(rest).padStart(10)}  (other)`)
  }
}

function frequentOf({ calls, items }: MergedSketch) {
  return { items, other: calls - items.reduce((sum, { count }) => sum + count, 0) }
}

async function operationTable(operations: readonly OperationStats[]): Promise<string> {
  const { formatDuration } = await import('../export/durations.js')
  const { textTable } = await import('./text-table.js')
  return textTable(
    [
      { title: 'OPERATION' },
      { title: 'END, ENDING' },
      { title: 'CALLS', align: 'right' },
      { title: 'CALLS/S', align: 'right' },
      { title: 'FAILED', align: 'right' },
      { title: 'MEAN', align: 'right' },
      { title: 'P50', align: 'right' },
      { title: 'P90', align: 'right' },
      { title: 'P99', align: 'right' },
      { title: 'LONGEST', align: 'right' },
    ],
    operations.map(line => [
      ...[line.operation, line.class, String(line.calls), rateText(line.perSecond)],
      percentText(line.errors, line.calls),
      ...[line.meanNs, line.p50Ns, line.p90Ns, line.p99Ns, line.longestNs].map(formatDuration),
    ]),
  )
}
