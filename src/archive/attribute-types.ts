import type { Attributes } from '../protocols/protocol.js'

/**
 * The collector's map holds texts only, so that `200` and `true` would come back as texts. Beside it goes one short
 * text a row that names the keys whose values are numbers or booleans: a JSON array of `n<key>`, `b<key>`, and
 * `N<key>`, `B<key>` for the attributes of span links. Few distinct ones exist (one an operation), so that it costs next
 * to nothing as LowCardinality.
 */
export type TypeMark = 'n' | 'b' | 'N' | 'B'

/** A list of typed keys as a node in a tree of such lists: no list has to be built to find its bytes. */
export interface TypeList {
  readonly entries: readonly string[]
  /** RowBinary: length and JSON text. */
  readonly bytes: Uint8Array
  readonly next: Record<TypeMark, Map<string, TypeList>>
}

export interface TypeLists {
  readonly empty: TypeList
  /** The list with one more key. */
  extend(list: TypeList, mark: TypeMark, key: string): TypeList
}

function typeList(entries: readonly string[], encode: (text: string) => Uint8Array): TypeList {
  const bytes = encode(entries.length === 0 ? '' : JSON.stringify(entries))
  return { entries, bytes, next: { n: new Map(), b: new Map(), N: new Map(), B: new Map() } }
}

export function createTypeLists(encode: (text: string) => Uint8Array, limit = 10_000): TypeLists {
  const empty = typeList([], encode)
  let size = 1
  return {
    empty,
    extend: (list, mark, key) => {
      const known = list.next[mark].get(key)
      if (known !== undefined) return known
      const entry = mark + key
      if (list.entries.includes(entry)) return list
      const made = typeList([...list.entries, entry], encode)
      if (size < limit) {
        size++
        list.next[mark].set(key, made)
      }
      return made
    },
  }
}

/** Gives a map of texts its numbers and booleans back. */
export function restoreTypes(
  texts: Readonly<Record<string, string>>,
  types: string,
  scope: 'span' | 'link',
): Attributes {
  const attributes: Attributes = { ...texts }
  if (types === '') return attributes
  const [number, boolean] = scope === 'span' ? ['n', 'b'] : ['N', 'B']
  for (const entry of JSON.parse(types) as string[]) {
    const key = entry.slice(1)
    const text = texts[key]
    if (text === undefined) continue
    if (entry[0] === number) attributes[key] = Number(text)
    else if (entry[0] === boolean) attributes[key] = text === 'true'
  }
  return attributes
}
