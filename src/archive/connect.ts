import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join, resolve as resolvePath } from 'node:path'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { processIdentity } from '../process-identity.js'
import { parseServerUrl } from './address.js'
import { type Archive, ArchiveError, isConnectionError } from './archive.js'
import { type EmbeddedServer, EmbeddedServerError, startEmbeddedServer } from './embedded-server.js'
import { answers, type Endpoint, ownerAlive, readEndpoint, removeEndpoint, writeEndpoint } from './endpoint.js'
import type { TcpOptions } from './server/http-front.js'

export interface ConnectOptions {
  /** A ClickHouse server: `http[s]://[user[:password]@]host[:port][/database]`. Else `dataDirectory` must be given. */
  readonly url?: string
  readonly username?: string
  readonly password?: string
  /** Default 'ghostspan'. */
  readonly database?: string
  /** Ghostspan's data directory; the embedded engine lives in `archive` below it. */
  readonly dataDirectory?: string
  /** daemon: writes, and refuses to share the directory with another daemon. reader: takes what is there. */
  readonly role: 'daemon' | 'reader'
  /** A loopback port on which the embedded engine can be read by other programs, Grafana for instance. */
  readonly listen?: TcpOptions
  readonly warn?: (message: string) => void
  /** Longest wait for a directory that its last user is about to leave. Default 30,000 ms. */
  readonly waitMillis?: number
}

/** A Unix socket's path may have 107 bytes (unix(7)). */
const LONGEST_SOCKET_PATH = 100
/** Longer than a sink waits for an insert, so that the sink decides. */
const REQUEST_MILLIS = 120_000
const FIRST_RETRY_MILLIS = 200
const LONGEST_RETRY_MILLIS = 2000

/**
 * The way to the archive: a server by URL (not contacted yet), or the engine of a daemon that runs on this data
 * directory, or an engine of our own. Throws ArchiveError, or Error for a wrong URL.
 */
export async function connectArchive(options: ConnectOptions): Promise<Archive> {
  if (options.url !== undefined) return serverArchive(options, options.url)
  if (options.dataDirectory === undefined) throw new Error('archive: neither a URL nor a data directory is given')
  const directory = join(resolvePath(options.dataDirectory), 'archive')
  if (options.role === 'reader' && !existsSync(join(directory, 'engine'))) {
    throw new ArchiveError('absent', `nothing is archived in ${options.dataDirectory} yet; \`ghostspan run\` fills it`)
  }
  const found = await open(options, directory)
  return options.role === 'daemon' ? found : reopening(options, directory, found)
}

function serverArchive(options: ConnectOptions, url: string): Archive {
  const { username, password, database } = options
  const address = parseServerUrl(url, {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
  })
  const client = createClient({
    url: address.url,
    username: address.username,
    password: address.password,
    application: 'ghostspan',
    request_timeout: REQUEST_MILLIS,
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
  })
  return {
    place: 'server',
    address: address.text,
    database: address.database,
    run: work => work(client),
    enginePid: () => undefined,
    readPort: () => undefined,
    close: () => client.close(),
  }
}

/** Over and over until the directory is ours, somebody answers who may be asked, or waiting makes no sense. */
async function open(options: ConnectOptions, directory: string): Promise<Archive> {
  const giveUp = Date.now() + (options.waitMillis ?? 30_000)
  for (let pause = FIRST_RETRY_MILLIS; ; pause = Math.min(LONGEST_RETRY_MILLIS, pause * 2)) {
    const endpoint = readEndpoint(directory)
    const owned = endpoint !== undefined && ownerAlive(endpoint)
    if (owned && options.role === 'daemon' && endpoint.role === 'daemon') throw inUse(directory, endpoint.owner.pid)
    if (owned && options.role === 'reader' && (await answers(endpoint))) {
      return socketArchive(options, directory, endpoint)
    }
    let holder = endpoint?.owner.pid
    // A daemon whose engine is just starting again must not find its directory taken by us.
    if (!(owned && endpoint.role === 'daemon')) {
      const own = await tryOwn(options, directory)
      if ('archive' in own) return own.archive
      holder = owned ? holder : own.holder
    }
    // What is waited for: a reader about to end, the orphan of a killed daemon, a daemon that is about to answer.
    if (Date.now() > giveUp) throw inUse(directory, holder)
    await new Promise(resolve => setTimeout(resolve, pause))
  }
}

