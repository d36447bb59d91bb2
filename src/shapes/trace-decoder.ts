import type { EvidenceKind } from '../correlate/link.js'
import type { Attributes } from '../protocols/protocol.js'
import type { FinishedSpan, FinishedTrace, ServiceResource, SpanLink, WallTime } from '../traces/span.js'
import { type CallPositions, createCallPositions, ORDINAL, POSITION } from './call-positions.js'
import type { Layout } from './layouts.js'
import type { ShapeRow } from './shape-row.js'
import { FACTS, type FieldValue, otherEndId, unpacked } from './span-fields.js'
import { parentValue, type StoredNode } from './trace-encoder.js'

/** The dictionary as far as a row needs it. */
export interface ShapeDictionary {
  layout(id: string): Layout | undefined
  node(id: string): StoredNode | undefined
}

interface Above {
  readonly values: readonly FieldValue[]
  readonly node: { readonly span: FinishedSpan | undefined }
}

/** Thrown for a row that the dictionary does not explain: a damaged archive. */
export class ShapeError extends Error {}

/** The spans that a row was made of, parents before children, children by start. */
export function decodeTrace(row: ShapeRow, dictionary: ShapeDictionary): FinishedTrace {
  const reader = readerOf(row)
  const resources = new Map<string, ServiceResource>()
  const positions = createCallPositions()
  interface Built {
    readonly span: FinishedSpan | undefined
    readonly end: number
    readonly start: number
    readonly children: Built[]
  }
  const build = (id: string, above: Above | undefined, from: number): Built => {
    const stored = dictionary.node(id)
    if (stored === undefined) throw new ShapeError(`the archive lacks node ${id} of trace ${row.traceId}`)
    const layout = stored.layout === '' ? undefined : dictionary.layout(stored.layout)
    if (stored.layout !== '' && layout === undefined) {
      throw new ShapeError(`the archive lacks layout ${stored.layout} of trace ${row.traceId}`)
    }
    const start = layout === undefined ? from : from + reader.gap()
    const raw = layout === undefined ? undefined : spanValues(layout, reader, above, positions)
    const span = raw === undefined ? undefined : spanOf(row, layout!, raw, start, above, resources)
    const me: Above = { values: raw?.values ?? [], node: { span } }
    const children: Built[] = []
    let last = start
    stored.children.forEach((child, i) => {
      const times = stored.repeated[i] === true ? reader.repeat() : 1
      for (let k = 0; k < times; k++) {
        const below = build(child, span === undefined ? undefined : me, last)
        children.push(below)
        last = below.end
      }
    })
    const end = span === undefined ? last : last + reader.tail()
    return {
      span: span === undefined ? undefined : { ...span, ...timesOf(row.start, start, end) },
      start,
      end,
      children,
    }
  }
  const spans: FinishedSpan[] = []
  const flatten = (built: Built): void => {
    if (built.span !== undefined) spans.push(built.span)
    for (const child of built.children.sort((a, b) => a.start - b.start || byId(a.span, b.span))) flatten(child)
  }
  flatten(build(row.node, undefined, 0))
  return { traceId: row.traceId, spans, late: row.late, incomplete: row.incomplete }
}

const byId = (a: FinishedSpan | undefined, b: FinishedSpan | undefined): number =>
  (a?.spanId ?? '') < (b?.spanId ?? '') ? -1 : 1

function readerOf(row: ShapeRow) {
  const at: Record<string, number> = {}
  const next = <T>(name: string, values: readonly T[]): T => {
    const index = at[name] ?? 0
    at[name] = index + 1
    const value = values[index]
    if (value === undefined) throw new ShapeError(`the row of trace ${row.traceId} has too few ${name}`)
    return value
  }
  return {
    gap: () => next('gaps', row.gaps),
    tail: () => next('tails', row.tails),
    repeat: () => next('repeats', row.repeats),
    id: () => next('ids', row.ids),
    text: () => next('texts', row.texts),
    number: (stream: keyof ShapeRow['numbers']) => next(stream, row.numbers[stream]),
  }
}

type Reader = ReturnType<typeof readerOf>

interface RawSpan {
  readonly id: string
  readonly wireKey: string
  readonly values: readonly FieldValue[]
}

