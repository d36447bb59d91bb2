import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { http } from '../../src/protocols/http/index.js'
import { createRouteTemplates } from '../../src/protocols/learned-route-templates.js'
import { type RecordingProxy, startRecordingProxy } from '../support/recording-proxy.js'
import { program, requires } from '../support/requirements.js'
import { accepts, freePort, startServerProcess } from '../support/server-process.js'
import { drive, type Observation } from './harness.js'

const run = promisify(execFile)

/** What curl says of a transfer, in the words of the module. */
interface Transfer {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly sent: number
  readonly received: number
}

async function startServer(t: TestContext, port: number, command: string, args: string[]): Promise<RecordingProxy> {
  const server = await startServerProcess({ command, args, cwd: tmpdir(), ready: () => accepts(port) })
  t.after(() => server.stop())
  const proxy = await startRecordingProxy(port)
  t.after(() => proxy.close())
  return proxy
}

/** One run of curl over `urls` on one connection if the server lets it; its own account of each transfer. */
async function curl(port: number, paths: readonly string[], ...options: string[]): Promise<Transfer[]> {
  const account = '%{method} %{url_effective} %{http_code} %{size_upload} %{size_download}\\n'
  const outputs = paths.flatMap(() => ['-o', '/dev/null'])
  const urls = paths.map(path => `http://127.0.0.1:${port}${path}`)
  const { stdout } = await run('curl', ['-s', '-m', '60', '-w', account, ...outputs, ...options, ...urls])
  return stdout
    .trim()
    .split('\n')
    .map(line => {
      const [method, url, status, sent, received] = line.split(' ')
      return {
        method: method!,
        path: new URL(url!).pathname,
        status: Number(status),
        sent: Number(sent),
        received: Number(received),
      }
    })
}

const asTransfer = ({ exchange }: Observation): Transfer => ({
  method: String(exchange.attributes['http.request.method']),
  path: String(exchange.attributes['url.path']),
  status: Number(exchange.attributes['http.response.status_code']),
  sent: exchange.requestBodyBytes ?? Number.NaN,
  received: exchange.responseBodyBytes ?? Number.NaN,
})
const inOrder = (transfers: readonly Transfer[]): string[] => transfers.map(t => JSON.stringify(t)).sort()

function checkAgainst(seen: readonly Transfer[], { connections }: RecordingProxy): void {
  const whole = connections.flatMap(({ calls }) => drive(http, calls, { routes: createRouteTemplates() }).observations)
  assert.ok(whole.every(({ exchange, abandoned }) => !exchange.truncated && !abandoned))
  assert.deepEqual(inOrder(whole.map(asTransfer)), inOrder(seen))
  // With the copies that the module asks for, lengths of bodies between chunks may stay unknown, but nothing else.
  const { clientHead } = http.wants
  const copied = connections.flatMap(({ calls }) => drive(http, calls, { head: clientHead }).observations)
  const known = ({ method, path, status }: Transfer): Transfer => ({ method, path, status, sent: 0, received: 0 })
  assert.deepEqual(inOrder(copied.map(asTransfer).map(known)), inOrder(seen.map(known)))
}

