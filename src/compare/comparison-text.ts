import { printable } from '../export/display-text.js'
import type { Comparison, KindCounts, MatchedSpan } from './comparison.js'
import { countReasons } from './comparison-json.js'

const LISTED = 20
const KIND_NAMES = { wsgi: 'HTTP requests', rpc: 'remote calls', rpcClient: 'remote calls, sent', db: 'SQL' } as const
const millis = (us: number): string => (Number.isFinite(us) ? `${(us / 1e3).toFixed(2)} ms` : '-')
const share = (part: number, whole: number): string => (whole === 0 ? '' : ` (${((part / whole) * 100).toFixed(1)} %)`)

/** What `ghostspan compare` prints. */
export function comparisonText(comparison: Comparison): string {
  const { trace, traceId, traces, kinds, matched, missing, internal, extra } = comparison
  const lines = [
    `OSProfiler   ${trace.baseId}  ${trace.spans.length} spans`,
    `ghostspan    ${traceId === '' ? 'no trace of the same time has a span of it' : `${traceId}  ${comparison.rebuilt.length} spans`}`,
    '',
    `${'kind'.padEnd(20)}${'OSProfiler'.padStart(11)}${'matched'.padStart(20)}${'same parent'.padStart(20)}`,
    ...Object.entries(kinds).map(([kind, counts]) => kindLine(KIND_NAMES[kind as keyof typeof KIND_NAMES], counts)),
    '',
    `differences  start ${millis(comparison.startP50Us)} in the median, ${millis(comparison.startP99Us)} at the 99th percentile; ` +
      `duration ${millis(comparison.durationP50Us)}, ${millis(comparison.durationP99Us)}`,
  ]
  if (matched.some(({ writingUs }) => writingUs > 0)) {
    lines.push(
      `             start without OSProfiler's own writing, which lies between: ${millis(comparison.netStartP50Us)}, ${millis(comparison.netStartP99Us)}`,
    )
  }
  if (traces > 1) lines.push(`torn         the matches are spread over ${traces} reconstructed traces`)
  if (internal.length > 0) {
    lines.push(
      `inside       ${internal.length} of OSProfiler's spans are calls inside of a process, which no socket shows`,
    )
  }
  listReasons(lines, `missing      ${missing.length}`, missing)
  for (const { osprofiler } of missing.slice(0, LISTED)) {
    lines.push(`               ${osprofiler.service}: ${printable(osprofiler.detail || osprofiler.name).slice(0, 90)}`)
  }
  listReasons(lines, `extra        ${extra.length} that OSProfiler does not have`, extra)
  listParents(lines, matched)
  return lines.join('\n')
}

function kindLine(name: string, { spans, matched, parentsEqual }: KindCounts): string {
  const cell = (count: number, whole: number): string => `${count}${share(count, whole)}`.padStart(20)
  return `${name.padEnd(20)}${String(spans).padStart(11)}${cell(matched, spans)}${cell(parentsEqual, matched)}`
}

function listReasons(lines: string[], title: string, items: readonly { readonly reason: string }[]): void {
  if (items.length === 0) return
  lines.push(title)
  for (const [reason, count] of Object.entries(countReasons(items)))
    lines.push(`  ${String(count).padStart(10)} ${reason}`)
}

function listParents(lines: string[], matched: readonly MatchedSpan[]): void {
  const wrong = matched.filter(({ parentAgrees }) => !parentAgrees)
  if (wrong.length === 0) return
  lines.push(`other parent ${wrong.length}`)
  const counts = new Map<string, number>()
  for (const { rebuilt, inTrace } of wrong) {
    const text = `${rebuilt.service} ${rebuilt.kind} ${printable(rebuilt.name)}${inTrace ? '' : ', in a trace of its own'}`
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  const most = [...counts].sort((a, b) => b[1] - a[1])
  for (const [text, count] of most.slice(0, LISTED)) lines.push(`  ${String(count).padStart(10)} ${text}`)
}