function spanValues(
  { text, stored }: Layout,
  reader: Reader,
  above: Above | undefined,
  positions: CallPositions,
): RawSpan {
  const id = text.id === 'row' ? reader.id() : otherEndId(above!.node.span!.spanId)
  const wireKey = text.wireKey === 'row' ? reader.text() : { id, other: otherEndId(id), none: '' }[text.wireKey]
  const values: FieldValue[] = new Array(text.rules.length)
  for (const { field, stream, type } of stored) {
    if (stream !== 'texts') {
      const value = reader.number(stream)
      values[field] = type === 'b' ? value === 1 : value
    } else {
      const value = reader.text()
      values[field] = type === 'f' ? Number(value) : value
    }
  }
  text.rules.forEach((rule, field) => {
    if (rule.from === 'layout') values[field] = rule.value
    else if (rule.from === 'parent') values[field] = parentValue(field, text.keys, above)!
  })
  // Facts stand before attributes, so that what an attribute repeats is known by now.
  text.rules.forEach((rule, field) => {
    if (rule.from === 'fact') values[field] = values[rule.fact]!
  })
  const expected = positions.expected(values)
  if (text.rules[POSITION]!.from === 'row') values[POSITION] = (values[POSITION] as number) + expected.position
  if (text.rules[ORDINAL]!.from === 'row') values[ORDINAL] = (values[ORDINAL] as number) + expected.ordinal
  positions.seen(values)
  return { id, wireKey, values }
}

function spanOf(
  row: ShapeRow,
  { text }: Layout,
  { id, wireKey, values }: RawSpan,
  _start: number,
  above: Above | undefined,
  resources: Map<string, ServiceResource>,
): FinishedSpan {
  const attributes: Attributes = {}
  text.keys.forEach((key, i) => {
    attributes[key] = values[FACTS.length + i]!
  })
  const outside = values[18] as string
  const parentSpanId = above?.node.span?.spanId ?? (outside === '' ? undefined : outside)
  return {
    ...{ traceId: row.traceId, spanId: id, parentSpanId, parentRemote: text.parentRemote, name: text.name },
    ...{ kind: text.kind, start: [0, 0] as WallTime, end: [0, 0] as WallTime, durationNs: 0, attributes },
    status: { code: text.status, message: values[12] as string },
    links: values[17] === '' ? [] : (JSON.parse(values[17] as string) as SpanLink[]),
    resource: resourceOf(text, resources),
    link: linkOf(text.linked, values),
    sample: {
      ...{ protocol: text.protocol, pid: values[0] as number, tid: values[1] as number },
      ...{ carrier: values[2] as number, responseNs: values[3] as number, requestBytes: values[4] as number },
      ...{ responseBytes: values[5] as number, local: endpoint(values, 6), remote: endpoint(values, 8), wireKey },
      ...{ requestPosition: values[10] as number, ordinal: values[11] as number },
    },
  }
}

function linkOf(linked: boolean, values: readonly FieldValue[]): FinishedSpan['link'] {
  if (!linked) return undefined
  return {
    evidence: values[13] as EvidenceKind,
    confidence: values[14] as number,
    strengths: unpacked(values[15] as number),
    alternatives: values[16] === '' ? [] : JSON.parse(values[16] as string),
  }
}

/** One object a service, as spans have them. */
function resourceOf({ service, resource }: Layout['text'], known: Map<string, ServiceResource>): ServiceResource {
  const key = `${service}\n${JSON.stringify(resource)}`
  const found = known.get(key) ?? { service, attributes: resource }
  known.set(key, found)
  return found
}

const endpoint = (values: readonly FieldValue[], at: number): string =>
  values[at + 1] === 0 ? (values[at] as string) : `${values[at]}:${values[at + 1]}`

function timesOf(
  [seconds, nanos]: readonly [number, number],
  start: number,
  end: number,
): Pick<FinishedSpan, 'start' | 'end' | 'durationNs'> {
  const at = (offset: number): WallTime => {
    const whole = Math.floor(offset / 1e9)
    const rest = nanos + (offset - whole * 1e9)
    return rest >= 1e9 ? [seconds + whole + 1, rest - 1e9] : [seconds + whole, rest]
  }
  return { start: at(start), end: at(end), durationNs: end - start }
}
