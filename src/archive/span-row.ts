import type { Attributes } from '../protocols/protocol.js'
import type { FinishedSpan, FinishedSpanKind, FinishedTrace, ParentLink, ServiceResource } from '../traces/span.js'
import { createTypeLists, type TypeList } from './attribute-types.js'
import { createLabelCache } from './label-cache.js'
import { RowBinaryWriter } from './row-binary.js'

/** Columns of `otel_traces` in the order in which rows are written. */
export const ROW_COLUMNS = [
  'Timestamp',
  'trace_id',
  'span_id',
  'parent_id',
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
  'wire_key',
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

const KIND_NAMES: Readonly<Record<FinishedSpanKind, string>> = {
  server: 'Server',
  client: 'Client',
  producer: 'Producer',
  consumer: 'Consumer',
  internal: 'Internal',
}
const STATUS_NAMES = { unset: 'Unset', ok: 'Ok', error: 'Error' } as const

const encodeText = (text: string): Uint8Array => {
  const writer = new RowBinaryWriter(text.length + 16)
  writer.text(text)
  return new Uint8Array(writer.bytes())
}

/** '127.0.0.1:5000' as address and port; whatever has no such end ('unix') is all address, port 0. */
const encodeEndpoint = (text: string): Uint8Array => {
  const found = /^(.*):([1-9]\d{0,4})$/s.exec(text)
  const port = found === null ? 0 : Number(found[2])
  const writer = new RowBinaryWriter(text.length + 16)
  writer.text(found === null || port > 65535 ? text : found[1]!)
  writer.uint16(port > 65535 ? 0 : port)
  return new Uint8Array(writer.bytes())
}

export interface SpanRowEncoder {
  /** Appends one row. */
  append(writer: RowBinaryWriter, trace: FinishedTrace, span: FinishedSpan): void
}

/** One row of `otel_traces` from one span. Hot: no allocation but what the caches of recurring texts need. */
export function createSpanRowEncoder(): SpanRowEncoder {
  const label = createLabelCache(encodeText)
  const endpoint = createLabelCache(encodeEndpoint)
  const types = createTypeLists(encodeText)
  const resources = new WeakMap<ServiceResource, Uint8Array>()
  const TRUE = encodeText('true')
  const FALSE = encodeText('false')

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

  const map = (writer: RowBinaryWriter, attributes: Readonly<Attributes>, from: TypeList, link: boolean): TypeList => {
    const at = writer.count()
    let count = 0
    let list = from
    for (const key in attributes) {
      const value = attributes[key]!
      count++
      writer.raw(label(key))
      if (typeof value === 'string') writer.text(value)
      else if (typeof value === 'number') {
        writer.text(String(value))
        list = types.extend(list, link ? 'N' : 'n', key)
      } else {
        writer.raw(value ? TRUE : FALSE)
        list = types.extend(list, link ? 'B' : 'b', key)
      }
    }
    writer.setCount(at, count)
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
    for (const link of links) list = map(writer, link.attributes, list, true)
    return list
  }

  return {
    append: (writer, trace, span) => {
      const { sample } = span
      writer.time(span.start[0], span.start[1])
      writer.hex(span.traceId)
      writer.hex64(span.spanId)
      writer.hex64(span.parentSpanId ?? '')
      writer.uint8(
        (span.parentRemote ? FLAG_PARENT_REMOTE : 0) |
          (trace.late ? FLAG_LATE : 0) |
          (trace.incomplete ? FLAG_INCOMPLETE : 0),
      )
      writer.raw(label(span.name))
      writer.raw(label(KIND_NAMES[span.kind]))
      writer.raw(resourceBytes(span.resource))
      writer.raw(linkColumns(writer, span, map(writer, span.attributes, types.empty, false)).bytes)
      writer.uint64(span.durationNs)
      writer.raw(label(STATUS_NAMES[span.status.code]))
      writer.text(span.status.message)
      writer.raw(label(sample.protocol))
      writer.uint32(sample.pid)
      writer.uint32(sample.tid)
      writer.uint64(sample.carrier)
      writer.uint64(sample.responseNs)
      writer.uint64(sample.requestBytes)
      writer.uint64(sample.responseBytes)
      writer.raw(endpoint(sample.local))
      writer.raw(endpoint(sample.remote))
      writer.hex64(sample.wireKey)
      writer.uint64(sample.requestPosition)
      writer.uint32(sample.ordinal)
      parentLink(writer, span.link, label)
    },
  }
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
