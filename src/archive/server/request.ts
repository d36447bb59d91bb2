import { createWriteStream } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import zlib from 'node:zlib'
import { literal } from './engine.js'
import { ServerError } from './server-error.js'

/** URL parameters of the HTTP interface that are not settings of the query. */
const NOT_SETTINGS = new Set([
  'query',
  'database',
  'query_id',
  'session_id',
  'session_timeout',
  'session_check',
  'user',
  'password',
  'role',
  'default_format',
  'quota_key',
  'stacktrace',
  'buffer_size',
  'compress',
  'decompress',
  // What the Go client says about itself.
  'client_protocol_version',
  // Settings of a server's HTTP handler, which the engine alone does not act upon.
  'wait_end_of_query',
  'send_progress_in_http_headers',
  'http_response_buffer_size',
  'http_headers_progress_interval_ms',
  'enable_http_compression',
  'http_zlib_compression_level',
  'http_write_exception_in_output_format',
])
/** SQL text is held in memory; payloads of inserts are not. */
const LONGEST_TEXT = 16 << 20

/** A request of ClickHouse's HTTP interface, read to its end. */
export interface ServerRequest {
  sql: string
  readonly settings: Map<string, string>
  readonly parameters: Map<string, string>
  /** The payload of an INSERT lies in this file. */
  readonly payloadFile: string | undefined
  readonly database: string | undefined
}

/**
 * Reads one request. The payload of an INSERT never becomes part of the SQL text: the engine cuts inline payloads at an
 * empty line and executes the rest, so it goes to `payloadPath` and the statement gets FROM INFILE.
 */
export async function readRequest(
  request: IncomingMessage,
  url: URLSearchParams,
  payloadPath: () => string,
): Promise<ServerRequest> {
  const body = decompressed(request)
  const settings = new Map<string, string>()
  const parameters = new Map<string, string>()
  for (const [name, value] of url) {
    if (name.startsWith('param_')) parameters.set(name.slice(6), value)
    else if (!NOT_SETTINGS.has(name)) settings.set(name, value)
  }
  let sql = url.get('query') ?? ''
  let payloadFile: string | undefined
  if (/^multipart\/form-data/i.test(request.headers['content-type'] ?? '')) {
    sql = (await readForm(body, request.headers['content-type']!, parameters)) ?? sql
  } else if (sql === '') {
    sql = (await readText(body)).toString('utf8')
  } else if (request.method === 'POST') {
    const insert = insertWithPayload(sql)
    if (insert === undefined) {
      const rest = (await readText(body)).toString('utf8')
      if (rest !== '') sql += `\n${rest}`
    } else {
      payloadFile = payloadPath()
      await pipeline(body, createWriteStream(payloadFile, { mode: 0o600 }))
      sql = `${sql.slice(0, insert)} FROM INFILE ${literal(payloadFile)} COMPRESSION 'none' ${sql.slice(insert)}`
    }
  }
  const database = url.get('database') ?? request.headers['x-clickhouse-database']
  return { sql, settings, parameters, payloadFile, database: typeof database === 'string' ? database : undefined }
}

/** Where FROM INFILE goes in `INSERT INTO t (…) [SETTINGS …] FORMAT f`; undefined for anything else. */
function insertWithPayload(sql: string): number | undefined {
  if (!/^\s*INSERT\s/i.test(sql)) return undefined
  const format = /\bFORMAT\s+[A-Za-z0-9]+\s*;?\s*$/i.exec(sql)
  if (format === null) return undefined
  return /\bSETTINGS\b/i.exec(sql)?.index ?? format.index
}

function decompressed(request: IncomingMessage): Readable {
  const encoding = request.headers['content-encoding']
  const forward = <T extends NodeJS.WritableStream & Readable>(to: T): T => {
    request.once('error', error => to.destroy(error))
    request.once('aborted', () => to.destroy(new Error('the client went away')))
    return request.pipe(to)
  }
  switch (encoding) {
    case undefined:
    case '':
      return request
    case 'gzip':
      return forward(zlib.createGunzip())
    case 'br':
      return forward(zlib.createBrotliDecompress())
    case 'deflate':
      return forward(zlib.createInflate())
    default:
      throw new ServerError(89, 'UNKNOWN_COMPRESSION_METHOD', `Unknown compression method ${encoding.slice(0, 20)}`)
  }
}

async function readText(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > LONGEST_TEXT) throw new ServerError(62, 'SYNTAX_ERROR', 'Max query size exceeded')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function readForm(body: Readable, type: string, parameters: Map<string, string>): Promise<string | undefined> {
  const form = await new Response(new Uint8Array(await readText(body)), {
    headers: { 'content-type': type },
  }).formData()
  let sql: string | undefined
  for (const [name, value] of form) {
    if (typeof value !== 'string') continue
    if (name === 'query') sql = value
    else if (name.startsWith('param_')) parameters.set(name.slice(6), value)
  }
  return sql
}
