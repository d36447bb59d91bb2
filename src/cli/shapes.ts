import { type Command, Option } from 'commander'
import type { ShapeSummary } from '../archive/queries/list-shapes.js'
import { countOption, momentOption } from './option-values.js'
import { addArchivePlaceOptions, addSettingsFileOptions, type SettingsFlags, settingsFor } from './settings-options.js'
import { note, print, printJson } from './standard-output.js'

interface ShapesFlags extends SettingsFlags {
  readonly new?: boolean
  readonly rare?: number
  readonly since?: bigint
  readonly service?: string
  readonly limit?: number
  readonly tree?: boolean
  readonly json?: boolean
}

const DAY_NS = 86_400_000_000_000n

export function addShapesCommand(program: Command): void {
  const command = program
    .command('shapes')
    .summary('which kinds of traces there are, and which are new')
    .description(
      'Lists shapes: trees of operations with repeats folded, the order of parallel calls ignored. The first thing to ' +
        'look at after a change is `ghostspan shapes --new --since 1h`.',
    )
    .option('--new', 'only shapes that were first seen within the time')
    .addOption(new Option('--rare <number>', 'only shapes seen at most so often').argParser(countOption))
    .addOption(
      new Option('--since <time>', 'seen since then: 1h, 2d, or a time (default: 1d)').argParser((text: string) =>
        momentOption(text),
      ),
    )
    .option('-s, --service <name>', 'this service takes part')
    .addOption(new Option('-n, --limit <number>', 'most shapes (default: 20)').argParser(countOption))
    .option('--tree', 'each with its tree and the latency of every operation')
    .option('--json', 'an object a shape, on a line each')
  addSettingsFileOptions(addArchivePlaceOptions(command))
    .addHelpText('after', '\nExamples:\n  ghostspan shapes --new --since 1h\n  ghostspan shapes --rare 3 --tree')
    .action(shapes)
}

async function shapes(flags: ShapesFlags): Promise<void> {
  const { settings, warnings } = await settingsFor(flags)
  for (const warning of warnings) note(`warning: ${warning}`)
  const { listShapes } = await import('../archive/queries/list-shapes.js')
  const { readArchive } = await import('./archive-access.js')
  const since = flags.since ?? BigInt(Date.now()) * 1_000_000n - DAY_NS
  const found = await readArchive(settings, archive =>
    listShapes(archive, {
      ...{ since: Number(since / 1_000_000_000n), limit: flags.limit ?? 20 },
      ...(flags.new === true ? { fresh: true } : {}),
      ...(flags.rare === undefined ? {} : { atMost: flags.rare }),
      ...(flags.service === undefined ? {} : { service: flags.service }),
    }),
  )
  const { quantileOf } = await import('../sketches/quantile-sketch.js')
  const durations = (shape: ShapeSummary, place: number) => {
    const bins = shape.nodeBins.get(place) ?? { indexes: [], counts: [] }
    const calls = bins.counts.reduce((sum, count) => sum + count, 0)
    const at = (share: number): number => (calls === 0 ? 0 : Math.round(quantileOf(bins, share)))
    return { calls, p50Ns: at(0.5), p99Ns: at(0.99) }
  }
  if (flags.json === true) {
    for (const shape of found) {
      const { nodeBins: _bins, outline, ...rest } = shape
      printJson({ ...rest, nodes: outline.map((node, place) => ({ ...node, ...durations(shape, place) })) })
    }
    return
  }
  if (found.length === 0) {
    note(flags.new === true ? 'no new shape in this time' : 'no shape in this time')
    return
  }
  const { formatDuration } = await import('../export/durations.js')
  const { textTable } = await import('./text-table.js')
  const line = (shape: ShapeSummary): string[] => [
    ...[shape.shape.slice(0, 12), String(shape.traces), shape.failed === 0 ? '' : String(shape.failed)],
    ...[String(shape.spans), moment(shape.firstSeen), formatDuration(durations(shape, 0).p50Ns)],
    ...[shape.slowest?.traceId.slice(0, 12) ?? '', likeText(shape), `${shape.service}: ${shape.name}`],
  ]
  const columns = [
    ...[{ title: 'SHAPE' }, { title: 'TRACES', align: 'right' as const }, { title: 'FAILED', align: 'right' as const }],
    ...[
      { title: 'SPANS', align: 'right' as const },
      { title: 'FIRST SEEN' },
      { title: 'P50', align: 'right' as const },
    ],
    ...[{ title: 'SLOWEST' }, { title: 'LIKE' }, { title: 'ROOT' }],
  ]
  if (flags.tree !== true) {
    print(textTable(columns, found.map(line)))
    return
  }
  const { printable } = await import('../export/display-text.js')
  for (const shape of found) {
    print(textTable(columns, [line(shape)]))
    for (const [place, node] of shape.outline.entries()) {
      const { calls, p50Ns, p99Ns } = durations(shape, place)
      const times = `p50 ${formatDuration(p50Ns)}, p99 ${formatDuration(p99Ns)}, ${calls} calls`
      const marks = `${node.repeated ? ' (repeated)' : ''}${node.failed ? ' failed' : ''}`
      print(`${'  '.repeat(node.depth + 1)}${printable(node.service)}: ${printable(node.name)}${marks}  ${times}`)
    }
    print('')
  }
}

const likeText = ({ like }: ShapeSummary): string =>
  like === undefined ? '' : `${like.shape.slice(0, 12)} ${Math.round(100 * like.share)} %`

function moment(seconds: number): string {
  const date = new Date(seconds * 1_000)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}
