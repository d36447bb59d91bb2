import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { TruthRecord } from './truth.js'
import type { LoadRequest } from './workload.js'

export interface LoadOptions {
  readonly port: number
  readonly requests: readonly LoadRequest[]
  /** Connections, each kept alive and with one request at a time. */
  readonly concurrency: number
  readonly signal?: AbortSignal
  /** Told now and then how many have been answered. */
  readonly answered: (count: number) => void
}

export interface LoadResult {
  /** One for every request that was answered. */
  readonly records: readonly TruthRecord[]
  readonly failures: readonly string[]
  readonly seconds: number
}

/** How many requests lie between two words of progress. */
const TOLD_EVERY = 100

/** Bytes that had been sent on a connection when its last answer was complete: where its next request begins. */
const positions = new WeakMap<Socket, number>()

function send(agent: Agent, port: number, load: LoadRequest): Promise<TruthRecord> {
  const at = Date.now() / 1000
  const headers = {
    'x-demo-request': load.id,
    accept: 'application/json',
    ...(load.body !== undefined && {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(load.body),
    }),
  }
  return new Promise((resolve, reject) => {
    const done = (answer: IncomingMessage) => {
      const { socket } = answer
      const position = positions.get(socket) ?? 0
      const record: TruthRecord = {
        kind: 'request',
        service: 'load',
        protocol: 'http',
        name: `${load.method} ${load.path}`,
        local: socket.localPort!,
        remote: socket.remotePort!,
        position,
        at,
        request: load.id,
        status: answer.statusCode!,
      }
      answer.once('error', reject)
      answer.once('end', () => {
        positions.set(socket, socket.bytesWritten)
        resolve(record)
      })
      answer.resume()
    }
    const outgoing = httpRequest(
      { host: '127.0.0.1', port, agent, method: load.method, path: load.path, headers },
      done,
    )
    outgoing.once('error', reject)
    outgoing.end(load.body)
  })
}

/** Sends all requests, `concurrency` at a time, and notes where on which connection each of them began. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const records: TruthRecord[] = []
  const failures: string[] = []
  const since = performance.now()
  let next = 0
  const lane = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    while (next < options.requests.length && !options.signal?.aborted) {
      const load = options.requests[next++]!
      try {
        records.push(await send(agent, options.port, load))
      } catch (problem) {
        failures.push(`${load.id} ${load.method} ${load.path}: ${(problem as Error).message}`)
      }
      if (records.length % TOLD_EVERY === 0) options.answered(records.length)
    }
    agent.destroy()
  }
  await Promise.all(Array.from({ length: options.concurrency }, lane))
  return { records, failures, seconds: (performance.now() - since) / 1000 }
}
