import type { FinishedSpan } from '../traces/span.js'

/** A span in its place. */
export interface TreeRow {
  readonly span: FinishedSpan
  /** 0 for the top. */
  readonly depth: number
  /** The lines that lead to it: `  ├ `; empty at the top. */
  readonly lines: string
}

/**
 * Spans in the order of a tree, each top's descendants below it. A top is a span without a parent among these: the
 * root, and in a late trace whatever hangs on spans that left before. Spans may come in any order and number.
 */
export function spanTree(spans: readonly FinishedSpan[]): TreeRow[] {
  const ids = new Set(spans.map(span => span.spanId))
  const children = new Map<string, FinishedSpan[]>()
  const tops: FinishedSpan[] = []
  for (const span of spans) {
    const { parentSpanId } = span
    if (parentSpanId === undefined || parentSpanId === span.spanId || !ids.has(parentSpanId)) tops.push(span)
    else {
      const siblings = children.get(parentSpanId)
      if (siblings === undefined) children.set(parentSpanId, [span])
      else siblings.push(span)
    }
  }
  const rows: TreeRow[] = []
  /** To visit, last first. `below` is what precedes the lines of the span's children. */
  const open: { span: FinishedSpan; depth: number; lines: string; below: string }[] = []
  const push = (siblings: readonly FinishedSpan[], depth: number, before: string): void => {
    for (let i = siblings.length - 1; i >= 0; i--) {
      const last = i === siblings.length - 1
      const lines = depth === 0 ? '' : `${before}${last ? '└ ' : '├ '}`
      const below = depth === 0 ? '' : `${before}${last ? '  ' : '│ '}`
      open.push({ span: siblings[i]!, depth, lines, below })
    }
  }
  push(tops, 0, '')
  const seen = new Set<string>()
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { span, depth, lines, below } = next
    rows.push({ span, depth, lines })
    // Two spans of one id would visit their children twice, and theirs.
    if (seen.has(span.spanId)) continue
    seen.add(span.spanId)
    push(children.get(span.spanId) ?? [], depth + 1, below)
  }
  return rows
}
