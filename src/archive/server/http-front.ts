import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { unlink } from 'node:fs/promises'
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Access, authenticate } from './access.js'
import { answer } from './answer.js'
import type { Engine } from './engine.js'
import { guardReaderSetting, guardReaderStatement } from './reader-guard.js'
import { readRequest, type ServerRequest } from './request.js'
import { errorCode, errorStatus, errorText, ServerError } from './server-error.js'
import { createSessions, type Sessions, setUpSession } from './sessions.js'

export interface FrontOptions {
  readonly engine: Engine
  /** Payloads of inserts are spooled here; emptied at start. */
  readonly payloadDirectory: string
  /** Unix socket with every right; the directory it lies in is what protects it. */
  readonly socketPath: string
  readonly tcp?: TcpOptions
}

/** A loopback port for other programs, Grafana for instance. */
export interface TcpOptions {
  /** Default '127.0.0.1'. */
  readonly host?: string
  /** 0: any free one. */
  readonly port: number
  /** User name `default`. Must be given with the right to write. */
  readonly password?: string
  /** Default 'read'. */
  readonly rights?: 'read' | 'write'
}

export interface Front {
  readonly port: number | undefined
  /** Lets running requests end for up to `graceMillis`, cancels the rest. */
  close(graceMillis: number): Promise<void>
}

/** ClickHouse's HTTP interface over an embedded engine: one session a request, payloads by file, abort by KILL. */
export async function startFront(options: FrontOptions): Promise<Front> {
  const { engine, payloadDirectory, socketPath, tcp } = options
  if (tcp?.rights === 'write' && tcp.password === undefined) {
    throw new Error('archive: a TCP port with the right to write needs a password')
  }
  rmSync(payloadDirectory, { recursive: true, force: true })
  mkdirSync(payloadDirectory, { recursive: true, mode: 0o700 })
  const sessions = createSessions(engine)
  const active = { requests: 0, payload: 0 }
  const payloadPath = (): string => join(payloadDirectory, `insert-${active.payload++}`)
  const listen = async (
    access: Access,
    address: { path: string } | { port: number; host: string },
  ): Promise<Server> => {
    const server = http.createServer({ keepAliveTimeout: 10_000 }, (request, response) => {
      active.requests++
      void handle(request, response, { access, engine, sessions, payloadPath }).finally(() => active.requests--)
    })
    server.listen(address)
    await once(server, 'listening')
    return server
  }
  rmSync(socketPath, { force: true })
  const servers = [await listen({ rights: 'write', password: undefined, tcp: false }, { path: socketPath })]
  let port: number | undefined
  if (tcp !== undefined) {
    const access: Access = { rights: tcp.rights ?? 'read', password: tcp.password, tcp: true }
    servers.push(await listen(access, { port: tcp.port, host: tcp.host ?? '127.0.0.1' }))
    port = (servers[1]!.address() as AddressInfo).port
  }
  return {
    port,
    close: async graceMillis => {
      const closed = Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
      for (const server of servers) server.closeIdleConnections()
      for (let waited = 0; active.requests > 0 && waited < graceMillis; waited += 20) {
        await new Promise(resolve => setTimeout(resolve, 20))
      }
      for (const server of servers) server.closeAllConnections()
      await closed
      sessions.close()
      await engine.close()
    },
  }
}

interface HandleContext {
  readonly access: Access
  readonly engine: Engine
  readonly sessions: Sessions
  readonly payloadPath: () => string
}

async function handle(request: IncomingMessage, response: ServerResponse, context: HandleContext): Promise<void> {
  const target = new URL(request.url ?? '/', 'http://front')
  if (target.pathname === '/ping' || target.pathname === '/replicas_status') {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=UTF-8' }).end('Ok.\n')
    return
  }
  if (target.pathname !== '/') {
    response.writeHead(404, { 'Content-Type': 'text/plain; charset=UTF-8' }).end('There is no handle here\n')
    return
  }
  const url = target.searchParams
  const given = url.get('query_id')
  const queryId = given === null || given === '' ? randomUUID() : given
  // A header must not carry what a URL may.
  response.setHeader('X-ClickHouse-Query-Id', encodeURIComponent(queryId).slice(0, 200))
  response.setHeader('X-ClickHouse-Server-Display-Name', 'ghostspan-archive')
  response.setHeader('X-ClickHouse-Timezone', 'UTC')
  try {
    authenticate(request, url, context.access)
    await serve(request, response, url, queryId, context)
  } catch (error) {
    refuse(request, response, error)
  }
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  url: URLSearchParams,
  queryId: string,
  context: HandleContext,
): Promise<void> {
  let running = false
  response.on('close', () => {
    if (running) void context.engine.cancel(queryId)
  })
  let payload: string | undefined
  let asked: ServerRequest
  try {
    asked = await readRequest(request, url, () => (payload = context.payloadPath()))
    const reader = context.access.rights === 'read'
    if (reader) {
      guardReaderStatement(asked.sql)
      for (const name of asked.settings.keys()) guardReaderSetting(name)
    } else if (/\bINTO\s+OUTFILE\b/i.test(asked.sql)) {
      throw new ServerError(164, 'READONLY', 'INTO OUTFILE is not allowed over HTTP')
    }
    if (response.destroyed) return
    // `readonly` cannot be taken back from a session, so what is read-only never shares one.
    const sessionId = reader ? null : url.get('session_id')
    const borrowed = context.sessions.borrow(sessionId)
    let failed = true
    try {
      const readonly = reader ? 1 : sessionId !== null ? 0 : readonlyOf(request, asked)
      await setUpSession(borrowed.session, { ...asked, queryId, readonly })
      running = true
      await answer({
        request,
        response,
        url,
        session: borrowed.session,
        sql: asked.sql,
        inserting: asked.payloadFile !== undefined,
        finished: () => {
          running = false
        },
      })
      failed = false
    } finally {
      running = false
      await borrowed.giveBack(failed)
    }
  } finally {
    if (payload !== undefined) await unlink(payload).catch(() => {})
  }
}

/** GET must not change anything: ClickHouse sets readonly = 2 there. */
function readonlyOf(request: IncomingMessage, asked: ServerRequest): number {
  return request.method === 'GET' ? 2 : Number(asked.settings.get('readonly') ?? 0)
}

function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  request.resume()
  if (response.headersSent) {
    response.destroy()
    return
  }
  const code = errorCode(error)
  response.writeHead(errorStatus(code), {
    'X-ClickHouse-Exception-Code': String(code),
    'Content-Type': 'text/plain; charset=UTF-8',
  })
  response.end(errorText(error))
}
