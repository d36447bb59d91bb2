import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Call } from '../protocols/harness.js'

/** What passed on one connection, in the order in which the proxy saw it. */
export interface RecordedConnection {
  readonly calls: readonly Call[]
  /** Both ends have closed. */
  readonly closed: boolean
}

export interface RecordingProxy {
  readonly port: number
  /** In order of their opening. */
  readonly connections: readonly RecordedConnection[]
  close(): Promise<void>
}

/** A TCP proxy on loopback that keeps every byte of both directions, for comparing real conversations with what is read. */
export async function startRecordingProxy(targetPort: number): Promise<RecordingProxy> {
  const connections: { calls: Call[]; closed: boolean }[] = []
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, client => {
    const recorded = { calls: [] as Call[], closed: false }
    connections.push(recorded)
    const upstream = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true })
    let open = 2
    const pass = (sender: Call['sender'], from: Socket, to: Socket): void => {
      sockets.add(from)
      from.setNoDelay(true)
      from.on('data', (chunk: Buffer) => {
        recorded.calls.push({ sender, bytes: new Uint8Array(chunk) })
        to.write(chunk)
      })
      from.on('end', () => {
        recorded.calls.push({ sender, bytes: new Uint8Array(0), eof: true })
        to.end()
      })
      // A reset by one end is that end's way of closing.
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        if (--open === 0) recorded.closed = true
      })
    }
    pass('client', client, upstream)
    pass('server', upstream, client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
