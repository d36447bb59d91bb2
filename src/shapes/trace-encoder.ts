import { createHash } from 'node:crypto'
import type { Attributes } from '../protocols/protocol.js'
import type { FinishedSpan, FinishedTrace } from '../traces/span.js'
import { createCallPositions, ORDINAL, POSITION } from './call-positions.js'
import { createFamilies, type FieldType, fittingLayout, type Layout } from './layouts.js'
import { shapeHex } from './shape-hash.js'
import { emptyNumbers, type ShapeRow } from './shape-row.js'
import { FACTS, type FieldValue, factsOf } from './span-fields.js'
import { type TraceTree, type TreeNode, traceTree } from './trace-tree.js'

/** A subtree as the dictionary keeps it, once: its layout and its children, those that repeat folded. */
export interface StoredNode {
  /** 16 hex digits. */
  readonly id: string
  /** Of the topmost span; '' where the node only holds several tops together. */
  readonly layout: string
  readonly children: readonly string[]
  /** How often they come is in the row, child by child. */
  readonly repeated: readonly boolean[]
}

export interface EncodedTrace {
  readonly row: ShapeRow
  readonly tree: TraceTree
  /** What the dictionary does not have yet. */
  readonly layouts: readonly Layout[]
  readonly nodes: readonly StoredNode[]
}

export interface TraceEncoder {
  /** undefined: it cannot be rebuilt from a row (see `traceTree`), or there are too many different operations. */
  encode(trace: FinishedTrace, weight?: number): EncodedTrace | undefined
}

/** Known parts of the dictionary; beyond it, all are written again, which does no harm. */
const MOST_KNOWN = 200_000

interface Coded {
  readonly node: TreeNode
  readonly layout: Layout | undefined
  readonly values: readonly FieldValue[]
  readonly children: Coded[]
  readonly id: string
}

/** Encodes traces; learns what never changes as it goes. */
export function createTraceEncoder(): TraceEncoder {
  const families = createFamilies()
  const knownLayouts = new Set<string>()
  const knownNodes = new Map<string, string>()

  const encode = (trace: FinishedTrace, weight: number): EncodedTrace | undefined => {
    const tree = traceTree(trace)
    if (tree === undefined) return undefined
    const layouts: Layout[] = []
    const nodes: StoredNode[] = []
    const nodeId = (layout: string, children: readonly Coded[]): string => {
      let key = layout
      const folded: string[] = []
      const repeated: boolean[] = []
      for (let i = 0; i < children.length; ) {
        const { id } = children[i]!
        const from = i
        while (i < children.length && children[i]!.id === id) i++
        folded.push(id)
        repeated.push(i - from > 1)
        key += i - from > 1 ? `*${id}` : `+${id}`
      }
      let id = knownNodes.get(key)
      if (id === undefined) {
        id = createHash('sha256').update(key).digest('hex').slice(0, 16)
        if (knownNodes.size >= MOST_KNOWN) knownNodes.clear()
        knownNodes.set(key, id)
        nodes.push({ id, layout, children: folded, repeated })
      }
      return id
    }
    const code = (node: TreeNode, parent: Coded | undefined): Coded | undefined => {
      const { span } = node
      let layout: Layout | undefined
      const values: FieldValue[] = []
      if (span !== undefined) {
        const above = parent?.node.span
        const types = valuesOf(span, above === undefined ? (span.parentSpanId ?? '') : '', values)
        const family = families.find(span, types, values, above?.spanId)
        if (family === undefined) return undefined
        layout = fittingLayout(family, values, field => parentValue(field, family.keys, parent))
        if (!knownLayouts.has(layout.id)) {
          if (knownLayouts.size >= MOST_KNOWN) knownLayouts.clear()
          knownLayouts.add(layout.id)
          layouts.push(layout)
        }
      }
      const coded = { node, layout, values, children: [] as Coded[], id: '' }
      for (const child of node.children) {
        const below = code(child, coded)
        if (below === undefined) return undefined
        coded.children.push(below)
      }
      coded.id = nodeId(layout?.id ?? '', coded.children)
      return coded
    }
    const root = code(tree.root, undefined)
    if (root === undefined) return undefined
    const row = rowOf(trace, tree, root, weight)
    return { row, tree, layouts, nodes }
  }
  return { encode: (trace, weight = 1) => encode(trace, weight) }
}

/** Fills in facts and attributes; returns the types of all. */
function valuesOf(span: FinishedSpan, outside: string, values: FieldValue[]): string {
  factsOf(span, outside, values)
  let types = FACT_TYPES
  const { attributes } = span
  for (const key in attributes) {
    const value = attributes[key]!
    values.push(value)
    types += typeOf(value)
  }
  return types
}

const FACT_TYPES = FACTS.map(({ stream, name }) => (name === 'confidence' ? 'f' : stream === 'texts' ? 's' : 'i')).join(
  '',
)

function typeOf(value: FieldValue): FieldType {
  if (typeof value === 'string') return 's'
  if (typeof value === 'boolean') return 'b'
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? 'i' : 'f'
}

/** What a rule that looks at the parent finds there. */
export function parentValue(
  field: number,
  keys: readonly string[],
  parent:
    | { readonly values: readonly FieldValue[]; readonly node: { readonly span: FinishedSpan | undefined } }
    | undefined,
): FieldValue | undefined {
  if (parent?.node.span === undefined) return undefined
  const fact = FACTS[field]
  if (fact !== undefined) return parent.values[fact.parent]
  return (parent.node.span.attributes as Attributes)[keys[field - FACTS.length]!]
}

function rowOf(trace: FinishedTrace, tree: TraceTree, root: Coded, weight: number): ShapeRow {
  const row: ShapeRow = {
    ...{ traceId: trace.traceId, start: tree.base, shape: shapeHex(tree.root.hash), node: root.id, weight },
    ...{ late: trace.late, incomplete: trace.incomplete, spans: trace.spans.length },
    ...{ repeats: [], gaps: [], tails: [], ids: [], numbers: emptyNumbers(), texts: [] },
  }
  const positions = createCallPositions()
  const put = (coded: Coded, from: number): void => {
    const { node, layout, values, children } = coded
    const { span, start, end } = node
    if (span !== undefined && layout !== undefined) {
      row.gaps.push(start - from)
      if (layout.text.id === 'row') row.ids.push(span.spanId)
      if (layout.text.wireKey === 'row') row.texts.push(span.sample.wireKey)
      const expected = positions.expected(values)
      positions.seen(values)
      for (const { field, stream, type } of layout.stored) {
        const value = values[field]!
        if (field === POSITION || field === ORDINAL) {
          row.numbers[stream as 'positions'].push(
            (value as number) - (field === POSITION ? expected.position : expected.ordinal),
          )
          continue
        }
        if (stream === 'texts') row.texts.push(String(value))
        else row.numbers[stream].push(type === 'b' ? (value === true ? 1 : 0) : (value as number))
      }
    }
    let last = start
    for (let i = 0; i < children.length; ) {
      const begin = i
      while (i < children.length && children[i]!.id === children[begin]!.id) i++
      if (i - begin > 1) row.repeats.push(i - begin)
      for (let k = begin; k < i; k++) {
        put(children[k]!, last)
        last = children[k]!.node.end
      }
    }
    if (span !== undefined) row.tails.push(end - last)
  }
  put(root, 0)
  return row
}
