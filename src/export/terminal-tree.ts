import type { FinishedSpan, FinishedTrace, WallTime } from '../traces/span.js'
import { cut, displayWidth, padEnd, padStart, printable } from './display-text.js'
import { formatDuration, nanosBetween } from './durations.js'
import { spanTree, type TreeRow } from './span-tree.js'

export interface TerminalTreeOptions {
  /** Columns of the terminal. Default 120; below 80 there are no bars. */
  readonly width?: number
  /** ANSI colours: for a terminal, unless NO_COLOR is set. Default false. */
  readonly colours?: boolean
  /** IANA name of the zone for times of day. Default: the machine's. */
  readonly timeZone?: string
}

export interface TerminalTree {
  /** A trace as lines, each ended by '\n': a header, then a row a span. */
  render(trace: FinishedTrace): string
}

const defaultWidth = 120
const kindWidth = 'PRODUCER'.length

/** Draws traces as trees with a bar for when each span ran and the evidence for its place. */
export function createTerminalTree(options: TerminalTreeOptions = {}): TerminalTree {
  const width = Math.max(40, options.width ?? defaultWidth)
  const paint = options.colours === true ? ansi : plain
  const clock = createClock(options.timeZone)
  return {
    render(trace) {
      if (trace.spans.length === 0) return ''
      const rows = spanTree(trace.spans)
      const window = timeWindow(trace.spans)
      const texts = rows.map(rowTexts)
      const columns = layOut(texts, width)
      const lines = rows.map((row, i) => drawRow(row, texts[i]!, columns, window, width, paint))
      return `${[header(trace, rows[0]!.span, clock, width, paint), ...lines].join('\n')}\n`
    },
  }
}

type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'cyan'
type Paint = (text: string, style: Style) => string
const codes: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, yellow: 33, cyan: 36 }
const ansi: Paint = (text, style) => (text === '' ? '' : `\u001b[${codes[style]}m${text}\u001b[0m`)
const plain: Paint = text => text

type Clock = (time: WallTime) => string

function createClock(timeZone: string | undefined): Clock {
  const format = new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    ...(timeZone !== undefined && { timeZone }),
  })
  return ([seconds, nanos]) => `${format.format(seconds * 1_000)}.${String(Math.floor(nanos / 1e6)).padStart(3, '0')}`
}

