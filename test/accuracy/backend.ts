import { createServer, type Socket } from 'node:net'
import { readHead } from './http-head.js'
import { isBackground, markerOf, type Note } from './note.js'

export interface Backend {
  readonly port: number
  /** One for each request so far. */
  readonly notes: readonly Note[]
  /** How many of them were calls for a request. */
  readonly calls: number
}

/**
 * What all services call: answers any HTTP request after up to `delayMillis`, and notes where it came from.
 * @param random from 0 to 1
 */
export async function startBackend(port: number, delayMillis: number, random: () => number): Promise<Backend> {
  const notes: Note[] = []
  let calls = 0
  const keep = (note: Note): void => {
    notes.push(note)
    if (!isBackground(note.marker)) calls++
  }
  const server = createServer({ noDelay: true }, socket => serve(socket, keep, () => random() * delayMillis))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host: '127.0.0.1', backlog: 2_048 }, resolve)
  })
  return {
    port,
    notes,
    get calls() {
      return calls
    },
  }
}

function serve(socket: Socket, keep: (note: Note) => void, delay: () => number): void {
  const { remotePort, localPort } = socket
  let waiting = Buffer.alloc(0)
  let position = 0
  socket.on('error', () => socket.destroy())
  socket.on('data', data => {
    waiting = waiting.length === 0 ? data : Buffer.concat([waiting, data])
    for (let head = readHead(waiting); head !== undefined; head = readHead(waiting)) {
      const bytes = head.bytes + (head.contentLength ?? 0)
      if (waiting.length < bytes) return
      const marker = markerOf(head.start.split(' ')[1] ?? '')
      keep({ marker, from: remotePort!, to: localPort!, position, at: Date.now() })
      waiting = waiting.subarray(bytes)
      position += bytes
      const { closes } = head
      setTimeout(() => answer(socket, marker, closes), delay())
    }
  })
}

function answer(socket: Socket, marker: string, closes: boolean): void {
  if (socket.destroyed) return
  const body = JSON.stringify({ m: marker })
  const last = closes ? 'Connection: close\r\n' : ''
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${last}Content-Length: ${body.length}\r\n\r\n`
  socket.write(head + body)
  if (closes) socket.end()
}
