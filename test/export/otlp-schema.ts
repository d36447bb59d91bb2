import protobuf from 'protobufjs'

/**
 * The part of the OTLP schema (opentelemetry-proto 1.x, trace.proto and what it includes) that these tests read,
 * decoded by protobufjs: nothing of it is shared with the exporters' own serialiser.
 */
const schema = `
syntax = "proto3";
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
message Resource { repeated KeyValue attributes = 1; }
message Scope { string name = 1; string version = 2; }
message Status { string message = 2; int32 code = 3; }
message Link { bytes trace_id = 1; bytes span_id = 2; repeated KeyValue attributes = 4; fixed32 flags = 6; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; fixed32 flags = 16; string name = 5; int32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
  uint32 dropped_attributes_count = 10;
  repeated Link links = 13; Status status = 15;
}
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; string schema_url = 3; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Request { repeated ResourceSpans resource_spans = 1; }
message PartialSuccess { int64 rejected_spans = 1; string error_message = 2; }
message Response { PartialSuccess partial_success = 1; }
message Duration { int64 seconds = 1; int32 nanos = 2; }
message RetryInfo { Duration retry_delay = 1; }
message Any { string type_url = 1; bytes value = 2; }
message RpcStatus { int32 code = 1; string message = 2; repeated Any details = 3; }
`
const { root } = protobuf.parse(schema, { keepCase: false })

export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly name: string
  /** As in OTLP: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly flags: number
  readonly droppedAttributesCount: number
  readonly status: { readonly code: number; readonly message: string }
  readonly attributes: Record<string, unknown>
  readonly links: readonly { traceId: string; spanId: string; attributes: Record<string, unknown> }[]
}

export interface ReceivedRequest {
  readonly resourceSpans: readonly {
    readonly resource: Record<string, unknown>
    readonly scopes: readonly { readonly name: string; readonly version: string; readonly spans: ReceivedSpan[] }[]
  }[]
}

export function decodeRequest(bytes: Uint8Array): ReceivedRequest {
  const type = root.lookupType('Request')
  return normalise(
    type.toObject(type.decode(bytes), { longs: String, defaults: true, arrays: true, oneofs: true }),
    id => Buffer.from(id as Uint8Array).toString('hex'),
  )
}

/** OTLP's JSON has the same names, ids in hex. */
export function decodeJsonRequest(text: string): ReceivedRequest {
  return normalise(JSON.parse(text), id => String(id ?? ''))
}

export function encode(type: 'Response' | 'RpcStatus' | 'RetryInfo', value: Record<string, unknown>): Buffer {
  const found = root.lookupType(type)
  return Buffer.from(found.encode(found.fromObject(value)).finish())
}

// biome-ignore lint/suspicious/noExplicitAny: what two decoders give
function normalise(request: any, id: (raw: unknown) => string): ReceivedRequest {
  return {
    // biome-ignore lint/suspicious/noExplicitAny: as above
    resourceSpans: request.resourceSpans.map((group: any) => ({
      resource: attributes(group.resource.attributes),
      // biome-ignore lint/suspicious/noExplicitAny: as above
      scopes: group.scopeSpans.map((scope: any) => ({
        name: scope.scope.name,
        version: scope.scope.version,
        // biome-ignore lint/suspicious/noExplicitAny: as above
        spans: scope.spans.map((span: any) => ({
          traceId: id(span.traceId),
          spanId: id(span.spanId),
          parentSpanId: id(span.parentSpanId),
          name: span.name,
          kind: span.kind,
          startTimeUnixNano: String(span.startTimeUnixNano),
          endTimeUnixNano: String(span.endTimeUnixNano),
          flags: span.flags,
          droppedAttributesCount: span.droppedAttributesCount,
          status: { code: span.status.code, message: span.status.message ?? '' },
          attributes: attributes(span.attributes),
          // biome-ignore lint/suspicious/noExplicitAny: as above
          links: span.links.map((link: any) => ({
            traceId: id(link.traceId),
            spanId: id(link.spanId),
            attributes: attributes(link.attributes),
          })),
        })),
      })),
    })),
  }
}

function attributes(list: readonly { key: string; value: Record<string, unknown> }[]): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const { key, value } of list) {
    out[key] =
      value['stringValue'] ??
      value['doubleValue'] ??
      value['boolValue'] ??
      (value['intValue'] === undefined ? undefined : Number(value['intValue']))
  }
  return out
}
