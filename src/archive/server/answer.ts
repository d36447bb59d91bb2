import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import zlib from 'node:zlib'
import type { EngineResult, EngineSession } from './engine.js'
import { toNativeRevision } from './native-format.js'
import { errorText } from './server-error.js'

const READS_ROWS = /^\s*(?:\/\*[\s\S]*?\*\/\s*|--[^\n]*\n\s*)*(?:SELECT|WITH|\()/i

export interface AnswerOptions {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URLSearchParams
  readonly session: EngineSession
  readonly sql: string
  readonly inserting: boolean
  /** Called when the engine has finished with the statement: nothing is left to cancel. */
  readonly finished: () => void
}

/** Runs one statement and writes its result as ClickHouse's HTTP interface does. Throws while nothing is written yet. */
export async function answer(options: AnswerOptions): Promise<void> {
  const { request, response, url, session, sql } = options
  const format = formatOf(sql, request, url)
  const tag = randomBytes(8).toString('hex')
  let out: Writable | undefined
  const begin = (): Writable => (out ??= beginBody(request, response, url, format, tag))
  const modern = format === 'Native' && Number(url.get('client_protocol_version')) >= 54454
  if (modern && /^\s*(?:SELECT|DESC)/i.test(sql)) {
    const result = await session.queryAsync(sql, { format })
    options.finished()
    begin().end(toNativeRevision(result.bytes()))
  } else if (READS_ROWS.test(sql)) {
    const failed = await stream(session, sql, format, begin, response)
    options.finished()
    // Of a stream that failed half-way only the framing that clients know can tell (servers since 25.11).
    if (failed === undefined) begin().end()
    else begin().end(exceptionFrame(failed, tag))
  } else {
    const result = await session.queryAsync(sql, { format })
    options.finished()
    response.setHeader('X-ClickHouse-Summary', summary(result, options.inserting))
    begin().end(Buffer.from(result.bytes()))
  }
}

/** Streams blocks with back-pressure. Throws on an error before the first block, returns one that came later. */
async function stream(
  session: EngineSession,
  sql: string,
  format: string,
  begin: () => Writable,
  response: ServerResponse,
): Promise<unknown> {
  let started = false
  try {
    for await (const chunk of session.queryStream(sql, { format })) {
      const out = begin()
      started = true
      if (!out.write(chunk.raw())) await drained(out, response)
      if (response.destroyed) return undefined
    }
  } catch (error) {
    if (!started) throw error
    return error
  }
  // An empty result has no block; its header and footer come from a plain query.
  if (!started) begin().write((await session.queryAsync(sql, { format })).bytes())
  return undefined
}

function drained(out: Writable, response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      out.off('drain', done)
      response.off('close', done)
      resolve()
    }
    out.on('drain', done)
    response.on('close', done)
  })
}

function beginBody(
  request: IncomingMessage,
  response: ServerResponse,
  url: URLSearchParams,
  format: string,
  tag: string,
): Writable {
  response.setHeader('X-ClickHouse-Format', format)
  response.setHeader('X-ClickHouse-Exception-Tag', tag)
  response.setHeader('Content-Type', contentType(format))
  if (url.get('enable_http_compression') !== '1') return response
  if (!/\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))) return response
  response.setHeader('Content-Encoding', 'gzip')
  const gzip = zlib.createGzip({ level: 3 })
  gzip.pipe(response)
  return gzip
}

function exceptionFrame(error: unknown, tag: string): Buffer {
  const message = Buffer.from(errorText(error))
  return Buffer.concat([
    Buffer.from(`\r\n__exception__\r\n${tag}\r\n`),
    message,
    Buffer.from(`${message.length} ${tag}\r\n__exception__\r\n`),
  ])
}

function formatOf(sql: string, request: IncomingMessage, url: URLSearchParams): string {
  const named = /\bFORMAT\s+([A-Za-z0-9]+)\s*;?\s*$/i.exec(sql)?.[1]
  const asked = request.headers['x-clickhouse-format']
  return named ?? (typeof asked === 'string' ? asked : undefined) ?? url.get('default_format') ?? 'TabSeparated'
}

function contentType(format: string): string {
  if (/^JSON(?:Compact)?EachRow/.test(format)) return 'application/x-ndjson; charset=UTF-8'
  if (/^JSON/.test(format)) return 'application/json; charset=UTF-8'
  if (/^CSV/.test(format)) return 'text/csv; charset=UTF-8; header=absent'
  if (/^(?:TSV|TabSep)/.test(format)) return 'text/tab-separated-values; charset=UTF-8'
  return 'application/octet-stream'
}

function summary(result: EngineResult, inserting: boolean): string {
  return JSON.stringify({
    read_rows: String(result.rowsRead),
    read_bytes: String(result.bytesRead),
    written_rows: String(inserting ? result.rowsRead : 0),
    written_bytes: '0',
    total_rows_to_read: '0',
    result_rows: '0',
    result_bytes: '0',
    elapsed_ns: String(Math.round(result.elapsed * 1e9)),
  })
}