/** `4f1c09…  14:02:11.337  POST /orders → 201  12.4 ms  9 spans  3 services` */
function header(trace: FinishedTrace, top: FinishedSpan, clock: Clock, width: number, paint: Paint): string {
  const outcome = outcomeOf(top)
  const services = new Set(trace.spans.map(span => span.resource.service)).size
  const before = `${trace.traceId.slice(0, 6)}…  ${clock(top.start)}  `
  const arrow = outcome === '' ? '' : ` → ${outcome}`
  const marks = [trace.late ? 'late' : '', trace.incomplete ? 'incomplete' : ''].filter(mark => mark !== '')
  const counts = [formatDuration(top.durationNs), count(trace.spans.length, 'span'), count(services, 'service')]
  const marked = marks.map(mark => `  ${mark}`).join('')
  const after = (): string => `  ${counts.join('  ')}`
  const room = (): number => width - displayWidth(before) - displayWidth(arrow) - displayWidth(after()) - marked.length
  while (room() < shortestName && counts.length > 1) counts.pop()
  const name = cut(displayName(top), Math.max(shortestName, room()))
  const colour = top.status.code === 'error' ? 'red' : 'bold'
  return before + paint(name + arrow, colour) + after() + paint(marked, 'yellow')
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`

function outcomeOf(span: FinishedSpan): string {
  const { attributes } = span
  const code =
    attributes['http.response.status_code'] ??
    attributes['rpc.response.status_code'] ??
    attributes['db.response.status_code'] ??
    attributes['process.exit.code']
  if (code !== undefined) return printable(String(code))
  return span.status.code === 'error' ? 'error' : ''
}

/** A name of one word does not say whom it was asked of: `GET (redis)`. */
function displayName(span: FinishedSpan): string {
  const system = span.attributes['db.system.name'] ?? span.attributes['messaging.system']
  const name = printable(span.name)
  return system !== undefined && !name.includes(' ') ? `${name} (${printable(String(system))})` : name
}

interface RowTexts {
  readonly tree: string
  readonly name: string
  readonly duration: string
  readonly evidence: string
  readonly failed: boolean
  /** Why it failed, and what else there is to say. */
  readonly remark: string
}

function rowTexts({ span, depth, lines }: TreeRow): RowTexts {
  const failed = span.status.code === 'error'
  const message = printable(span.status.message || String(span.attributes['error.type'] ?? ''))
  return {
    tree: shortened(lines, depth) + printable(span.resource.service),
    name: displayName(span),
    duration: formatDuration(span.durationNs),
    evidence: span.link === undefined ? '' : `${span.link.evidence} ${confidence(span.link.confidence)}`,
    failed,
    remark: [failed ? message : '', noteOf(span)].filter(part => part !== '').join(', '),
  }
}

/** Deep trees keep their innermost lines, and say how deep they are. */
const mostDepth = 12

function shortened(lines: string, depth: number): string {
  return depth <= mostDepth ? lines : `${padStart(String(depth), 3)} ⋯ ${lines.slice(-2 * (mostDepth - 3))}`
}

/** Two decimals, never rounded up: 0.999 is not sure. */
const confidence = (value: number): string => (Math.floor(value * 100 + 1e-9) / 100).toFixed(2)

function noteOf(span: FinishedSpan): string {
  const notes: string[] = []
  if (span.attributes['ghostspan.response.observed'] === false) notes.push('no answer seen')
  if (span.parentRemote) notes.push(`below ${span.parentSpanId} of an instrumented caller`)
  for (const link of span.links) {
    const evidence = link.attributes['ghostspan.link.evidence'] ?? ''
    const sure = link.attributes['ghostspan.link.confidence']
    const strength = typeof sure === 'number' ? confidence(sure) : ''
    notes.push(['perhaps of', `${link.traceId.slice(0, 6)}…`, evidence, strength].filter(Boolean).join(' '))
  }
  return printable(notes.join(', '))
}

interface Columns {
  readonly tree: number
  readonly name: number
  readonly duration: number
  readonly bar: number
  readonly evidence: number
  /** Left for what comes after. */
  readonly rest: number
}

const gap = 2
const shortestName = 8
/** Columns of a remark below which it is not worth to begin it. */
const enough = 20

/** Names give way first, then bars, then service names. */
function layOut(texts: readonly RowTexts[], width: number): Columns {
  const widest = (of: (row: RowTexts) => string): number =>
    texts.reduce((most, row) => Math.max(most, displayWidth(of(row))), 0)
  const evidence = widest(row => row.evidence)
  const duration = widest(row => row.duration)
  const bar = width < 80 ? 0 : width < 100 ? 10 : width < 140 ? 18 : 30
  const mark = texts.some(row => row.failed) ? gap + 1 : 0
  const behind = (bar > 0 ? gap + bar : 0) + (evidence > 0 ? gap + evidence : 0) + mark
  const fixed = 1 + kindWidth + gap + gap + duration + behind
  const tree = Math.min(
    widest(row => row.tree),
    Math.max(12, Math.floor((width - fixed) * 0.5)),
  )
  const name = Math.max(
    shortestName,
    Math.min(
      widest(row => row.name),
      width - fixed - tree,
    ),
  )
  return { tree, name, duration, bar, evidence, rest: width - fixed - tree - name }
}

interface TimeWindow {
  readonly start: WallTime
  readonly nanos: number
}

function timeWindow(spans: readonly FinishedSpan[]): TimeWindow {
  let { start, end } = spans[0]!
  for (const span of spans) {
    if (nanosBetween(span.start, start) < 0) start = span.start
    if (nanosBetween(span.end, end) > 0) end = span.end
  }
  return { start, nanos: Math.max(1, nanosBetween(end, start)) }
}

function drawRow(
  row: TreeRow,
  texts: RowTexts,
  columns: Columns,
  window: TimeWindow,
  width: number,
  paint: Paint,
): string {
  const { span } = row
  const { failed } = texts
  const tree = padEnd(cut(texts.tree, columns.tree), columns.tree)
  const kind = padEnd(span.kind.toUpperCase(), kindWidth)
  const name = padEnd(cut(texts.name, columns.name), columns.name)
  const duration = padStart(texts.duration, columns.duration)
  const lead = failed
    ? paint(`${tree} ${kind}  ${name}  ${duration}`, 'red')
    : `${tree} ${paint(kind, 'dim')}  ${name}  ${duration}`
  const bar = columns.bar > 0 ? `  ${paint(drawBar(span, window, columns.bar), 'cyan')}` : ''
  const evidence = columns.evidence > 0 ? `  ${padEnd(texts.evidence, columns.evidence)}` : ''
  const mark = failed ? `  ${paint('✗', 'red')}` : ''
  return `${(lead + bar + evidence + mark).trimEnd()}${drawRemark(row, texts, columns, width, paint)}`
}

/** Behind the row if that leaves enough to read, else on a line of its own. */
function drawRemark({ lines }: TreeRow, texts: RowTexts, columns: Columns, width: number, paint: Paint): string {
  if (texts.remark === '') return ''
  const colour = texts.failed ? 'red' : 'yellow'
  const blank = texts.failed ? ' ' : '  '
  const room = columns.rest - blank.length
  if (room >= Math.min(enough, displayWidth(texts.remark))) return blank + paint(cut(texts.remark, room), colour)
  const indent = Math.min(displayWidth(lines) + 2, width - enough)
  return `\n${' '.repeat(indent)}${paint(cut(texts.remark, width - indent), colour)}`
}

/** When a span ran within the whole: `  ▕███▏   `; the one that fills it has no edges. */
function drawBar(span: FinishedSpan, window: TimeWindow, width: number): string {
  const scale = width / window.nanos
  let from = Math.round(nanosBetween(span.start, window.start) * scale)
  const to = Math.round(nanosBetween(span.end, window.start) * scale)
  const filled = Math.max(2, Math.min(width, to - from))
  from = Math.min(from, width - filled)
  const bar = filled === width && span.durationNs >= window.nanos ? '█'.repeat(width) : `▕${'█'.repeat(filled - 2)}▏`
  return padEnd(' '.repeat(from) + bar, width)
}
