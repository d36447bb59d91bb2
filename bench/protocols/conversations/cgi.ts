import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { program } from '../../../test/support/requirements.js'
import { accepts, freePort, type ServerProcess, startServerProcess } from '../../../test/support/server-process.js'
import type { Conversation } from '../conversation.js'
import { readOf } from './exchange-text.js'
import { askWeb, type WebRequest } from './web-client.js'

const APPLICATION = `
def application(environ, start_response):
    body = environ['wsgi.input'].read(int(environ.get('CONTENT_LENGTH') or 0))
    status = '404 Not Found' if environ['PATH_INFO'].endswith('missing') else '200 OK'
    answer = b'an answer' * 30 + body
    start_response(status, [('Content-Type', 'text/plain'), ('Content-Length', str(len(answer)))])
    return [answer]
`
const PHP =
  '<?php if (strpos($_SERVER["REQUEST_URI"], "missing")) http_response_code(404); echo str_repeat("answer", 50);'

const nginxConfiguration = (folder: string, port: number, pass: string): string => `daemon off; user root;
worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events {}
http {
  access_log off; keepalive_requests 1000000; client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  server { listen 127.0.0.1:${port}; location / { ${pass} } }
}`

function nth(i: number): WebRequest {
  if (i % 10 === 8) return { method: 'GET', path: '/items/missing' }
  if (i % 10 === 9) return { method: 'POST', path: '/items', body: 'x'.repeat(300) }
  return { method: 'GET', path: `/items/list?page=${i}` }
}

interface Application {
  readonly port: number
  readonly server: ServerProcess
  /** What nginx is told of it. */
  readonly pass: string
}

async function startUwsgi(folder: string): Promise<Application> {
  const port = await freePort()
  await writeFile(join(folder, 'app.py'), APPLICATION)
  const args = ['--plugin', 'python3', '--chdir', folder, '--module', 'app', '--processes', '1', '--need-app']
  const server = await startServerProcess({
    command: '/usr/bin/uwsgi',
    args: [...args, '--disable-logging', '--listen', '100', '--uwsgi-socket', `127.0.0.1:${port}`],
    cwd: folder,
    ready: () => accepts(port),
  })
  return { port, server, pass: `include /etc/nginx/uwsgi_params; uwsgi_pass 127.0.0.1:${port};` }
}

async function startPhp(folder: string): Promise<Application> {
  const port = await freePort()
  await writeFile(join(folder, 'app.php'), PHP)
  const pool = ['[www]', `listen=127.0.0.1:${port}`, 'user=nobody', 'pm=static', 'pm.max_children=2']
  await writeFile(join(folder, 'php.conf'), ['[global]', `error_log=${folder}/php.log`, ...pool, ''].join('\n'))
  const server = await startServerProcess({
    command: '/usr/sbin/php-fpm8.2',
    args: ['-F', '-y', join(folder, 'php.conf'), '-R'],
    cwd: folder,
    ready: () => accepts(port),
  })
  const script = `fastcgi_param SCRIPT_FILENAME ${folder}/app.php;`
  return { port, server, pass: `${script} include /etc/nginx/fastcgi_params; fastcgi_pass 127.0.0.1:${port};` }
}

/** nginx before an application: what is recorded is what the two say to each other, what is seen nginx' client's. */
async function startBehindNginx(folder: string, start: (folder: string) => Promise<Application>) {
  // The application runs as nobody.
  await chmod(folder, 0o755)
  const application = await start(folder)
  try {
    const port = await freePort()
    const path = join(folder, 'nginx.conf')
    await writeFile(path, nginxConfiguration(folder, port, application.pass))
    const args = ['-p', folder, '-c', path]
    const ready = (): Promise<boolean> => accepts(port)
    const nginx = await startServerProcess({ command: '/usr/sbin/nginx', args, cwd: folder, ready })
    return {
      port: application.port,
      talk: (requests: number) => askWeb(port, requests, nth),
      stop: async () => {
        await nginx.stop()
        await application.server.stop()
      },
    }
  } catch (error) {
    await application.server.stop()
    throw error
  }
}

const lineOf = ({ attributes, responseBodyBytes }: { attributes: object; responseBodyBytes: number | undefined }) => {
  const told = attributes as Readonly<Record<string, unknown>>
  const status = told['http.response.status_code']
  return `${told['http.request.method']} ${told['url.path']} ${status} ${responseBodyBytes}`
}

/** uWSGI behind nginx. tshark does not know the protocol. */
export const uwsgi: Conversation = {
  name: 'uwsgi',
  goal: 5,
  needs: [program('nginx'), program('uwsgi')],
  start: folder => startBehindNginx(folder, startUwsgi),
  seen: read => readOf(read, 'uwsgi').map(({ exchange }) => lineOf(exchange)),
}

/** PHP-FPM behind nginx. tshark tells where requests begin and end, and not what they ask for. */
export const fastcgi: Conversation = {
  name: 'fastcgi',
  goal: 5,
  needs: [program('nginx'), program('php-fpm8.2')],
  start: folder => startBehindNginx(folder, startPhp),
  tshark: {
    usualPort: 9000,
    decodeAs: ports => ports.map(port => `tcp.port==${port},fcgi`),
    filter: () => 'fcgi.type',
    fields: ['fcgi.type'],
    theirs: rows =>
      rows.flatMap(([types = []]) => types.flatMap(type => (type === '1' ? ['begin'] : type === '3' ? ['end'] : []))),
    ours: read => readOf(read, 'fastcgi').flatMap(({ ended }) => (ended ? ['begin', 'end'] : ['begin'])),
  },
  seen: read => readOf(read, 'fastcgi').map(({ exchange }) => lineOf(exchange)),
}
