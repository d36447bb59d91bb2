import type { ClickHouseClient } from '@clickhouse/client'
import { LAYOUT_VERSION, type Layout, type LayoutText, layoutOf } from '../../shapes/layouts.js'
import type { ShapeDictionary } from '../../shapes/trace-decoder.js'
import type { StoredNode } from '../../shapes/trace-encoder.js'

/** The part of the archive's dictionary that has been fetched. */
export interface FetchedDictionary extends ShapeDictionary {
  /** Everything below these nodes; what is there already is not asked for again. */
  fetch(client: ClickHouseClient, nodes: readonly string[]): Promise<void>
}

const NO_LAYOUT = '0000000000000000'
const CHUNK = 2_000
const hex = (column: string): string => `lower(leftPad(hex(${column}), 16, '0'))`

export function createFetchedDictionary(database: string): FetchedDictionary {
  const layouts = new Map<string, Layout>()
  const nodes = new Map<string, StoredNode>()
  return {
    layout: id => layouts.get(id),
    node: id => nodes.get(id),
    fetch: async (client, roots) => {
      let wanted = [...new Set(roots)].filter(id => !nodes.has(id))
      const needed = new Set<string>()
      while (wanted.length > 0) {
        const below = new Set<string>()
        for (let at = 0; at < wanted.length; at += CHUNK) {
          for (const node of await fetchNodes(client, database, wanted.slice(at, at + CHUNK))) {
            nodes.set(node.id, node)
            if (node.layout !== '' && !layouts.has(node.layout)) needed.add(node.layout)
            for (const child of node.children) if (!nodes.has(child)) below.add(child)
          }
        }
        wanted = [...below]
      }
      const ids = [...needed]
      for (let at = 0; at < ids.length; at += CHUNK) {
        for (const text of await fetchLayouts(client, database, ids.slice(at, at + CHUNK))) {
          const layout = layoutOf(text)
          layouts.set(layout.id, layout)
        }
      }
    },
  }
}

const numbersOf = (ids: readonly string[]): bigint[] => ids.map(id => BigInt(`0x${id}`))

async function fetchNodes(client: ClickHouseClient, database: string, ids: readonly string[]): Promise<StoredNode[]> {
  const result = await client.query({
    query: `SELECT ${hex('node')} AS id, ${hex('layout')} AS layout_id, arrayMap(child -> ${hex('child')}, children) AS below,
      repeated FROM ${database}.shape_nodes WHERE node IN {ids:Array(UInt64)}`,
    query_params: { ids: numbersOf(ids) },
    format: 'JSONEachRow',
  })
  const rows = await result.json<{ id: string; layout_id: string; below: string[]; repeated: number[] }>()
  return rows.map(({ id, layout_id: layout, below, repeated }) => ({
    ...{ id, layout: layout === NO_LAYOUT ? '' : layout, children: below },
    repeated: repeated.map(each => each === 1),
  }))
}

/** Layouts of another version than ours are left out: whoever needs one of them is told that it is lacking. */
async function fetchLayouts(client: ClickHouseClient, database: string, ids: readonly string[]): Promise<LayoutText[]> {
  const result = await client.query({
    query: `SELECT text FROM ${database}.shape_layouts WHERE layout IN {ids:Array(UInt64)}`,
    query_params: { ids: numbersOf(ids) },
    format: 'JSONEachRow',
  })
  const texts = (await result.json<{ text: string }>()).map(row => JSON.parse(row.text) as LayoutText)
  return texts.filter(text => text.version === LAYOUT_VERSION)
}
