import { hashText, type TextHash } from '../sketches/text-hash.js'
import { sameHash, type TraceTree, type TreeNode } from './trace-tree.js'

/** One operation of a shape, for people: repeats folded. */
export interface OutlineNode {
  readonly depth: number
  readonly service: string
  readonly kind: string
  readonly name: string
  readonly failed: boolean
  readonly repeated: boolean
}

/** Beyond so many operations a shape's outline ends; its hash and its counts do not. */
export const MOST_OUTLINE_NODES = 1_000

/** Goes through a tree and tells each span's place in the outline: the same for all repeats. */
export function walkOutline(
  tree: TraceTree,
  visit: (node: TreeNode, place: number, depth: number, repeat: boolean) => void,
): void {
  const walk = (node: TreeNode, place: number, depth: number, repeat: boolean): number => {
    let next = place
    if (node.span !== undefined) {
      visit(node, place, depth, repeat)
      next++
    }
    const below = node.span === undefined ? depth : depth + 1
    let from = next
    let before: TreeNode | undefined
    for (const child of node.children) {
      const again = before !== undefined && sameHash(before.hash, child.hash)
      if (!again) from = next
      next = walk(child, from, below, again || repeat)
      before = child
    }
    return next
  }
  walk(tree.root, 0, 0, false)
}

export function outlineOf(tree: TraceTree): OutlineNode[] {
  const nodes: { -readonly [key in keyof OutlineNode]: OutlineNode[key] }[] = []
  walkOutline(tree, ({ span }, place, depth, repeat) => {
    if (place >= MOST_OUTLINE_NODES || span === undefined) return
    if (repeat && nodes[place] !== undefined) {
      nodes[place]!.repeated = true
      return
    }
    const { service } = span.resource
    nodes[place] = {
      ...{ depth, service, kind: span.kind, name: span.name, failed: span.status.code === 'error', repeated: false },
    }
  })
  return nodes
}

const HASHES = 64
const word: TextHash = { high: 0, low: 0 }

/**
 * MinHash (Broder 1997) of the set of paths of operations from the root down: of two shapes the share of equal words is
 * an estimate of the share of paths that they have in common, with a standard error of at most 1/16.
 */
export function similarityOf(outline: readonly OutlineNode[]): number[] {
  const least = new Array<number>(HASHES).fill(0xffffffff)
  const path: string[] = []
  for (const { depth, service, kind, name, failed } of outline) {
    path.length = depth
    path.push(`${service}|${kind}|${name}|${failed ? 1 : 0}`)
    hashText(path.join('\n'), word)
    for (let i = 0; i < HASHES; i++) {
      const mixed =
        Math.imul(word.high ^ Math.imul(i + 1, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(word.low + i, 0xc2b2ae35)
      const value = (mixed ^ (mixed >>> 15)) >>> 0
      if (value < least[i]!) least[i] = value
    }
  }
  return least
}

/** 0 to 1. */
export function similarity(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length || a.length === 0) return 0
  let equal = 0
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++
  return equal / a.length
}
