import { classifySegment } from './path-segments.js'
import type { RouteTemplates } from './route-templates.js'

export interface RouteTemplatesOptions {
  /** Distinct values behind a plain name (`/items/…`) that are kept apart before they become one parameter. */
  readonly valueLimit?: number
  /** The same where names are expected: at the root, behind a version, behind an id. */
  readonly nameLimit?: number
  /** Most places in all routes together. */
  readonly nodeLimit?: number
}

const DEFAULTS = { valueLimit: 20, nameLimit: 200, nodeLimit: 4_000 } as const
const ID = '{id}'
const PARAMETER = '{param}'
const REST = '{rest}'
const MOST_SEGMENTS = 16
const LONGEST_SEGMENT = 512
/** When a position becomes a parameter, values that had this share of its requests stay names: `/users/me`. */
const ESTABLISHED_SHARE = 0.1
const FEWEST_ESTABLISHED = 10

interface Node {
  readonly template: string
  readonly children: Map<string, Node>
  /** Names are expected below, not values. */
  readonly namesBelow: boolean
  /** Children that were taken for names one by one; ids and parameters do not count. */
  learned: number
  /** What is not known below is a parameter. */
  collapsed: boolean
  requests: number
}

/**
 * Templates for the paths of one service. What an id looks like (decimal, hexadecimal, UUID, long and mixed) becomes
 * `{id}` at first sight. What looks like a name stays, until a position has had more distinct names than fit there:
 * then it becomes `{param}`. Behind a plain name, such as `/items/…`, that is the twenty-first; at the root, behind a
 * version or behind an id, where an API has its fixed names (`/v2.1/servers`, `/servers/{id}/action`), it is the
 * two hundred and first. The same paths in the same order give the same templates.
 */
export function createRouteTemplates(options: RouteTemplatesOptions = {}): RouteTemplates {
  const { valueLimit, nameLimit, nodeLimit } = { ...DEFAULTS, ...options }
  const root = createNode('', true)
  let nodes = 1

  const add = (parent: Node, key: string, namesBelow: boolean): Node | undefined => {
    if (nodes >= nodeLimit) return undefined
    const node = createNode(`${parent.template}/${key}`, namesBelow)
    parent.children.set(key, node)
    nodes++
    return node
  }
  const collapse = (node: Node): void => {
    node.collapsed = true
    const enough = Math.max(FEWEST_ESTABLISHED, node.requests * ESTABLISHED_SHARE)
    for (const [key, child] of node.children) {
      if (key === ID || child.requests >= enough) continue
      node.children.delete(key)
      nodes -= countNodes(child)
    }
  }
  /** The node for a segment below `node`; undefined when there is no room for another one. */
  const descend = (node: Node, segment: string): Node | undefined => {
    const known = node.children.get(segment)
    if (known !== undefined) return known
    const key = segmentTemplate(segment)
    const similar = node.children.get(key)
    if (similar !== undefined) return similar
    if (key === ID) return add(node, ID, true)
    if (classifySegment(key) === 'version') return add(node, key, true)
    if (!node.collapsed) {
      if (node.learned < (node.namesBelow ? nameLimit : valueLimit)) {
        node.learned++
        return add(node, key, key.includes(ID) || PREFIXES.has(key))
      }
      collapse(node)
    }
    return node.children.get(PARAMETER) ?? add(node, PARAMETER, true)
  }

  return {
    template(path) {
      if (path === '' || path === '/') return path
      let node = root
      let start = path.charCodeAt(0) === 0x2f ? 1 : 0
      for (let depth = 0; ; depth++) {
        node.requests++
        const slash = path.indexOf('/', start)
        const segment = slash === -1 ? path.slice(start) : path.slice(start, slash)
        const next = depth === MOST_SEGMENTS ? undefined : descend(node, segment)
        if (next === undefined) return `${node.template}/${REST}`
        node = next
        if (slash === -1) break
        start = slash + 1
      }
      node.requests++
      return node.template
    },
  }
}

/** Plain names behind which an API has its fixed names. */
const PREFIXES = new Set(['api', 'rest'])

const createNode = (template: string, namesBelow: boolean): Node => ({
  template,
  children: new Map(),
  namesBelow,
  learned: 0,
  collapsed: false,
  requests: 0,
})

function countNodes(node: Node): number {
  let count = 1
  for (const child of node.children.values()) count += countNodes(child)
  return count
}

const DELIMITERS = /[.:,]/
const MAIL = /@|%40/
const ONLY_IDS = /^(\{id\}[.:,]?)+$/

/**
 * The segment with its ids replaced. Parts between dots, colons and commas are looked at one by one, so that
 * `42.json` and `7:cancel` keep what is fixed in them.
 */
function segmentTemplate(segment: string): string {
  const parameters = segment.indexOf(';')
  if (parameters !== -1) segment = segment.slice(0, parameters)
  if (segment.length > LONGEST_SEGMENT) return ID
  const kind = classifySegment(segment)
  if (kind === 'secret') return ID
  if (kind === 'version' || !DELIMITERS.test(segment)) return kind === 'id' ? ID : segment
  if (MAIL.test(segment)) return ID
  let result = ''
  let start = 0
  for (let i = 0; i <= segment.length; i++) {
    if (i < segment.length && !DELIMITERS.test(segment[i]!)) continue
    const part = segment.slice(start, i)
    const partKind = classifySegment(part)
    result += partKind === 'id' || partKind === 'secret' ? ID : part
    if (i < segment.length) result += segment[i]
    start = i + 1
  }
  // Dates, addresses and the like are ids as a whole; so is what is one only as a whole.
  if (ONLY_IDS.test(result)) return ID
  return kind === 'id' && result === segment ? ID : result
}
