import { createTerminalTree } from '../export/terminal-tree.js'
import type { FinishedTrace } from '../traces/span.js'
import type { ArchiveCounts } from './demo-archive.js'
import type { DemoOptions } from './demo-options.js'
import type { DemoRun } from './demo-run.js'

/** What was left out, and why. */
export interface Skipped {
  readonly what: string
  readonly why: string
}

/** The object that `--json` prints. Goals: precision and recall at least 0.995, merged 0, lostEvents 0. */
export interface DemoFigures {
  readonly requests: number
  readonly concurrency: number
  readonly traces: number
  readonly oneRoot: number
  readonly merged: number
  readonly links: DemoRun['score']['links']
  readonly precision: number
  readonly recall: number
  readonly spans: number
  readonly services: readonly string[]
  readonly events: number
  readonly lostEvents: number
  readonly source: 'live' | 'recording'
  readonly archive: ArchiveCounts | null
  readonly setupS: number
  readonly runS: number
  readonly unseen: number
  readonly duplicates: number
  readonly unknownSpans: number
  readonly failedRequests: number
  readonly byLink: DemoRun['score']['byLabel']
  readonly skipped: readonly Skipped[]
}

export const GOAL = 0.995

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits))

export function figuresOf(
  run: DemoRun,
  traces: readonly FinishedTrace[],
  options: DemoOptions,
  archive: ArchiveCounts | null,
  skipped: readonly Skipped[],
): DemoFigures {
  const { score, status } = run
  return {
    requests: score.requests,
    concurrency: options.concurrency,
    traces: score.traces,
    oneRoot: score.oneRoot,
    merged: score.merged,
    links: score.links,
    precision: rounded(score.precision, 6),
    recall: rounded(score.recall, 6),
    spans: traces.reduce((sum, trace) => sum + trace.spans.length, 0),
    services: [...new Set(traces.flatMap(trace => trace.spans.map(span => span.resource.service)))].sort(),
    events: status.events,
    lostEvents: status.lostEvents,
    source: run.source === 'live' ? 'live' : 'recording',
    archive,
    setupS: rounded(options.setupSeconds + run.startSeconds, 2),
    runS: rounded(run.runSeconds, 2),
    unseen: score.unseen,
    duplicates: score.duplicates,
    unknownSpans: score.unknownSpans,
    failedRequests: run.failures.length,
    byLink: score.byLabel,
    skipped,
  }
}

/** Which figures miss their goals, in words; empty when none does. */
export function missedGoals(figures: DemoFigures): string[] {
  const missed: string[] = []
  if (!(figures.precision >= GOAL)) missed.push(`precision ${figures.precision} is below ${GOAL}`)
  if (!(figures.recall >= GOAL)) missed.push(`recall ${figures.recall} is below ${GOAL}`)
  if (figures.merged !== 0) missed.push(`${figures.merged} traces hold spans of two requests`)
  if (figures.lostEvents !== 0) missed.push(`${figures.lostEvents} events were lost`)
  const { archive, spans } = figures
  if (archive !== null && archive.spans !== spans) missed.push(`the archive holds ${archive.spans} of ${spans} spans`)
  if (figures.failedRequests !== 0) missed.push(`${figures.failedRequests} requests were not answered`)
  return missed
}

const hasError = (trace: FinishedTrace): boolean => trace.spans[0]?.status.code === 'error'

/** Two or three traces worth a look: the largest, one that failed, one that calls the second service. */
export function samplesOf(traces: readonly FinishedTrace[]): FinishedTrace[] {
  const split = new Set(traces.filter(trace => trace.late).map(trace => trace.traceId))
  const whole = traces.filter(trace => !split.has(trace.traceId) && !trace.incomplete)
  const bySize = [...whole].sort((a, b) => b.spans.length - a.spans.length)
  const calls = (trace: FinishedTrace) =>
    trace.spans.length < 12 && new Set(trace.spans.map(span => span.resource.service)).size >= 3
  const chosen = [bySize[0], bySize.find(hasError), bySize.find(calls)]
  return [...new Set(chosen.filter(trace => trace !== undefined))]
}

export interface Whereabouts {
  readonly archivedIn: string | undefined
  readonly dataDirectory: string | undefined
  readonly sentTo: string | undefined
  /** How this program is called here: `ghostspan`, or by its path in a clone. */
  readonly command: string
}

/** What a reader sees: trees, where they are kept, how right they are. */
export function renderReport(
  figures: DemoFigures,
  examples: readonly string[],
  traces: readonly FinishedTrace[],
  options: DemoOptions,
  where: Whereabouts,
): string {
  const tree = createTerminalTree({
    ...(options.width !== undefined && { width: options.width }),
    ...(options.colours !== undefined && { colours: options.colours }),
  })
  const samples = samplesOf(traces)
  const trees = samples.map(trace => `${tree.render(trace)}\n`)
  return [...trees, ...whereText(figures, samples[0], where), ...scoreText(figures, examples)].join('')
}

function whereText(figures: DemoFigures, sample: FinishedTrace | undefined, where: Whereabouts): string[] {
  const id = sample?.traceId.slice(0, 8) ?? '<id>'
  const data = where.dataDirectory === undefined ? '' : ` --data-directory ${where.dataDirectory}`
  const archive =
    where.archivedIn === undefined || figures.archive === null
      ? ['Archived: nowhere.\n']
      : [
          `Archived: ${figures.archive.spans} spans in ${where.archivedIn} (${figures.archive.engine} ClickHouse). See them with\n`,
          `  ${where.command} traces${data}\n`,
          `  ${where.command} show ${id}${data}\n`,
        ]
  const jaeger =
    where.sentTo === undefined
      ? [
          'Jaeger: nothing listens on the standard OTLP port 4317, so nothing was sent. To see the traces there, start one\n',
          '  (docker compose -f compose/jaeger.yaml up -d, or any other), run the demo again, open http://localhost:16686\n',
          '  and search for the service nginx.\n',
        ]
      : [`Jaeger: sent to ${where.sentTo}. Open http://localhost:16686 and search for the service nginx.\n`]
  return [...archive, ...jaeger, '\n']
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`

function scoreText(figures: DemoFigures, examples: readonly string[]): string[] {
  const { links } = figures
  return [
    `How right they are, by the services' own notes (${figures.source === 'live' ? 'seen live' : 'replayed from the recording'}):\n`,
    `  ${figures.requests} requests, ${figures.traces} traces, ${figures.oneRoot} of them with exactly one root, ` +
      `${figures.merged} holding two requests\n`,
    `  ${links.expected} links: ${links.right} right, ${links.wrong} wrong, ${links.missing} missing\n`,
    `  precision ${percent(figures.precision)}, recall ${percent(figures.recall)}\n`,
    `  ${figures.events} events, ${figures.lostEvents} lost; ${figures.spans} spans of ${figures.services.join(', ')}\n`,
    ...examples.slice(0, 5).map(example => `  ${example}\n`),
  ]
}
