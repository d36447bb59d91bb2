import { hashText, type TextHash } from '../sketches/text-hash.js'
import type { FinishedSpan, FinishedTrace } from '../traces/span.js'
import { combine, type ShapeHash, textOf } from './shape-hash.js'

/** A span with what was called by it, in an order that does not depend on who of those in parallel was first. */
export interface TreeNode {
  /** undefined: stands above several spans whose parents are not in the trace. */
  readonly span: FinishedSpan | undefined
  readonly parent: TreeNode | undefined
  /** One after the other by start; those that overlap by what they are. */
  children: TreeNode[]
  /** Nanoseconds since the trace's first span. */
  readonly start: number
  readonly end: number
  /** Of the subtree: the same for the same operations called in the same way. */
  hash: ShapeHash
  /** Adjacent children of the same shape count once. */
  size: number
}

export interface TraceTree {
  readonly root: TreeNode
  /** Start of the first span. */
  readonly base: readonly [seconds: number, nanos: number]
}

export const MOST_SHAPE_SPANS = 20_000
const DEEPEST = 400

/**
 * The tree of a trace, undefined where it is none that could be rebuilt: an id that is there twice, parents in a circle,
 * more spans or levels than there should be.
 */
export function traceTree(trace: FinishedTrace): TraceTree | undefined {
  const { spans } = trace
  const first = spans[0]
  if (first === undefined || spans.length > MOST_SHAPE_SPANS) return undefined
  let base = first.start
  for (const { start } of spans) if (start[0] < base[0] || (start[0] === base[0] && start[1] < base[1])) base = start
  const nodes = new Map<string, TreeNode>()
  const tops: TreeNode[] = []
  for (const span of spans) {
    const parent = span.parentSpanId === undefined ? undefined : nodes.get(span.parentSpanId)
    const start = (span.start[0] - base[0]) * 1e9 + (span.start[1] - base[1])
    const node: TreeNode = {
      ...{ span, parent, children: [], start, end: start + span.durationNs, hash: NO_HASH, size: 1 },
    }
    if (nodes.has(span.spanId) || span.traceId !== trace.traceId || !Number.isSafeInteger(node.end)) return undefined
    nodes.set(span.spanId, node)
    ;(parent?.children ?? tops).push(node)
  }
  const root = tops.length === 1 ? tops[0]! : above(tops)
  return settle(root, 0) ? { root, base } : undefined
}

const NO_HASH: ShapeHash = [0, 0, 0, 0]

function above(tops: TreeNode[]): TreeNode {
  const end = Math.max(...tops.map(top => top.end))
  return { span: undefined, parent: undefined, children: tops, start: 0, end, hash: NO_HASH, size: 0 }
}

/** Hashes from the leaves up; false where it is too deep. */
function settle(node: TreeNode, depth: number): boolean {
  if (depth > DEEPEST) return false
  const { children } = node
  for (const child of children) if (!settle(child, depth + 1)) return false
  if (children.length > 1) node.children = arranged(children)
  const hash: [number, number, number, number] = [...operationHash(node.span)]
  let before: ShapeHash | undefined
  for (const child of node.children) {
    // Folded: how often something was repeated is not part of a shape, that it was is.
    if (before !== undefined && sameHash(before, child.hash)) hash[3] |= 1
    else combine(hash, child.hash)
    before = child.hash
    node.size += child.size
  }
  node.hash = hash
  return true
}

export const sameHash = (a: ShapeHash, b: ShapeHash): boolean =>
  a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3]

function arranged(children: readonly TreeNode[]): TreeNode[] {
  const sorted = [...children].sort((a, b) => a.start - b.start || order(a, b))
  for (let from = 0; from < sorted.length; ) {
    let to = from + 1
    let end = sorted[from]!.end
    for (; to < sorted.length && sorted[to]!.start < end; to++) end = Math.max(end, sorted[to]!.end)
    if (to - from > 1) {
      const group = sorted.slice(from, to).sort((a, b) => order(a, b) || a.start - b.start)
      for (let i = from; i < to; i++) sorted[i] = group[i - from]!
    }
    from = to
  }
  return sorted
}

function order(a: TreeNode, b: TreeNode): number {
  for (let i = 0; i < 4; i++) if (a.hash[i] !== b.hash[i]) return a.hash[i]! - b.hash[i]!
  return a.span!.spanId < b.span!.spanId ? -1 : 1
}

const known = new Map<string, ShapeHash>()
const MOST_KNOWN = 20_000
const word: TextHash = { high: 0, low: 0 }

/** What a shape sees of a span: who, what, at which end, and whether it failed. */
function operationHash(span: FinishedSpan | undefined): ShapeHash {
  if (span === undefined) return NO_HASH
  const text = textOf(span.resource.service, span.kind, span.name, span.status.code, span.sample.protocol)
  let hash = known.get(text)
  if (hash === undefined) {
    hashText(text, word)
    const { high, low } = word
    hashText(`${text}\u0001`, word)
    // The lowest bit says whether something below is repeated.
    hash = [high, low, word.high, word.low & ~1]
    if (known.size >= MOST_KNOWN) known.clear()
    known.set(text, hash)
  }
  return hash
}
