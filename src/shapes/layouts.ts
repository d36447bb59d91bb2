import { createHash } from 'node:crypto'
import type { FinishedSpan, ServiceResource } from '../traces/span.js'
import { ATTRIBUTE_FACTS, FACTS, type FieldValue, otherEndId, type Stream } from './span-fields.js'

/**
 * Where a field's value comes from: another field of the same span, the same field of the parent (for attributes the
 * attribute of that name), the layout itself, or the row.
 */
export type Rule =
  | { readonly from: 'fact'; readonly fact: number }
  | { readonly from: 'parent' }
  | { readonly from: 'layout'; readonly value: FieldValue }
  | { readonly from: 'row' }

/** `i` whole number, `f` other number, `s` text, `b` boolean. */
export type FieldType = 'i' | 'f' | 's' | 'b'

/** Everything about a span that a row need not say. Written into the dictionary once, found by the hash of its text. */
export interface LayoutText {
  readonly version: 1
  readonly service: string
  readonly resource: Readonly<Record<string, FieldValue>>
  readonly name: string
  readonly kind: FinishedSpan['kind']
  readonly protocol: string
  readonly status: FinishedSpan['status']['code']
  readonly parentRemote: boolean
  readonly linked: boolean
  readonly id: IdForm
  readonly wireKey: WireForm
  readonly keys: readonly string[]
  readonly types: string
  /** Of the facts, then of the attributes. */
  readonly rules: readonly Rule[]
}

/** The span's id: the other end's of its parent, or in the row. */
export type IdForm = 'parent' | 'row'
/** The wire key: the span's id, the other end's id, none, or in the row. */
export type WireForm = 'id' | 'other' | 'none' | 'row'

export interface Layout {
  /** 16 hex digits. */
  readonly id: string
  readonly text: LayoutText
  /** Fields whose values are in the row, with where they go. */
  readonly stored: readonly { readonly field: number; readonly stream: Stream; readonly type: FieldType }[]
}

export const LAYOUT_VERSION = 1

export function layoutOf(text: LayoutText): Layout {
  const id = createHash('sha256').update(JSON.stringify(text)).digest('hex').slice(0, 16)
  const stored = text.rules.flatMap((rule, field) => {
    if (rule.from !== 'row') return []
    const type = (text.types[field] ?? 's') as FieldType
    return [{ field, stream: streamOf(field, type), type }]
  })
  return { id, text, stored }
}

function streamOf(field: number, type: FieldType): Stream {
  const fact = FACTS[field]
  if (fact !== undefined && type !== 'f') return fact.stream
  return type === 'i' || type === 'b' ? 'numbers' : 'texts'
}

/** Spans that differ only in values: one set of rules, learned from what comes. */
export interface Family {
  readonly packed: number
  readonly keys: readonly string[]
  readonly types: string
  readonly head: Omit<LayoutText, 'rules'>
  /** Per field, what is left to try; the first holds so far. */
  readonly candidates: Rule[][]
  layout: Layout | undefined
}

export interface Families {
  /** undefined: there are too many; the trace is kept in another way. */
  find(
    span: FinishedSpan,
    types: string,
    values: readonly FieldValue[],
    parentId: string | undefined,
  ): Family | undefined
}

const MOST_FAMILIES = 10_000
const KINDS = ['server', 'client', 'producer', 'consumer', 'internal'] as const
const STATUSES = ['unset', 'ok', 'error'] as const
const WIRES: readonly WireForm[] = ['id', 'other', 'none', 'row']

