import { connect, type Socket } from 'node:net'
import { readHead } from './http-head.js'
import type { Note } from './note.js'

export interface LoadOrder {
  readonly port: number
  readonly requests: number
  /** Requests that are open at a time, each on a connection of its own. */
  readonly concurrency: number
  /** False: a new connection for each request. */
  readonly keepAlive: boolean
}

export interface LoadResult {
  /** One for each request that was answered. */
  readonly notes: readonly Note[]
  readonly failures: readonly string[]
  readonly seconds: number
}

const PATIENCE_MILLIS = 30_000

interface Lane {
  readonly socket: Socket
  position: number
  received: Buffer
  changed: () => void
  ended: boolean
}

function open(port: number): Promise<Lane> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const lane: Lane = { socket, position: 0, received: Buffer.alloc(0), changed: () => {}, ended: false }
    socket.setTimeout(PATIENCE_MILLIS, () => socket.destroy(new Error('no answer in time')))
    socket.once('connect', () => resolve(lane))
    socket.once('error', problem => {
      lane.ended = true
      lane.changed()
      reject(problem)
    })
    socket.once('close', () => {
      lane.ended = true
      lane.changed()
    })
    socket.on('data', data => {
      lane.received = Buffer.concat([lane.received, data])
      lane.changed()
    })
  })
}

/** The answer that has come, or undefined while it is not complete. */
function wholeAnswer(lane: Lane): { text: string; closes: boolean } | undefined {
  const head = readHead(lane.received)
  if (head === undefined) return undefined
  const body = lane.received.subarray(head.bytes)
  const whole = head.chunked
    ? body.toString('latin1').endsWith('0\r\n\r\n')
    : head.contentLength === undefined
      ? lane.ended
      : body.length >= head.contentLength
  if (!whole) return undefined
  const text = `${head.start}\n${body.toString('latin1')}`
  return { text, closes: head.closes || (!head.chunked && head.contentLength === undefined) }
}

async function exchange(lane: Lane, marker: string, keepAlive: boolean): Promise<{ text: string; closes: boolean }> {
  const last = keepAlive ? '' : 'Connection: close\r\n'
  const request = `GET /m/${marker} HTTP/1.1\r\nHost: load\r\n${last}\r\n`
  lane.received = Buffer.alloc(0)
  lane.socket.write(request)
  lane.position += request.length
  for (;;) {
    const answer = wholeAnswer(lane)
    if (answer !== undefined) return answer
    if (lane.ended) throw new Error('the connection ended before the answer')
    await new Promise<void>(resolve => {
      lane.changed = resolve
    })
  }
}

/** Sends all requests and notes where on which connection each of them began. */
export async function runLoad(order: LoadOrder, answered: (count: number) => void): Promise<LoadResult> {
  const notes: Note[] = []
  const failures: string[] = []
  const since = performance.now()
  let next = 0
  const work = async (): Promise<void> => {
    let lane: Lane | undefined
    while (next < order.requests) {
      const marker = `R${next++}`
      try {
        if (lane === undefined || lane.ended) lane = await open(order.port)
        const { position } = lane
        const at = Date.now()
        const { localPort, remotePort } = lane.socket
        const answer = await exchange(lane, marker, order.keepAlive)
        if (!/ 200 /.test(answer.text) || !answer.text.includes(marker)) throw new Error(answer.text.slice(0, 200))
        notes.push({ marker, from: localPort!, to: remotePort!, position, at })
        if (notes.length % 100 === 0) answered(notes.length)
        if (order.keepAlive && !answer.closes) continue
      } catch (problem) {
        failures.push(`${marker}: ${(problem as Error).message}`)
      }
      lane?.socket.destroy()
      lane = undefined
    }
    lane?.socket.destroy()
  }
  await Promise.all(Array.from({ length: order.concurrency }, work))
  return { notes, failures, seconds: (performance.now() - since) / 1000 }
}
