import type { Attributes } from '../protocols/protocol.js'
import { hex64 } from '../samples/wire-key.js'
import { SERVER_HIGH, SERVER_LOW } from '../traces/ids.js'
import type { FinishedSpan, FinishedSpanKind, FinishedTrace, ParentLink, ServiceResource } from '../traces/span.js'
import { createTypeLists, type TypeList, type TypeMark } from './attribute-types.js'
import { createLabelCache } from './label-cache.js'
import { hexDigit, RowBinaryWriter } from './row-binary.js'

/** Columns of `otel_traces` in the order in which rows are written. */
export const ROW_COLUMNS = [
  'Timestamp',
  'trace_key',
  'span_key',
  'parent_key',
  'flags',
  'SpanName',
  'SpanKind',
  'ServiceName',
  'resource',
  'SpanAttributes',
  'Links.TraceId',
  'Links.SpanId',
  'Links.TraceState',
  'Links.Attributes',
  'attribute_types',
  'Duration',
  'StatusCode',
  'StatusMessage',
  'protocol',
  'pid',
  'tid',
  'carrier',
  'response_ns',
  'request_bytes',
  'response_bytes',
  'local_address',
  'local_port',
  'remote_address',
  'remote_port',
  'other_wire_key',
  'request_position',
  'ordinal',
  'link_evidence',
  'confidence',
  'evidence',
  'alternatives.span_id',
  'alternatives.confidence',
]

export const FLAG_PARENT_REMOTE = 1
export const FLAG_LATE = 2
export const FLAG_INCOMPLETE = 4
/** The span's id is its wire key (client), or what a server's id is made of it: then the key is not stored again. */
const FLAG_KEY_IS_ID = 8
const FLAG_KEY_IS_CLIENT_ID = 16
const SERVER_MASK = hex64(SERVER_HIGH, SERVER_LOW)

const encodeText = (text: string): Uint8Array => {
  const writer = new RowBinaryWriter(text.length + 16)
  writer.text(text)
  return new Uint8Array(writer.bytes())
}

const KINDS: Readonly<Record<FinishedSpanKind, Uint8Array>> = {
  server: encodeText('Server'),
  client: encodeText('Client'),
  producer: encodeText('Producer'),
  consumer: encodeText('Consumer'),
  internal: encodeText('Internal'),
}
const STATUSES = { unset: encodeText('Unset'), ok: encodeText('Ok'), error: encodeText('Error') } as const
const TRUE = encodeText('true')
const FALSE = encodeText('false')

export interface SpanRowEncoder {
  /** Appends one row. */
  append(writer: RowBinaryWriter, trace: FinishedTrace, span: FinishedSpan): void
}

/**
 * What the last span of an operation and kind had as attributes. Spans of one operation nearly always have the same
 * keys in the same order, so that comparing a key with the expected one replaces looking it up.
 */
interface Shape {
  readonly keys: string[]
  readonly bytes: Uint8Array[]
  /** Which list of typed keys became which at this key; undefined: the value is a text. */
  readonly before: (TypeList | undefined)[]
  readonly marks: (TypeMark | undefined)[]
  readonly after: (TypeList | undefined)[]
}

interface Operation {
  readonly name: Uint8Array
  readonly shapes: Readonly<Record<FinishedSpanKind, Shape>>
}

const emptyShape = (): Shape => ({ keys: [], bytes: [], before: [], marks: [], after: [] })

const encodeOperation = (name: string): Operation => ({
  name: encodeText(name),
  shapes: {
    server: emptyShape(),
    client: emptyShape(),
    producer: emptyShape(),
    consumer: emptyShape(),
    internal: emptyShape(),
  },
})

