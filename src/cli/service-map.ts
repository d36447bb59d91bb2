import { printable } from '../export/display-text.js'
import { formatDuration } from '../export/durations.js'
import type { CallFigures } from './sketch-figures.js'
import { percentText, rateText } from './sketch-figures.js'

/** Calls from one service to another, or to something that is not traced. */
export interface MapEdge extends CallFigures {
  /** '' is whoever is not traced. */
  readonly from: string
  readonly to: string
  readonly protocol: string
}

/** Seconds since 1970. */
export interface MapRange {
  readonly since: number
  readonly until: number
}

const OUTSIDE = '(outside)'
const nameOf = (service: string): string => (service === '' ? OUTSIDE : service)

function labelOf(edge: MapEdge): string {
  const failed = percentText(edge.errors, edge.calls)
  const times = `p50 ${formatDuration(edge.p50Ns)}, p99 ${formatDuration(edge.p99Ns)}`
  return `${edge.protocol}, ${rateText(edge.perSecond)}/s, ${times}${failed === '' ? '' : `, ${failed} failed`}`
}

/** Each service and under it what it calls. */
export function mapAsText(edges: readonly MapEdge[]): string {
  const lines: string[] = []
  let from: string | undefined
  const width = Math.max(...edges.map(edge => printable(nameOf(edge.to)).length))
  for (const edge of edges) {
    if (edge.from !== from) lines.push(printable(nameOf(edge.from)))
    from = edge.from
    lines.push(`  → ${printable(nameOf(edge.to)).padEnd(width)}  ${labelOf(edge)}`)
  }
  return lines.join('\n')
}

/** For Graphviz. */
export function mapAsDot(edges: readonly MapEdge[]): string {
  const quoted = (text: string): string => `"${printable(text).replace(/["\\]/g, character => `\\${character}`)}"`
  const lines = edges.map(edge => {
    const colour = edge.errors > 0 ? ', color="#c0392b"' : ''
    return `  ${quoted(nameOf(edge.from))} -> ${quoted(nameOf(edge.to))} [label=${quoted(labelOf(edge))}${colour}]`
  })
  return ['digraph services {', '  rankdir=LR', '  node [shape=box, style=rounded]', ...lines, '}'].join('\n')
}

interface Box {
  readonly name: string
  readonly x: number
  readonly y: number
}

const BOX_WIDTH = 210
const BOX_HEIGHT = 34
const COLUMN = 420
const ROW = 64

/** A page of its own: no script, no font, nothing that would have to be fetched. */
export function mapAsHtml(edges: readonly MapEdge[], { since, until }: MapRange): string {
  const boxes = placed(edges)
  const at = (name: string): Box => boxes.get(name)!
  const height = Math.max(...[...boxes.values()].map(box => box.y), 0) + ROW
  const width = Math.max(...[...boxes.values()].map(box => box.x), 0) + BOX_WIDTH + 20
  const lines = edges.map(edge => edgeSvg(edge, at(edge.from), at(edge.to)))
  const rectangles = [...boxes.values()].map(boxSvg)
  const rows = edges.map(
    edge =>
      `<tr><td>${escaped(nameOf(edge.from))}</td><td>${escaped(nameOf(edge.to))}</td><td>${escaped(edge.protocol)}</td>` +
      `<td>${edge.calls}</td><td>${rateText(edge.perSecond)}</td><td>${edge.errors}</td>` +
      `<td>${formatDuration(edge.p50Ns)}</td><td>${formatDuration(edge.p99Ns)}</td></tr>`,
  )
  const time = (seconds: number): string => new Date(seconds * 1_000).toISOString().slice(0, 16).replace('T', ' ')
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Services</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>body{font:14px system-ui,sans-serif;margin:20px;color:#222;background:#fff}svg{max-width:100%;height:auto}
rect{fill:#f4f6f8;stroke:#567}path{fill:none;stroke:#789;stroke-width:1.5}path.failed{stroke:#c0392b}
text{font-size:13px}table{border-collapse:collapse;margin-top:20px}td,th{padding:3px 12px 3px 0;text-align:left}
td:nth-child(n+4),th:nth-child(n+4){text-align:right}</style></head><body>
<h1>Services</h1><p>${time(since)} to ${time(until)} UTC</p>
<svg viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="service map">
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" style="fill:#789;stroke:none"/></marker></defs>
${lines.join('\n')}
${rectangles.join('\n')}
</svg>
<table><tr><th>from</th><th>to</th><th>protocol</th><th>calls</th><th>calls/s</th><th>failed</th><th>p50</th><th>p99</th></tr>
${rows.join('\n')}
</table></body></html>`
}

const escaped = (text: string): string =>
  printable(text).replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)

function boxSvg({ name, x, y }: Box): string {
  const shown = nameOf(name).length > 28 ? `${nameOf(name).slice(0, 27)}…` : nameOf(name)
  return (
    `<g><title>${escaped(nameOf(name))}</title><rect x="${x}" y="${y}" width="${BOX_WIDTH}" height="${BOX_HEIGHT}" rx="6"/>` +
    `<text x="${x + 10}" y="${y + 22}">${escaped(shown)}</text></g>`
  )
}

function edgeSvg(edge: MapEdge, from: Box, to: Box): string {
  const back = to.x <= from.x
  const x1 = from.x + BOX_WIDTH
  const y1 = from.y + BOX_HEIGHT / 2
  const x2 = back ? to.x + BOX_WIDTH : to.x
  const y2 = to.y + BOX_HEIGHT / 2
  const bend = back ? 90 : (x2 - x1) / 2
  const curve = `M${x1} ${y1}C${x1 + bend} ${y1} ${back ? x2 + bend : x2 - bend} ${y2} ${x2} ${y2}`
  const kind = edge.errors > 0 ? ' class="failed"' : ''
  return `<path d="${curve}"${kind} marker-end="url(#tip)"><title>${escaped(`${nameOf(edge.from)} → ${edge.to}: ${labelOf(edge)}`)}</title></path>`
}

/** Columns by how many calls away from outside; in them by name. */
function placed(edges: readonly MapEdge[]): Map<string, Box> {
  const names = [...new Set(edges.flatMap(({ from, to }) => [from, to]))]
  const called = new Set(edges.filter(edge => edge.from !== edge.to).map(edge => edge.to))
  const level = new Map<string, number>()
  let wave = names.filter(name => !called.has(name))
  if (wave.length === 0) wave = names.slice(0, 1)
  for (let depth = 0; wave.length > 0; depth++) {
    for (const name of wave) level.set(name, depth)
    const next = wave.flatMap(name => edges.filter(edge => edge.from === name).map(edge => edge.to))
    wave = [...new Set(next)].filter(name => !level.has(name))
  }
  const rows = new Map<number, number>()
  const boxes = new Map<string, Box>()
  for (const name of names.sort()) {
    const column = level.get(name) ?? 0
    const row = rows.get(column) ?? 0
    rows.set(column, row + 1)
    boxes.set(name, { name, x: 10 + column * COLUMN, y: 10 + row * ROW })
  }
  return boxes
}
