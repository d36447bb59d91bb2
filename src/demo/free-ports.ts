import { createServer, type Server } from 'node:net'

/** Below the range that the kernel takes client ports from, so that no connection can be in the way later. */
const LOWEST = 20_000
const HIGHEST = 32_000

function tryPort(port: number): Promise<Server | undefined> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => resolve(server))
  })
}

/**
 * TCP ports of 127.0.0.1 that nobody listens on.
 * @param seed where in the range the search begins; different runs should begin at different places
 * @throws Error when the range has too few
 */
export async function freePorts(count: number, seed: number): Promise<number[]> {
  const held: Server[] = []
  const ports: number[] = []
  const size = HIGHEST - LOWEST
  for (let step = 0; step < size && ports.length < count; step++) {
    const port = LOWEST + ((seed + step) % size)
    const server = await tryPort(port)
    if (server === undefined) continue
    held.push(server)
    ports.push(port)
  }
  await Promise.all(held.map(server => new Promise(resolve => server.close(resolve))))
  if (ports.length < count)
    throw new Error(`demo: no ${count} free ports on 127.0.0.1 between ${LOWEST} and ${HIGHEST}`)
  return ports
}