/** One row of `otel_traces` from one span. Hot: no allocation but what the caches of recurring texts need. */
export function createSpanRowEncoder(): SpanRowEncoder {
  const label = createLabelCache(encodeText)
  const operation = createLabelCache(encodeOperation, 5000)
  const types = createTypeLists(encodeText)
  const resources = new WeakMap<ServiceResource, Uint8Array>()
  const linkShape = emptyShape()

  const resourceBytes = (resource: ServiceResource): Uint8Array => {
    let bytes = resources.get(resource)
    if (bytes === undefined) {
      bytes = new Uint8Array(
        Buffer.concat([encodeText(resource.service), encodeText(JSON.stringify(resource.attributes))]),
      )
      resources.set(resource, bytes)
    }
    return bytes
  }

  const extend = (shape: Shape, index: number, from: TypeList, mark: TypeMark): TypeList => {
    if (shape.before[index] === from && shape.marks[index] === mark) return shape.after[index]!
    const list = types.extend(from, mark, shape.keys[index]!)
    shape.before[index] = from
    shape.marks[index] = mark
    shape.after[index] = list
    return list
  }

  const map = (writer: RowBinaryWriter, attributes: Readonly<Attributes>, shape: Shape, from: TypeList): TypeList => {
    const at = writer.count()
    const link = shape === linkShape
    let index = 0
    let list = from
    for (const key in attributes) {
      const value = attributes[key]!
      if (shape.keys[index] !== key) {
        shape.keys[index] = key
        shape.bytes[index] = label(key)
        shape.before[index] = undefined
      }
      writer.raw(shape.bytes[index]!)
      if (typeof value === 'string') writer.text(value)
      else if (typeof value === 'number') {
        writer.numberText(value)
        list = extend(shape, index, list, link ? 'N' : 'n')
      } else {
        writer.raw(value ? TRUE : FALSE)
        list = extend(shape, index, list, link ? 'B' : 'b')
      }
      index++
    }
    writer.setCount(at, index)
    return list
  }

  const linkColumns = (writer: RowBinaryWriter, span: FinishedSpan, from: TypeList): TypeList => {
    const { links } = span
    if (links.length === 0) {
      writer.uint32(0)
      return from
    }
    let list = from
    writer.varint(links.length)
    for (const link of links) writer.text(link.traceId)
    writer.varint(links.length)
    for (const link of links) writer.text(link.spanId)
    writer.varint(links.length)
    for (let i = 0; i < links.length; i++) writer.uint8(0)
    writer.varint(links.length)
    for (const link of links) list = map(writer, link.attributes, linkShape, list)
    return list
  }

  return {
    append: (writer, trace, span) => {
      const { sample } = span
      writer.time(span.start[0], span.start[1])
      writer.hex(span.traceId)
      writer.hex64(span.spanId)
      writer.hex64(span.parentSpanId ?? '')
      const key = keyFlag(span)
      writer.uint8(
        key |
          (span.parentRemote ? FLAG_PARENT_REMOTE : 0) |
          (trace.late ? FLAG_LATE : 0) |
          (trace.incomplete ? FLAG_INCOMPLETE : 0),
      )
      const { name, shapes } = operation(span.name)
      writer.raw(name)
      writer.raw(KINDS[span.kind])
      writer.raw(resourceBytes(span.resource))
      writer.raw(linkColumns(writer, span, map(writer, span.attributes, shapes[span.kind], types.empty)).bytes)
      writer.uint64(span.durationNs)
      writer.raw(STATUSES[span.status.code])
      writer.text(span.status.message)
      writer.raw(label(sample.protocol))
      writer.uint32(sample.pid)
      writer.uint32(sample.tid)
      writer.uint64(sample.carrier)
      writer.uint64(sample.responseNs)
      writer.uint64(sample.requestBytes)
      writer.uint64(sample.responseBytes)
      writer.endpoint(sample.local)
      writer.endpoint(sample.remote)
      writer.hex64(key === 0 ? sample.wireKey : '')
      writer.uint64(sample.requestPosition)
      writer.uint32(sample.ordinal)
      parentLink(writer, span.link, label)
    },
  }
}

/** Which flag gives the wire key from the span's id; 0 where it has to be stored. */
function keyFlag({ spanId, sample: { wireKey } }: FinishedSpan): number {
  if (wireKey.length !== 16 || spanId.length !== 16) return 0
  if (wireKey === spanId) return FLAG_KEY_IS_ID
  for (let i = 0; i < 16; i++) {
    const mixed = hexDigit(wireKey.charCodeAt(i)) ^ hexDigit(SERVER_MASK.charCodeAt(i))
    if (mixed !== hexDigit(spanId.charCodeAt(i))) return 0
  }
  return FLAG_KEY_IS_CLIENT_ID
}

function parentLink(writer: RowBinaryWriter, link: ParentLink | undefined, label: (text: string) => Uint8Array): void {
  if (link === undefined) {
    writer.uint8(0)
    writer.uint32(0)
    writer.uint32(0)
    writer.uint16(0)
    return
  }
  const { strengths, alternatives } = link
  writer.raw(label(link.evidence))
  writer.float32(link.confidence)
  writer.uint8(eighth(strengths.wire))
  writer.uint8(eighth(strengths.context))
  writer.uint8(eighth(strengths.content))
  writer.uint8(eighth(strengths.time))
  writer.varint(alternatives.length)
  for (const other of alternatives) writer.hex64(other.spanId)
  writer.varint(alternatives.length)
  for (const other of alternatives) writer.float32(other.confidence)
}

/** A strength from 0 to 1 in eight bits. */
const eighth = (strength: number): number => Math.round(Math.min(1, Math.max(0, strength)) * 255)