test('exchanges with a real nginx are what curl saw', async t => {
  if (!requires(t, program('nginx'), program('curl'))) return
  const folder = await mkdtemp(join(tmpdir(), 'ghostspan-http-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const port = await freePort()
  await mkdir(join(folder, 'www'), { mode: 0o755 })
  await writeFile(join(folder, 'www', 'small.txt'), 'small\n')
  await writeFile(join(folder, 'www', 'large.txt'), 'all work and no play\n'.repeat(50_000))
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
     events { worker_connections 64; }
     http {
       access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
       fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
       types { text/plain txt; } gzip on; gzip_types text/plain; gzip_min_length 1;
       client_max_body_size 10m;
       server {
         listen 127.0.0.1:${port};
         root ${folder}/www;
         location /empty { return 204; }
         location /teapot { return 418 "short and stout"; }
         location /echo { proxy_pass http://127.0.0.1:${port}/teapot; }
         location /moved { return 302 /small.txt; }
       }
     }`,
  )
  const proxy = await startServer(t, port, 'nginx', ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')])

  const mebibyte = join(folder, 'upload')
  await writeFile(mebibyte, 'u'.repeat(1_200_000))
  const seen: Transfer[] = []
  const paths = ['/small.txt', '/large.txt', '/empty', '/missing', '/teapot', '/moved', '/small.txt?a=1&b=2']
  seen.push(...(await curl(proxy.port, paths)))
  seen.push(...(await curl(proxy.port, ['/large.txt', '/small.txt'], '-H', 'Accept-Encoding: gzip')))
  seen.push(...(await curl(proxy.port, ['/small.txt', '/large.txt'], '--head')))
  seen.push(...(await curl(proxy.port, ['/large.txt', '/small.txt'], '--range', '10-99')))
  seen.push(...(await curl(proxy.port, ['/large.txt'], '-H', 'If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT')))
  seen.push(...(await curl(proxy.port, ['/echo', '/echo'], '--data-binary', `@${mebibyte}`)))
  seen.push(...(await curl(proxy.port, ['/echo'], '--data-binary', `@${mebibyte}`, '-H', 'Expect: 100-continue')))
  // What curl counts of an upload in chunks includes their framing.
  const chunked = await curl(proxy.port, ['/echo'], '--data-binary', 'x=1', '-H', 'Transfer-Encoding: chunked')
  seen.push(...chunked.map(transfer => ({ ...transfer, sent: 3 })))
  seen.push(...(await curl(proxy.port, ['/small.txt', '/empty'], '--http1.0')))
  const parallel = Array.from({ length: 20 }, (_, n) => curl(proxy.port, [`/small.txt`, `/missing/${n}`, '/teapot']))
  seen.push(...(await Promise.all(parallel)).flat())
  assert.equal(seen.length, 80)
  checkAgainst(seen, proxy)
})

const PYTHON_SERVER = `
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Old(BaseHTTPRequestHandler):
    def log_message(self, *a): pass
    def do_GET(self):
        self.send_response(200); self.end_headers()
        for n in range(5): self.wfile.write(b'until the end\\n' * 100)
    def do_POST(self):
        self.rfile.read(int(self.headers['Content-Length']))
        self.send_response(201); self.send_header('Content-Length', '3'); self.end_headers(); self.wfile.write(b'yes')
class New(Old):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        self.send_response(200); self.send_header('Transfer-Encoding', 'chunked'); self.end_headers()
        for n in range(1, 30): self.wfile.write(b'%x\\r\\n%s\\r\\n' % (n * 50, b'c' * n * 50))
        self.wfile.write(b'0\\r\\nX-Trailer: t\\r\\n\\r\\n')
ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), New if sys.argv[2] == '1.1' else Old).serve_forever()
`

for (const version of ['1.0', '1.1']) {
  test(`exchanges with Python's own HTTP/${version} server are what curl saw`, async t => {
    if (!requires(t, program('python3'), program('curl'))) return
    const port = await freePort()
    const proxy = await startServer(t, port, 'python3', ['-c', PYTHON_SERVER, String(port), version])
    const seen = [
      ...(await curl(proxy.port, ['/a', '/b/42', '/c'])),
      ...(await curl(proxy.port, ['/orders', '/orders'], '-d', 'item=1')),
      ...(await curl(proxy.port, ['/orders'], '-X', 'PURGE')),
    ]
    assert.deepEqual(
      seen.map(({ status }) => status),
      [200, 200, 200, 201, 201, 501],
    )
    const expected = seen.map(transfer => (transfer.method === 'PURGE' ? { ...transfer, method: '_OTHER' } : transfer))
    checkAgainst(expected, proxy)
  })
}
