import type { OperationResult } from './operations.js'
import type { Overhead } from './overhead.js'
import type { Turn } from './turns.js'

export interface Evaluation {
  readonly made: string
  readonly machine: string
  readonly tempest: { calls: number; traced: number; oneRoot: number; merged: number }
  readonly operations: readonly OperationResult[]
  readonly turns: readonly Turn[]
  readonly overhead: { ghostspan: Overhead | undefined; osprofiler: Overhead | undefined }
  readonly events: number
  readonly lostEvents: number
  readonly skipped: readonly { what: string; why: string }[]
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`
const table = (titles: readonly string[], rows: readonly (readonly string[])[]): string =>
  [titles, titles.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')

/** The report as Markdown, plots as SVG files beside it. */
export function evaluationPage(evaluation: Evaluation): string {
  const { tempest, operations, turns, overhead, events, lostEvents, skipped } = evaluation
  const parts = [
    '# OpenStack: what was measured',
    `Written by \`npm run eval:openstack\` on ${evaluation.made}: ${evaluation.machine}. Ratios count; absolute times are this machine's, which had other work to do at the same time.`,
  ]
  if (tempest.calls > 0) {
    parts.push(
      "## Tempest's calls",
      `Ground truth is Tempest's own log. A call is whole if its trace has exactly one root, the call itself, and no parent is missing; merged counts traces that hold two calls or more.`,
      table(
        ['calls', 'with a span', 'whole, one root', 'merged traces', 'events', 'lost events'],
        [
          [
            String(tempest.calls),
            `${tempest.traced} (${percent(tempest.traced / tempest.calls)})`,
            `${tempest.oneRoot} (${percent(tempest.oneRoot / tempest.calls)})`,
            String(tempest.merged),
            String(events),
            String(lostEvents),
          ],
        ],
      ),
    )
  }
  if (operations.length > 0) parts.push(...operationParts(operations))
  if (turns.length > 0) parts.push(...turnParts(turns, overhead))
  if (skipped.length > 0) {
    parts.push('## Left out', skipped.map(({ what, why }) => `- ${what}: ${why}`).join('\n'))
  }
  return `${parts.join('\n\n')}\n`
}

function operationParts(operations: readonly OperationResult[]): string[] {
  const sum = (pick: (each: OperationResult) => number): number => operations.reduce((all, each) => all + pick(each), 0)
  const spans = sum(each => each.spans)
  const matched = sum(each => each.matched)
  return [
    '## Against OSProfiler',
    'Each operation once under `openstack --os-profile`, while Ghostspan watched without looking at the headers. Spans: those of OSProfiler that a socket can show (wsgi, rpc, db). Same parent: the nearest ancestor that both have. Starts differ because the two take their times at different places: OSProfiler takes that of a statement before it writes its point to Redis and then sends the statement; net is without the writing that Ghostspan itself saw in between, not without what the process waited for a processor (README.md has the differences by kind).',
    table(
      [
        'operation',
        "OSProfiler's spans",
        'matched',
        'same parent',
        'traces',
        'our spans',
        'start p50',
        'start p99',
        '… net',
      ],
      operations.map(each => [
        each.name,
        String(each.spans),
        String(each.matched),
        String(each.parentsEqual),
        String(each.traces),
        String(each.traceSpans),
        `${each.startP50Ms} ms`,
        `${each.startP99Ms} ms`,
        `${each.netStartP99Ms} ms`,
      ]),
    ),
    `Together ${spans} spans: ${percent(matched / spans)} matched, ${percent(sum(each => each.parentsEqual) / Math.max(1, matched))} of these with the same parent.`,
    '![matched and same parent by operation](operations.svg)',
  ]
}

function turnParts(turns: readonly Turn[], { ghostspan, osprofiler }: Evaluation['overhead']): string[] {
  const parts = [
    '## What it costs',
    table(
      [
        'suite',
        'workers',
        'pair',
        'variant',
        'duration',
        'services CPU',
        'back ends CPU',
        'own CPU',
        'BPF',
        'p50',
        'p95',
        'p99',
        'passed',
        'failed',
      ],
      turns.map(turn => [
        turn.suite,
        String(turn.concurrency),
        String(turn.pair),
        turn.variant,
        `${turn.durationS.toFixed(1)} s`,
        `${(turn.servicesCpuMs / 1e3).toFixed(1)} s`,
        `${(turn.backEndsCpuMs / 1e3).toFixed(1)} s`,
        turn.watched === undefined ? '' : `${(turn.watched.ownCpuMs / 1e3).toFixed(2)} s`,
        turn.watched === undefined ? '' : `${(turn.watched.bpfMs / 1e3).toFixed(2)} s`,
        `${turn.p50Ms.toFixed(0)} ms`,
        `${turn.p95Ms.toFixed(0)} ms`,
        `${turn.p99Ms.toFixed(0)} ms`,
        String(turn.passed),
        String(turn.failed),
      ]),
    ),
  ]
  const cell = (each: Overhead, name: keyof Overhead): string => {
    const half = each.ci95[name]
    return `${percent(each[name] as number)}${typeof half === 'number' ? ` ± ${percent(half)}` : ''}`
  }
  const named = Object.entries({ Ghostspan: ghostspan, OSProfiler: osprofiler })
  const rows = named.flatMap(([name, each]) =>
    each === undefined
      ? []
      : [
          [
            name,
            String(each.pairs),
            ...(
              ['durationShare', 'p50Share', 'p95Share', 'p99Share', 'machineCpuShare', 'servicesCpuShare'] as const
            ).map(figure => cell(each, figure)),
          ],
        ],
  )
  if (rows.length > 0) {
    parts.push(
      'On top of a run without either, pair by pair, with half the 95 % confidence interval of the mean (none for a single pair: such a difference is one observation, not a finding). CPU of Ghostspan is its own, counted: the daemon with archive and export, and its BPF programs; of OSProfiler what services and back ends used more.',
      table(
        ['', 'pairs', 'duration', 'p50', 'p95', 'p99', "of the machine's CPU", "of the services' and back ends' CPU"],
        rows,
      ),
    )
  }
  return parts
}

/** Bars: of each operation, the share that is matched, and the share that has the same parent. */
export function operationsPlot(operations: readonly OperationResult[]): string {
  const rows = operations.map((each, i) => {
    const y = 34 + i * 34
    const bar = (share: number, dy: number, colour: string): string =>
      `<rect x="190" y="${y + dy}" width="${(share * 360).toFixed(1)}" height="11" fill="${colour}"/>` +
      `<text x="${(196 + share * 360).toFixed(1)}" y="${y + dy + 10}">${(share * 100).toFixed(1)} %</text>`
    return (
      `<text x="184" y="${y + 15}" text-anchor="end">${each.name}</text>` +
      bar(each.spans === 0 ? 0 : each.matched / each.spans, 0, '#4a7fd6') +
      bar(each.matched === 0 ? 0 : each.parentsEqual / each.matched, 12, '#2a8f5b')
    )
  })
  const height = 44 + operations.length * 34
  return `<svg xmlns="http://www.w3.org/2000/svg" width="620" height="${height}" font-family="sans-serif" font-size="11">
<rect width="620" height="${height}" fill="#fff"/>
<rect x="190" y="10" width="11" height="11" fill="#4a7fd6"/><text x="205" y="20">OSProfiler's spans that are matched</text>
<rect x="400" y="10" width="11" height="11" fill="#2a8f5b"/><text x="415" y="20">of these, same parent</text>
${rows.join('\n')}
</svg>
`
}
