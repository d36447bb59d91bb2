import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { OsprofilerError } from './osprofiler-error.js'

const LONGEST_MILLIS = 10_000
/** A trace of a hundred thousand spans has some 130 MB of points. */
const MOST_BYTES = 512 * 1024 * 1024

/** Points of a trace as OSProfiler's Redis driver keeps them: the list `osprofiler_opt:<base id>`, JSON each. */
export async function readFromRedis(connection: string, id: string): Promise<unknown[]> {
  const url = new URL(connection)
  const commands: string[][] = []
  const password = decodeURIComponent(url.password)
  if (password !== '') {
    const user = decodeURIComponent(url.username)
    commands.push(user === '' ? ['AUTH', password] : ['AUTH', user, password])
  }
  const database = url.pathname.slice(1)
  if (database !== '' && database !== '0') commands.push(['SELECT', database])
  const place = `${url.hostname}:${url.port || '6379'}`
  // Older releases wrote a key for each point instead of a list.
  const replies = await ask(url, [...commands, ['LRANGE', `osprofiler_opt:${id}`, '0', '-1']]).catch(error => {
    throw new OsprofilerError(`Redis at ${place} does not answer: ${(error as Error).message}`, { cause: error })
  })
  const failed = replies.find(reply => reply instanceof Error)
  if (failed instanceof Error) throw new OsprofilerError(`Redis at ${place} says: ${failed.message}`)
  const list = replies.at(-1)
  return Array.isArray(list) ? list.map(item => (typeof item === 'string' ? parse(item) : undefined)) : []
}

function parse(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    return undefined
  }
}

type Reply = string | number | null | Error | readonly Reply[]

function ask(url: URL, commands: readonly (readonly string[])[]): Promise<Reply[]> {
  return new Promise((resolve, reject) => {
    const options = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 6379) }
    const socket = url.protocol === 'rediss:' ? connectTls(options) : connect(options)
    const pieces: Buffer[] = []
    let bytes = 0
    let tried = 0
    const finish = (error: Error | undefined, replies: Reply[] = []): void => {
      socket.destroy()
      if (error === undefined) resolve(replies)
      else reject(error)
    }
    socket.setTimeout(LONGEST_MILLIS, () => finish(new Error(`no answer within ${LONGEST_MILLIS / 1000} s`)))
    socket.on('error', finish)
    socket.on('close', () => finish(new Error('it closed the connection')))
    socket.on('data', piece => {
      pieces.push(piece)
      bytes += piece.length
      if (bytes > MOST_BYTES) finish(new Error(`more than ${MOST_BYTES} bytes`))
      // Reading from the start at each doubling keeps the work linear.
      else if (bytes >= tried * 2 || piece.length < 65_536) {
        tried = bytes
        const replies = readReplies(Buffer.concat(pieces), commands.length)
        if (replies !== undefined) finish(undefined, replies)
      }
    })
    for (const words of commands) {
      const parts = words.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
      socket.write(`*${words.length}\r\n${parts.join('')}`)
    }
  })
}

/** RESP 2 (https://redis.io/docs/latest/develop/reference/protocol-spec/); undefined while something is missing. */
export function readReplies(data: Buffer, count: number): Reply[] | undefined {
  let at = 0
  const one = (): Reply | undefined => {
    const end = data.indexOf('\r\n', at)
    if (end === -1) return undefined
    const type = data[at]
    const line = data.toString('utf8', at + 1, end)
    at = end + 2
    switch (type) {
      case 0x2b:
        return line
      case 0x2d:
        return new Error(line)
      case 0x3a:
        return Number(line)
      case 0x24: {
        const length = Number(line)
        if (length < 0) return null
        if (data.length < at + length + 2) return undefined
        const value = data.toString('utf8', at, at + length)
        at += length + 2
        return value
      }
      case 0x2a: {
        const items: Reply[] = []
        for (let left = Number(line); left > 0; left--) {
          const item = one()
          if (item === undefined) return undefined
          items.push(item)
        }
        return items
      }
      default:
        return new Error(`it does not speak Redis' protocol: ${line.slice(0, 60)}`)
    }
  }
  const replies: Reply[] = []
  while (replies.length < count) {
    const reply = one()
    if (reply === undefined) return undefined
    replies.push(reply)
  }
  return replies
}