async function tryOwn(
  options: ConnectOptions,
  directory: string,
): Promise<{ archive: Archive } | { holder: number | undefined }> {
  try {
    return { archive: await ownArchive(options, directory) }
  } catch (error) {
    if (!(error instanceof EmbeddedServerError)) throw error
    if (error.reason === 'locked') return { holder: error.holder }
    throw new ArchiveError(error.reason, startFailure(directory, error.message))
  }
}

function inUse(directory: string, holder: number | undefined): ArchiveError {
  const who = holder === undefined ? 'another process' : `the process ${holder}`
  return new ArchiveError(
    'locked',
    `archive: ${who} uses ${directory}; stop it, or choose another data directory`,
    holder,
  )
}

function startFailure(directory: string, message: string): string {
  return `archive: the embedded ClickHouse did not start in ${directory}: ${message}`
}

function clientOn(socketPath: string): ClickHouseClient {
  // Node's agent hands its options on to the connection, which its types do not say.
  const agent: http.AgentOptions & { socketPath: string } = { keepAlive: true, socketPath, maxSockets: 10 }
  return createClient({
    url: 'http://localhost',
    http_agent: new http.Agent(agent),
    application: 'ghostspan',
    request_timeout: REQUEST_MILLIS,
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
  })
}

function socketArchive(options: ConnectOptions, directory: string, endpoint: Endpoint): Archive {
  const client = clientOn(endpoint.socketPath)
  return {
    place: 'embedded',
    address: directory,
    database: options.database ?? 'ghostspan',
    run: work => work(client),
    enginePid: () => endpoint.enginePid,
    readPort: () => endpoint.port,
    close: () => client.close(),
  }
}

async function ownArchive(options: ConnectOptions, directory: string): Promise<Archive> {
  let socketPath = join(directory, 'run', 'clickhouse.sock')
  let temporary: string | undefined
  if (Buffer.byteLength(socketPath) > LONGEST_SOCKET_PATH) {
    temporary = mkdtempSync(join(tmpdir(), 'ghostspan-'))
    socketPath = join(temporary, 'clickhouse.sock')
  }
  const owner = processIdentity(process.pid) ?? { pid: process.pid, start: '' }
  let server: EmbeddedServer
  try {
    server = await startEmbeddedServer({
      directory,
      socketPath,
      ...(options.listen === undefined ? {} : { tcp: options.listen }),
      ...(options.warn === undefined ? {} : { warn: options.warn }),
      onReady: ({ pid, port }) =>
        writeEndpoint(directory, { socketPath, port, role: options.role, owner, enginePid: pid }),
    })
  } catch (error) {
    if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true })
    throw error
  }
  const client = clientOn(socketPath)
  return {
    place: 'embedded',
    address: directory,
    database: options.database ?? 'ghostspan',
    run: work => work(client),
    enginePid: server.pid,
    readPort: server.port,
    close: async () => {
      await client.close()
      // First the file, so that nobody new comes; those who are here may finish.
      removeEndpoint(directory, owner.pid)
      await server.stop()
      if (temporary !== undefined) rmSync(dirname(socketPath), { recursive: true, force: true })
    },
  }
}

/** Another reader's or a stopped daemon's engine goes away in mid-work: then open again, once a call. */
function reopening(options: ConnectOptions, directory: string, first: Archive): Archive {
  let current = first
  return {
    place: first.place,
    address: first.address,
    database: first.database,
    run: async work => {
      try {
        return await current.run(work)
      } catch (error) {
        if (!isConnectionError(error)) throw error
        await current.close().catch(() => {})
        current = await open(options, directory)
        return await current.run(work)
      }
    },
    enginePid: () => current.enginePid(),
    readPort: () => current.readPort(),
    close: () => current.close(),
  }
}