export function createFamilies(): Families {
  const byResource = new Map<ServiceResource, Map<string, Family[]>>()
  let size = 0
  return {
    find: (span, types, values, parentId) => {
      const id: IdForm = parentId !== undefined && otherEndId(parentId) === span.spanId ? 'parent' : 'row'
      const wire = wireForm(span)
      const number =
        KINDS.indexOf(span.kind) * 3 +
        STATUSES.indexOf(span.status.code) +
        (span.parentRemote ? 16 : 0) +
        (span.link !== undefined ? 32 : 0) +
        (id === 'parent' ? 64 : 0) +
        (parentId === undefined ? 128 : 0) +
        WIRES.indexOf(wire) * 256
      let byName = byResource.get(span.resource)
      if (byName === undefined) {
        byName = new Map()
        byResource.set(span.resource, byName)
      }
      let families = byName.get(span.name)
      if (families === undefined) {
        families = []
        byName.set(span.name, families)
      }
      for (const family of families) {
        if (family.packed === number && family.types === types && fits(family, span)) return family
      }
      if (size >= MOST_FAMILIES) return undefined
      size++
      const keys = Object.keys(span.attributes)
      const family: Family = {
        packed: number,
        keys,
        types,
        head: headOf(span, keys, types, id, wire),
        candidates: values.map((_, field) => candidatesOf(field, keys[field - FACTS.length])),
        layout: undefined,
      }
      families.push(family)
      return family
    },
  }
}

function fits(family: Family, { attributes, sample }: FinishedSpan): boolean {
  if (family.head.protocol !== sample.protocol) return false
  let index = 0
  for (const key in attributes) if (family.keys[index++] !== key) return false
  return index === family.keys.length
}

function wireForm({ spanId, sample: { wireKey } }: FinishedSpan): WireForm {
  if (wireKey === '') return 'none'
  if (wireKey === spanId) return 'id'
  return wireKey.length === 16 && otherEndId(wireKey) === spanId ? 'other' : 'row'
}

function headOf(
  span: FinishedSpan,
  keys: readonly string[],
  types: string,
  id: IdForm,
  wireKey: WireForm,
): Family['head'] {
  const { resource, name, kind, parentRemote } = span
  return {
    ...{ version: LAYOUT_VERSION, service: resource.service, resource: resource.attributes, name, kind, parentRemote },
    ...{ protocol: span.sample.protocol, status: span.status.code, linked: span.link !== undefined },
    ...{ id, wireKey, keys, types },
  }
}

const PARENT: Rule = { from: 'parent' }
const ROW: Rule = { from: 'row' }
/** Filled in with the first value that comes. */
const OPEN: Rule = { from: 'layout', value: '' }

/** Names one request or message and no other: has no place in a dictionary, however often the first one comes. */
const SINGULAR = /(^|[._])(id|hash|tag|path|query)$/
const SINGULAR_FACTS: ReadonlySet<string> = new Set(['requestPosition', 'ordinal', 'tid'])

function candidatesOf(field: number, key: string | undefined): Rule[] {
  const fact = FACTS[field]
  if (fact !== undefined) {
    const rest = SINGULAR_FACTS.has(fact.name) ? [ROW] : [{ ...OPEN }, ROW]
    return fact.parent < 0 ? rest : [PARENT, ...rest]
  }
  const same = (ATTRIBUTE_FACTS.get(key!) ?? []).map((number): Rule => ({ from: 'fact', fact: number }))
  return SINGULAR.test(key!) ? [...same, PARENT, ROW] : [...same, PARENT, { ...OPEN }, ROW]
}

/**
 * The layout that says these values, after taking from the family's rules what does not hold any more: a rule that was
 * broken once is never tried again, so that a family has few layouts.
 */
export function fittingLayout(
  family: Family,
  values: readonly FieldValue[],
  parentValue: (field: number) => FieldValue | undefined,
): Layout {
  const { candidates } = family
  const first = family.layout === undefined
  let changed = first
  for (let field = 0; field < candidates.length; field++) {
    const rules = candidates[field]!
    const value = values[field]!
    for (;;) {
      const rule = rules[0]!
      if (rule.from === 'row') break
      if (rule.from === 'layout') {
        if (rule.value === value) break
        // Its first value is what it stands for.
        if (!filled.has(rule)) {
          const made: Rule = { from: 'layout', value }
          filled.add(made)
          rules[0] = made
          changed = true
          break
        }
      } else if ((rule.from === 'fact' ? values[rule.fact] : parentValue(field)) === value) break
      rules.shift()
      changed = true
    }
  }
  if (changed) family.layout = layoutOf({ ...family.head, rules: candidates.map(rules => closed(rules[0]!)) })
  return family.layout!
}

const filled = new WeakSet<Rule>()
const closed = (rule: Rule): Rule => (rule.from === 'layout' ? { from: 'layout', value: rule.value } : rule)
