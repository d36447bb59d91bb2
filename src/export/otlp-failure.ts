import { GRPC_STATUS_NAMES } from '../protocols/grpc-status-names.js'
/**
 * What to do about a request that failed.
 * retry: the receiver may take it later; `afterMillis` if it said when. tooLarge: it may take two halves.
 * refused: it will never take it.
 */
export type OtlpFailure =
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMillis: number | undefined }
  | { readonly kind: 'tooLarge'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string }

/** OTLP specification, "OTLP/gRPC Response", failures: these may be retried. */
const retryable = new Set(['CANCELLED', 'DEADLINE_EXCEEDED', 'ABORTED', 'OUT_OF_RANGE', 'UNAVAILABLE', 'DATA_LOSS'])

interface GrpcError {
  readonly code: number
  readonly details?: string
  readonly metadata?: { get(name: string): readonly (string | Uint8Array)[] }
}

/** A failed call's error, as @grpc/grpc-js gives it. */
export function grpcFailure(error: unknown): OtlpFailure {
  const { code, details = '', metadata } = error as GrpcError
  // Anything without a code happened before the call: a name that does not resolve, a file that is no certificate.
  if (typeof code !== 'number') return { kind: 'retry', reason: messageOf(error), afterMillis: undefined }
  const name = GRPC_STATUS_NAMES[code] ?? `status ${code}`
  // The note is about names that resolve to nothing, and is empty otherwise.
  const reason = `${name}: ${details.replace(/ Resolution note: $/, '')}`
  const detail = metadata?.get('grpc-status-details-bin')[0]
  const afterMillis = detail instanceof Uint8Array ? retryDelayMillis(detail) : undefined
  if (name === 'RESOURCE_EXHAUSTED') {
    if (afterMillis !== undefined) return { kind: 'retry', reason, afterMillis }
    // No code of its own for it: grpc-go says "received message larger than max", grpc-js "Received message larger…".
    return { kind: /larger than max/i.test(details) ? 'tooLarge' : 'refused', reason }
  }
  return retryable.has(name) ? { kind: 'retry', reason, afterMillis } : { kind: 'refused', reason }
}

/**
 * A failed request's error, as the exporters over HTTP give it: those that may be retried have no status code (they
 * were retried in the exporter already, within one attempt's time).
 */
export function httpFailure(error: unknown, afterMillis: number | undefined): OtlpFailure {
  const { code, data } = error as { code?: unknown; data?: unknown }
  const said = typeof data === 'string' && data !== '' ? `: ${data.slice(0, 200)}` : ''
  if (typeof code !== 'number') return { kind: 'retry', reason: messageOf(error), afterMillis }
  const reason = `HTTP ${code} ${messageOf(error)}${said}`
  const tooLarge = code === 413 || (code === 400 && /too large/i.test(said))
  return { kind: tooLarge ? 'tooLarge' : 'refused', reason }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Several addresses of one name that all failed: Node.js puts each into `errors` and leaves the message empty.
  if (error.message === '' && error instanceof AggregateError) return error.errors.map(messageOf).join(', ')
  return error.message === '' ? error.name : error.message
}

/**
 * The delay of a google.rpc.RetryInfo inside a serialised google.rpc.Status, in ms; undefined if there is none or it
 * cannot be read. Status { details = 3: Any { type_url = 1, value = 2: RetryInfo { retry_delay = 1: Duration
 * { seconds = 1, nanos = 2 } } } }.
 */
export function retryDelayMillis(status: Uint8Array): number | undefined {
  for (const detail of readFields(status)) {
    if (detail.number !== 3) continue
    const any = readFields(detail.bytes)
    const type = any.find(field => field.number === 1)
    const value = any.find(field => field.number === 2)
    if (type === undefined || value === undefined) continue
    if (!Buffer.from(type.bytes).toString('latin1').endsWith('/google.rpc.RetryInfo')) continue
    const delay = readFields(value.bytes).find(field => field.number === 1)
    if (delay === undefined) return undefined
    let millis = 0
    for (const part of readFields(delay.bytes)) {
      if (part.number === 1) millis += part.value * 1_000
      if (part.number === 2) millis += part.value / 1e6
    }
    return millis
  }
  return undefined
}

interface WireField {
  readonly number: number
  /** Of a varint; 0 for others. */
  readonly value: number
  /** Of a length-delimited field; empty for others. */
  readonly bytes: Uint8Array
}

const noBytes = new Uint8Array(0)

/** The fields of a protobuf message, as far as it can be read. */
function readFields(message: Uint8Array): WireField[] {
  const fields: WireField[] = []
  let at = 0
  const varint = (): number => {
    let value = 0
    let scale = 1
    while (at < message.length) {
      const byte = message[at++]!
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
    return Number.NaN
  }
  while (at < message.length) {
    const tag = varint()
    const number = Math.floor(tag / 8)
    const wire = tag % 8
    if (wire === 0) fields.push({ number, value: varint(), bytes: noBytes })
    else if (wire === 1) at += 8
    else if (wire === 5) at += 4
    else if (wire === 2) {
      const length = varint()
      if (!(at + length <= message.length)) return fields
      fields.push({ number, value: 0, bytes: message.subarray(at, at + length) })
      at += length
    } else return fields
  }
  return fields
}
