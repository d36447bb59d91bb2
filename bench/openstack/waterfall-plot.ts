import type { RebuiltSpan } from '../../src/compare/rebuilt-span.js'

const COLOURS = ['#4a7fd6', '#2a8f5b', '#d9822b', '#8e5bb5', '#c94f6d', '#3a9ea5', '#8a6d3b', '#5f6b7a', '#b5a12b']
const ROW = 15
const TEXT = 330
const BARS = 620

const inXml = (text: string): string => text.replace(/[&<>]/g, char => `&#${char.charCodeAt(0)};`)

/**
 * One trace as a picture: a row for each request that a service served and each message that one worked on, with what it
 * asked of databases and caches as a number behind it.
 */
export function waterfallPlot(spans: readonly RebuiltSpan[], title: string): string {
  const byId = new Map(spans.map(span => [span.spanId, span]))
  const isRow = (span: RebuiltSpan): boolean =>
    span.kind === 'server' ||
    span.kind === 'internal' ||
    (span.kind === 'consumer' && span.attributes['rpc.method'] !== undefined)
  const leaves = new Map<RebuiltSpan, number>()
  const children = new Map<RebuiltSpan | undefined, RebuiltSpan[]>()
  for (const span of spans) {
    let above = span.parentSpanId === undefined ? undefined : byId.get(span.parentSpanId)
    while (above !== undefined && !isRow(above)) {
      above = above.parentSpanId === undefined ? undefined : byId.get(above.parentSpanId)
    }
    if (isRow(span)) children.set(above, [...(children.get(above) ?? []), span])
    else if (above !== undefined && 'db.system.name' in span.attributes) leaves.set(above, (leaves.get(above) ?? 0) + 1)
  }
  const rows: { span: RebuiltSpan; depth: number }[] = []
  const visit = (parent: RebuiltSpan | undefined, depth: number): void => {
    for (const span of (children.get(parent) ?? []).sort((a, b) => a.startUs - b.startUs)) {
      rows.push({ span, depth })
      visit(span, depth + 1)
    }
  }
  visit(undefined, 0)
  const first = Math.min(...spans.map(span => span.startUs))
  const length = Math.max(...spans.map(span => span.endUs)) - first
  const services = [...new Set(rows.map(({ span }) => span.service))]
  const colour = (service: string): string => COLOURS[services.indexOf(service) % COLOURS.length]!
  const lines = rows.map(({ span, depth }, i) => {
    const y = 44 + i * ROW
    const x = TEXT + ((span.startUs - first) / length) * BARS
    const width = Math.max(1.5, ((span.endUs - span.startUs) / length) * BARS)
    const below = leaves.get(span)
    const name = inXml(`${span.service} ${span.name}`.slice(0, 58 - depth * 2))
    return (
      `<text x="${6 + depth * 10}" y="${y + 10}">${name}</text>` +
      `<rect x="${x.toFixed(1)}" y="${y + 2}" width="${width.toFixed(1)}" height="10" rx="2" fill="${colour(span.service)}"/>` +
      (below === undefined ? '' : `<text x="${(x + width + 4).toFixed(1)}" y="${y + 10}" fill="#777">${below}</text>`)
    )
  })
  const legend = services.map(
    (service, i) =>
      `<rect x="${6 + i * 104}" y="24" width="9" height="9" fill="${colour(service)}"/><text x="${18 + i * 104}" y="32">${inXml(service)}</text>`,
  )
  const height = 52 + rows.length * ROW
  return `<svg xmlns="http://www.w3.org/2000/svg" width="1010" height="${height}" font-family="sans-serif" font-size="10">
<rect width="1010" height="${height}" fill="#fff"/>
<text x="6" y="15" font-size="13">${inXml(title)}: ${spans.length} spans in ${(length / 1e6).toFixed(2)} s; numbers: calls to databases and caches</text>
${legend.join('\n')}
${lines.join('\n')}
</svg>
`
}
