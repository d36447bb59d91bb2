import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { FinishedSpan } from '../../src/traces/span.js'
import { file, program, requires } from '../support/requirements.js'
import { accepts, freePort, startServerProcess } from '../support/server-process.js'
import { liveCapture, traceLive } from '../support/trace-live.js'

const run = promisify(execFile)

const APPLICATION = `
def application(environ, start_response):
    body = environ['wsgi.input'].read(int(environ.get('CONTENT_LENGTH') or 0))
    status = '404 Not Found' if environ['PATH_INFO'].endswith('missing') else '200 OK'
    answer = b'secret' * 2000 + body
    headers = [('Content-Type', 'text/plain')]
    if not environ['PATH_INFO'].endswith('unbounded'): headers.append(('Content-Length', str(len(answer))))
    start_response(status, headers)
    return [answer[:100], answer[100:]]
`
const PHP =
  '<?php if (strpos($_SERVER["REQUEST_URI"], "missing")) http_response_code(404); echo str_repeat("secret", 2000);'

/** A folder that nobody-processes may use, too. */
function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ghostspan-cgi-'))
  chmodSync(folder, 0o777)
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const exists = (path: string) => async (): Promise<boolean> => file(path).met()

function nginxConfiguration(folder: string, port: number, uwsgiPort: number): string {
  const cgi = `fastcgi_param SCRIPT_FILENAME ${folder}/app.php; include /etc/nginx/fastcgi_params;`
  return `daemon off; user root; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events {}
http {
  access_log off; client_body_temp_path ${folder}/body; uwsgi_temp_path ${folder}/u; fastcgi_temp_path ${folder}/f;
  proxy_temp_path ${folder}/p; scgi_temp_path ${folder}/s;
  upstream kept { server unix:${folder}/php.sock; keepalive 4; }
  server {
    listen 127.0.0.1:${port};
    include /etc/nginx/uwsgi_params;
    location /tcp { uwsgi_pass 127.0.0.1:${uwsgiPort}; }
    location /unix { uwsgi_pass unix:${folder}/uwsgi.sock; }
    location /php { fastcgi_pass unix:${folder}/php.sock; ${cgi} }
    location /kept { fastcgi_pass kept; fastcgi_keep_conn on; ${cgi} }
    location /python { fastcgi_pass unix:${folder}/fastcgi.sock; fastcgi_param PATH_INFO $uri; include /etc/nginx/fastcgi_params; }
  }
}`
}

function story({ kind, name, attributes }: FinishedSpan): string {
  const protocol = attributes['network.protocol.name'] ?? 'http'
  return [kind, protocol, name, attributes['http.response.status_code']].join(' ')
}

test('nginx before uWSGI and PHP-FPM, over TCP and Unix sockets: one trace a request, to the application and back', async t => {
  if (!requires(t, ...liveCapture, program('nginx'), program('uwsgi'), program('php-fpm8.2'), program('curl'))) return
  const folder = folderOf(t)
  const [port, uwsgiPort] = [await freePort(), await freePort()]
  writeFileSync(join(folder, 'app.py'), APPLICATION)
  writeFileSync(join(folder, 'app.php'), PHP)
  writeFileSync(join(folder, 'nginx.conf'), nginxConfiguration(folder, port, uwsgiPort))
  const pool = [
    '[www]',
    `listen=${folder}/php.sock`,
    'user=nobody',
    'listen.mode=0666',
    'pm=static',
    'pm.max_children=1',
  ]
  writeFileSync(join(folder, 'php.conf'), ['[global]', `error_log=${folder}/php.log`, ...pool, ''].join('\n'))
  const uwsgi = ['--plugin', 'python3', '--chdir', folder, '--module', 'app', '--processes', '1', '--chmod-socket=666']
  const start = async (command: string, args: string[], ready: () => Promise<boolean>): Promise<void> => {
    const server = await startServerProcess({ command, args, cwd: folder, ready })
    t.after(() => server.stop())
  }
  await start(
    '/usr/bin/uwsgi',
    [...uwsgi, '--uwsgi-socket', `127.0.0.1:${uwsgiPort}`, '--uwsgi-socket', `${folder}/uwsgi.sock`, '--need-app'],
    () => accepts(uwsgiPort),
  )
  await start(
    '/usr/bin/uwsgi',
    [...uwsgi, '--fastcgi-socket', `${folder}/fastcgi.sock`],
    exists(`${folder}/fastcgi.sock`),
  )
  await start('/usr/sbin/php-fpm8.2', ['-F', '-y', join(folder, 'php.conf'), '-R'], exists(`${folder}/php.sock`))
  await start('/usr/sbin/nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], () => accepts(port))

  const tracing = await traceLive(t, {
    selection: {
      rules: [{ action: 'exclude', commandLine: `^(?![^]*(${folder}|php-fpm|nginx: worker))` }],
      otherwise: 'include',
    },
  })
  await sleep(500)
  const paths = ['tcp/one', 'tcp/unbounded', 'unix/missing', 'php/one', 'kept/one', 'kept/missing', 'python/one']
  for (const path of paths) {
    const headers = ['-H', 'Cookie: session=secret', '-H', 'Authorization: Bearer secret']
    await run('curl', ['-s', '-o', '/dev/null', ...headers, `http://127.0.0.1:${port}/${path}?token=secret`])
  }
  await run('curl', ['-s', '-o', '/dev/null', '-d', 'x'.repeat(9000), `http://127.0.0.1:${port}/unix/post`])
  await sleep(500)
  await tracing.stop()
  const { traces } = tracing

  const own = traces.filter(({ spans }) => spans.some(({ attributes }) => attributes['server.port'] === port))
  const chain = (protocol: string, request: string, status = 200): string =>
    [
      `server http ${request} ${status}`,
      `client ${protocol} ${request} ${status}`,
      `server ${protocol} ${request} ${status}`,
    ].join(' > ')
  assert.deepEqual(
    // curl is a process of its own and may be seen or not, as its rule is looked at while it runs.
    own
      .map(({ spans }) =>
        spans
          .map(story)
          .filter(each => !each.startsWith('client http'))
          .join(' > '),
      )
      .sort(),
    [
      chain('uwsgi', 'GET /tcp/one'),
      chain('uwsgi', 'GET /tcp/unbounded'),
      chain('uwsgi', 'GET /unix/missing', 404),
      chain('uwsgi', 'POST /unix/post'),
      chain('fastcgi', 'GET /php/one'),
      chain('fastcgi', 'GET /kept/one'),
      chain('fastcgi', 'GET /kept/missing', 404),
      chain('fastcgi', 'GET /python/one'),
    ].sort(),
  )
  const text = JSON.stringify(own.map(({ spans }) => spans.map(({ name, attributes }) => ({ name, attributes }))))
  assert.ok(!text.includes('secret'), 'nothing secret is told')
  for (const { spans } of own) {
    for (const [index, { parentSpanId, durationNs }] of spans.entries()) {
      if (index > 0) assert.equal(parentSpanId, spans[index - 1]!.spanId)
      assert.ok(durationNs > 0)
    }
  }
})
