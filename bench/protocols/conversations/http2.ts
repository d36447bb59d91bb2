import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { redactPath } from '../../../src/protocols/path-segments.js'
import { program } from '../../../test/support/requirements.js'
import { accepts, freePort, startServerProcess } from '../../../test/support/server-process.js'
import type { TsharkView } from '../../score/tshark-views.js'
import type { Conversation } from '../conversation.js'
import { readOf } from './exchange-text.js'

const run = promisify(execFile)
const nghttp = (args: readonly string[]) => run('nghttp', args)
const CLIENTS = 5
/** Asked for in this order, over and over, by each client. */
const PAGES = ['/small.txt', '/small.txt?page=2', '/large.txt', '/missing', '/small.txt?page=3']

export const http2View: TsharkView = {
  usualPort: 80,
  decodeAs: ports => ports.map(port => `tcp.port==${port},http2`),
  filter: () => 'http2.headers.method or http2.headers.status',
  fields: ['http2.headers.method', 'http2.headers.path', 'http2.headers.status'],
  theirs: rows =>
    rows.flatMap(([methods = [], paths = [], codes = []]) => [
      ...methods.map((method, i) => `${method} ${redactPath((paths[i] ?? '').split('?')[0]!)}`),
      ...codes,
    ]),
  ours: read => readOf(read, 'http2').flatMap(({ exchange: { attributes } }) => seenOf(attributes)),
}

function seenOf(attributes: Readonly<Record<string, unknown>>): string[] {
  const status = attributes['http.response.status_code']
  const request = `${attributes['http.request.method']} ${attributes['url.path']}`
  return status === undefined ? [request] : [request, String(status)]
}

async function startNghttpd(folder: string): Promise<{ port: number; stop(): Promise<void> }> {
  await writeFile(join(folder, 'small.txt'), 'small\n')
  await writeFile(join(folder, 'large.txt'), 'all work and no play\n'.repeat(100))
  const port = await freePort()
  const args = ['--no-tls', '--address=127.0.0.1', '-d', folder, String(port)]
  const { stop } = await startServerProcess({ command: 'nghttpd', args, cwd: folder, ready: () => accepts(port) })
  return { port, stop }
}

/** nghttpd and h2load, with many requests of one connection open at once. */
export const http2: Conversation = {
  name: 'http2',
  goal: 10,
  needs: [program('nghttpd'), program('h2load')],
  start: async folder => {
    const { port, stop } = await startNghttpd(folder)
    return {
      port,
      talk: async requests => {
        const log = join(folder, 'h2load.log')
        await writeFile(join(folder, 'pages'), PAGES.map(page => `http://127.0.0.1:${port}${page}\n`).join(''))
        const each = Math.ceil(requests / CLIENTS / PAGES.length) * PAGES.length
        const load = ['-n', String(each * CLIENTS), '-c', String(CLIENTS), '-m', '10', '--log-file', log]
        await run('h2load', [...load, '-i', join(folder, 'pages')])
        // Its log has the statuses, one a line; which pages it asks for is what it is told.
        const lines = (await readFile(log, 'utf8')).trimEnd().split('\n')
        const pages = lines.map((_, i) => `GET ${PAGES[i % PAGES.length]!.split('?')[0]}`)
        return [...pages, ...lines.map(line => line.split('\t')[1]!)]
      },
      stop,
    }
  },
  tshark: http2View,
  seen: http2View.ours,
}

/** What nghttp is told, one run of it after another: continuations and padding, tables that change, no table at all. */
const WAYS = [
  ['--continuation', '--padding=30'],
  ['--no-dep', '--header-table-size=0', '-H', 'x-a: b'],
  ['--header-table-size=16384', '--encoder-header-table-size=100'],
  ['-u'],
] as const

/** nghttpd and nghttp, which looks at less usual sides of the protocol; the upgrade from HTTP/1 among them. */
export const http2Ways: Conversation = {
  name: 'http2-ways',
  goal: 10,
  isMeasured: false,
  needs: [program('nghttpd'), program('nghttp')],
  start: async folder => {
    const server = await startNghttpd(folder)
    return {
      ...server,
      talk: async requests => {
        const lines: string[] = []
        for (let run = 0; run * PAGES.length < requests; run++) {
          const urls = PAGES.map(page => `http://127.0.0.1:${server.port}${page}`)
          const { stdout } = await nghttp(['-n', '-s', ...WAYS[run % WAYS.length]!, ...urls])
          // Its statistics: id, end, start, duration, status, size, path.
          for (const [, status, path] of stdout.matchAll(/^ *\d+ +\+\S+ +[*+]*\+?\S+ +\S+ +(\d{3}) +\S+ +(\S+)$/gm)) {
            lines.push(`GET ${path!.split('?')[0]}`, status!)
          }
        }
        return lines
      },
    }
  },
  tshark: http2View,
  seen: http2View.ours,
}
