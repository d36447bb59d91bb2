import { type Command, Option } from 'commander'
import { momentOption } from './option-values.js'
import { type MapEdge, mapAsDot, mapAsHtml, mapAsText } from './service-map.js'
import { addArchivePlaceOptions, addSettingsFileOptions, type SettingsFlags, settingsFor } from './settings-options.js'
import { readSketchRange } from './sketch-access.js'
import { callFigures } from './sketch-figures.js'
import { note, print, printJson } from './standard-output.js'

interface MapFlags extends SettingsFlags {
  readonly format: 'text' | 'dot' | 'json' | 'html'
  readonly since?: bigint
  readonly until?: bigint
  readonly json?: boolean
}

const DEFAULT_SECONDS = 3_600

export function addMapCommand(program: Command): void {
  const moment = (text: string): bigint => momentOption(text)
  const command = program
    .command('map')
    .summary('which services call which')
    .description('The service map of a time, from sketches: every edge with its calls, failures and latency.')
    .addOption(
      new Option('-f, --format <format>', 'html: a page that needs nothing else')
        .choices(['text', 'dot', 'json', 'html'])
        .default('text'),
    )
    .addOption(new Option('--since <time>', 'from when on: 2h, 30d, or a time (default: 1h)').argParser(moment))
    .addOption(new Option('--until <time>', 'up to when').argParser(moment))
    .option('--json', 'the same as --format json')
  addSettingsFileOptions(addArchivePlaceOptions(command))
    .addHelpText(
      'after',
      '\nExamples:\n  ghostspan map\n  ghostspan map --format html --since 1d > map.html\n  ghostspan map --format dot | dot -Tsvg > map.svg',
    )
    .action(map)
}

async function map(flags: MapFlags): Promise<void> {
  const { settings, warnings } = await settingsFor(flags)
  for (const warning of warnings) note(`warning: ${warning}`)
  const range = { since: flags.since, until: flags.until, defaultSeconds: DEFAULT_SECONDS }
  const reading = await readSketchRange(settings, range, { kinds: ['edge'] })
  const services = new Set(reading.sketches.map(sketch => sketch.service))
  const edges = reading.sketches
    .map(
      (sketch): MapEdge => ({
        ...{ from: sketch.service, to: sketch.name, protocol: sketch.class },
        ...callFigures([sketch], reading.seconds),
      }),
    )
    .sort((a, b) => a.from.localeCompare(b.from) || b.calls - a.calls)
  const { since, until } = reading
  if (flags.json === true || flags.format === 'json') {
    const nodes = [...new Set(edges.flatMap(({ from, to }) => [from, to]))].filter(name => name !== '').sort()
    printJson({ since, until, services: nodes.map(name => ({ name, traced: services.has(name) })), edges })
    return
  }
  if (edges.length === 0 && flags.format === 'text') {
    note('no calls in this time')
    return
  }
  print({ text: mapAsText, dot: mapAsDot, html: mapAsHtml }[flags.format](edges, { since, until }))
}
