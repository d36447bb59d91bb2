import type { Comparison } from './comparison.js'
import { PAGE_SCRIPT, PAGE_STYLE } from './comparison-page-parts.js'
import { comparisonText } from './comparison-text.js'
import { nameOf, serviceOf } from './osprofiler-as-trace.js'
import type { OsprofilerSpan } from './osprofiler-trace.js'
import type { RebuiltSpan } from './rebuilt-span.js'

/** One row of a waterfall; times in µs since the comparison's first moment. */
interface Row {
  readonly depth: number
  readonly service: string
  readonly name: string
  readonly start: number
  readonly end: number
  /** What is told when it is pointed at. */
  readonly note: string
  /** Row on the other side, -1 if it has no match. */
  match: number
  /** The parents do not agree. */
  torn: boolean
}

/**
 * One page that holds everything it needs: both waterfalls beside each other on one time axis, a line from each span to its
 * match, and the figures. Nothing is fetched.
 */
export function comparisonPage(comparison: Comparison): string {
  const { trace } = comparison
  const originUs = Math.min(...[...trace.spans, ...comparison.rebuilt].map(({ startUs }) => startUs))
  const left = waterfall(
    trace.spans,
    span => span.id,
    span => span.parentId,
  )
  const others = comparison.matched.filter(({ inTrace }) => !inTrace).map(({ rebuilt }) => rebuilt)
  const right = waterfall(
    [...comparison.rebuilt, ...others],
    span => span.spanId,
    span => span.parentSpanId,
  )
  const missing = new Map(comparison.missing.map(each => [each.osprofiler, each.reason]))
  const extra = new Map(comparison.extra.map(each => [each.rebuilt, each.reason]))
  const leftRows = left.map(({ span, depth }) => osprofilerRow(span, depth, originUs, missing.get(span)))
  const rightRows = right.map(({ span, depth }) =>
    rebuiltRow(span, depth, originUs, extra.get(span), span.traceId !== comparison.traceId),
  )
  const leftPlaces = new Map(left.map(({ span }, i) => [span, i]))
  const rightPlaces = new Map(right.map(({ span }, i) => [span, i]))
  for (const { osprofiler, rebuilt, parentAgrees } of comparison.matched) {
    const from = leftPlaces.get(osprofiler)
    const to = rightPlaces.get(rebuilt)
    if (from === undefined || to === undefined) continue
    leftRows[from]!.match = to
    rightRows[to]!.match = from
    leftRows[from]!.torn = rightRows[to]!.torn = !parentAgrees
  }
  const data = { left: leftRows, right: rightRows }
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${html(trace.baseId)}: OSProfiler and ghostspan</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<header>
<h1>OSProfiler and ghostspan, the same request</h1>
<details open><summary>Figures</summary><pre id="figures">${html(comparisonText(comparison))}</pre></details>
<p class="controls">
<label><input type="checkbox" id="matched-only"> only spans that have a match</label>
<label>find <input type="search" id="find" placeholder="service or operation"></label>
<span class="legend"><i class="match"></i> same parent <i class="torn"></i> other parent <i class="alone"></i> no match</span>
</p>
</header>
<main>
<section id="left" aria-label="OSProfiler"></section>
<svg id="lines" aria-hidden="true"></svg>
<section id="right" aria-label="ghostspan"></section>
</main>
<footer id="told">Point at a span to see what it is; click it to bring its match beside it.</footer>
<script type="application/json" id="data">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`
}

function osprofilerRow(span: OsprofilerSpan, depth: number, originUs: number, reason: string | undefined): Row {
  return {
    depth,
    service: serviceOf(span),
    name: nameOf(span),
    start: span.startUs - originUs,
    end: span.endUs - originUs,
    note: [span.name, span.detail, reason].filter(Boolean).join(' · '),
    match: -1,
    torn: false,
  }
}

function rebuiltRow(
  span: RebuiltSpan,
  depth: number,
  originUs: number,
  reason: string | undefined,
  elsewhere: boolean,
): Row {
  return {
    depth,
    service: span.service,
    name: span.name,
    start: span.startUs - originUs,
    end: span.endUs - originUs,
    note: [`${span.kind} ${span.protocol}`, elsewhere ? `in trace ${span.traceId}` : '', reason]
      .filter(Boolean)
      .join(' · '),
    match: -1,
    torn: false,
  }
}

interface Placed<T> {
  readonly span: T
  readonly depth: number
}

/** Spans in the order of their tree, children by start; those without a parent here are at the top. */
function waterfall<T extends { readonly startUs: number }>(
  spans: readonly T[],
  idOf: (span: T) => string,
  parentOf: (span: T) => string | undefined,
): Placed<T>[] {
  const ids = new Set(spans.map(idOf))
  const children = new Map<string, T[]>()
  for (const span of [...spans].sort((a, b) => b.startUs - a.startUs)) {
    const parent = parentOf(span)
    const key = parent !== undefined && ids.has(parent) ? parent : ''
    const siblings = children.get(key)
    if (siblings === undefined) children.set(key, [span])
    else siblings.push(span)
  }
  const placed: Placed<T>[] = []
  const stack = (children.get('') ?? []).map(span => ({ span, depth: 0 }))
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    placed.push(next)
    const { depth } = next
    const below = children.get(idOf(next.span))
    children.delete(idOf(next.span))
    if (below !== undefined) stack.push(...below.map(span => ({ span, depth: depth + 1 })))
  }
  return placed
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const html = (text: string): string => text.replace(/[&<>"]/g, char => ESCAPES[char]!)
