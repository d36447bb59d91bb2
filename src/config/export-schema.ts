import { z } from 'zod'
import { httpUrl, wholeNumber } from './value-schemas.js'

/**
 * The part of OpenTelemetry's declarative configuration 1.1 that says where spans go. Names, units (milliseconds) and
 * defaults are the standard's; only what Ghostspan acts on is here, everything else is an error.
 */
const header = z.strictObject({
  name: z.string({ error: 'must be the name of a header' }).min(1, { error: 'must not be empty' }),
  value: z.string({ error: 'must be a text (quote numbers)' }),
})

const grpcEndpoint = z
  .string({ error: 'must be a URL such as http://localhost:4317, or host:port' })
  .refine(text => (text.includes('://') ? httpUrl.safeParse(text).success : /^[^\s/]+:\d{1,5}$/.test(text)), {
    error: 'must be a URL such as http://localhost:4317, or host:port',
  })
  .meta({ title: 'http(s) URL or host:port' })

const file = z.string({ error: 'must be the path of a PEM file' }).min(1, { error: 'must not be empty' })
const certificates = {
  ca_file: file.describe("Certificate to check the server's with.").optional(),
  key_file: file.describe('Private key of the client certificate; needs cert_file.').optional(),
  cert_file: file.describe('Client certificate; needs key_file.').optional(),
}

const bothOrNeither = (tls: { key_file?: string | undefined; cert_file?: string | undefined }): boolean =>
  (tls.key_file === undefined) === (tls.cert_file === undefined)
const bothOrNeitherError = { error: 'key_file and cert_file must be given together' }

const common = {
  headers: z.array(header).describe('Headers of every export; they win over headers_list.').optional(),
  headers_list: z
    .string({ error: 'must be a list such as name1=value1,name2=value2' })
    .refine(text => parsePairs(text) !== undefined, {
      error: 'must be a list such as name1=value1,name2=value2 (values percent-encoded)',
    })
    .describe('Headers as a list: name1=value1,name2=value2, values percent-encoded.')
    .optional(),
  compression: z.enum(['none', 'gzip']).default('none').describe('Compression of exports.'),
  timeout: wholeNumber(0, 3_600_000).default(10_000).describe('Longest wait for one attempt, ms; 0: no limit.'),
}

/** Pairs of a list in the form of `OTEL_EXPORTER_OTLP_HEADERS`; undefined when it is not such a list. */
export function parsePairs(text: string): Record<string, string> | undefined {
  const headers: Record<string, string> = {}
  for (const part of text.split(',')) {
    if (part.trim() === '') continue
    const equals = part.indexOf('=')
    if (equals < 1) return undefined
    try {
      headers[part.slice(0, equals).trim()] = decodeURIComponent(part.slice(equals + 1).trim())
    } catch {
      return undefined
    }
  }
  return headers
}

const otlpGrpc = z.strictObject({
  endpoint: grpcEndpoint.default('http://localhost:4317').describe('Where the receiver listens.'),
  tls: z
    .strictObject({
      ...certificates,
      insecure: z
        .boolean({ error: 'must be true or false' })
        .default(false)
        .describe('No TLS; counts only for an endpoint without http:// or https://.'),
    })
    .refine(bothOrNeither, bothOrNeitherError)
    .describe('TLS of the connection.')
    .optional(),
  ...common,
})

const otlpHttp = z.strictObject({
  endpoint: httpUrl.default('http://localhost:4318/v1/traces').describe('URL of the receiver, path included.'),
  tls: z
    .strictObject(certificates)
    .refine(bothOrNeither, bothOrNeitherError)
    .describe('TLS of the connection.')
    .optional(),
  encoding: z.enum(['protobuf', 'json']).default('protobuf').describe('Form of the messages.'),
  ...common,
})

const exporter = z
  .strictObject({
    otlp_grpc: otlpGrpc.describe('OTLP over gRPC.').optional(),
    otlp_http: otlpHttp.describe('OTLP over HTTP.').optional(),
    console: z.strictObject({}).describe('Trees of spans on standard output.').optional(),
  })
  .refine(value => Object.values(value).filter(one => one !== undefined).length === 1, {
    error: 'must have exactly one of: otlp_grpc, otlp_http, console',
  })

const batch = z
  .strictObject({
    schedule_delay: wholeNumber(0, 3_600_000).default(1_000).describe('Longest wait for a batch to fill, ms.'),
    export_timeout: wholeNumber(0, 3_600_000)
      .default(300_000)
      .describe('A batch that has failed for so long is given up, counted, ms; 0: no limit.'),
    max_queue_size: wholeNumber(1, 10_000_000)
      .default(65_536)
      .describe('Most spans that wait; then the oldest traces are dropped, counted.'),
    max_export_batch_size: wholeNumber(1, 1_000_000).default(2_048).describe('Most spans in one export.'),
    exporter,
  })
  .refine(value => value.max_export_batch_size <= value.max_queue_size, {
    path: ['max_export_batch_size'],
    error: 'must not be above max_queue_size',
  })

export const tracerProvider = z.strictObject({
  processors: z
    .array(z.strictObject({ batch: batch.describe('Collects spans and exports them together.') }), {
      error: 'must be a list of processors, such as - batch: {exporter: {otlp_grpc: {}}}',
    })
    .describe('Where finished spans go; an empty list sends them nowhere.'),
})

export const attributeLimits = z.strictObject({
  attribute_value_length_limit: wholeNumber(0, 1_000_000)
    .default(4_096)
    .describe('Longest text of a span attribute, characters; longer ones are cut.'),
  attribute_count_limit: wholeNumber(1, 1_000).default(128).describe('Most attributes of a span.'),
})

export const resource = z.strictObject({
  attributes: z
    .array(
      z.strictObject({
        name: z.string({ error: 'must be the name of an attribute' }).min(1, { error: 'must not be empty' }),
        value: z.union([z.string(), z.number(), z.boolean()], { error: 'must be a text, a number, true or false' }),
      }),
    )
    .describe('Attributes added to the resource of every observed service; they win over attributes_list.')
    .optional(),
  attributes_list: z
    .string({ error: 'must be a list such as key1=value1,key2=value2' })
    .refine(text => parsePairs(text) !== undefined, {
      error: 'must be a list such as key1=value1,key2=value2 (values percent-encoded)',
    })
    .describe('The same as a list: key1=value1,key2=value2, values percent-encoded.')
    .optional(),
})
