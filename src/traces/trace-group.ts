import type { Link } from '../correlate/link.js'
import type { Sample } from '../samples/sample.js'

/** A sample on its way into a trace. */
export interface TraceNode {
  readonly sample: Sample
  group: TraceGroup
  parent: TraceNode | undefined
  /** undefined while there is none. */
  children: TraceNode[] | undefined
  /** What was decided about its parent. `link` below the floor ties nothing, it becomes an OpenTelemetry link. */
  link: Link | undefined
  /** Parent that had been exported before: the node's group joins that trace late. */
  exportedParent: Sample | undefined
  decided: boolean
  /** Where it lies in the queue of open nodes. */
  place: number
  /** Bounds of its span, once it is being built. */
  startNs: number
  endNs: number
}

/** Nodes that belong to one trace as far as is known now: a tree under one root. */
export interface TraceGroup {
  members: TraceNode[]
  /** Members whose operation has not ended, and members whose parent has not been decided. */
  open: number
  undecided: number
  sinceNs: number
  /** Last moment at which something happened in it. */
  lastNs: number
  /** True while a check for quietness is scheduled. */
  scheduled: boolean
  /** Merged into another group, or exported. */
  gone: boolean
}

export function createNode(sample: Sample): TraceNode {
  const group: TraceGroup = {
    members: [],
    open: 1,
    undecided: 1,
    sinceNs: sample.startNs,
    lastNs: sample.startNs,
    scheduled: false,
    gone: false,
  }
  const node: TraceNode = {
    sample,
    group,
    parent: undefined,
    children: undefined,
    link: undefined,
    exportedParent: undefined,
    decided: false,
    place: 0,
    startNs: sample.startNs,
    endNs: sample.startNs,
  }
  group.members.push(node)
  return node
}

/** Hangs `child` (the root of its group) under `parent`; false if that would close a circle. */
export function attach(child: TraceNode, parent: TraceNode): boolean {
  if (parent.group === child.group) {
    for (let above: TraceNode | undefined = parent; above !== undefined; above = above.parent) {
      if (above === child) return false
    }
  }
  child.parent = parent
  if (parent.children === undefined) parent.children = [child]
  else parent.children.push(child)
  if (parent.group !== child.group) merge(parent.group, child.group)
  return true
}

function merge(a: TraceGroup, b: TraceGroup): void {
  const [into, from] = a.members.length >= b.members.length ? [a, b] : [b, a]
  for (const member of from.members) {
    member.group = into
    into.members.push(member)
  }
  into.open += from.open
  into.undecided += from.undecided
  into.sinceNs = Math.min(into.sinceNs, from.sinceNs)
  into.lastNs = Math.max(into.lastNs, from.lastNs)
  from.gone = true
  from.members = []
}

/** The tree in the order of export: parents before children, siblings by start. */
export function preOrder(root: TraceNode): TraceNode[] {
  const ordered: TraceNode[] = []
  const stack = [root]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    ordered.push(node)
    const { children } = node
    if (children === undefined) continue
    if (children.length > 1) children.sort(byStart)
    for (let i = children.length - 1; i >= 0; i--) stack.push(children[i]!)
  }
  return ordered
}

function byStart(a: TraceNode, b: TraceNode): number {
  return a.sample.startNs - b.sample.startNs || a.sample.serial - b.sample.serial
}
