import { Agent, type IncomingMessage, request } from 'node:http'

/** One request of a page, and what of it the log shows. */
export interface WebRequest {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const CONNECTIONS = 8

/** Asks a web server over kept connections; returns `METHOD path status bytes` for each request. */
export async function askWeb(
  port: number,
  requests: number,
  nth: (i: number) => WebRequest,
): Promise<readonly string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const lines: string[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let i = next++; i < requests; i = next++) {
      const each = nth(i)
      const { status, bytes } = await ask(agent, port, each)
      lines.push(`${each.method} ${each.path.split('?')[0]} ${status} ${bytes}`)
    }
  }
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, work))
  } finally {
    agent.destroy()
  }
  return lines
}

function ask(agent: Agent, port: number, each: WebRequest): Promise<{ status: number; bytes: number }> {
  const { method, path, body = '' } = each
  const headers = { ...each.headers, ...(body === '' ? {} : { 'content-length': Buffer.byteLength(body) }) }
  return new Promise((resolve, reject) => {
    const sent = request({ agent, host: '127.0.0.1', port, method, path, headers }, (answer: IncomingMessage) => {
      let bytes = 0
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      answer.on('end', () => resolve({ status: answer.statusCode!, bytes }))
      answer.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
