import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { program } from '../../../test/support/requirements.js'
import { accepts, freePort, startServerProcess } from '../../../test/support/server-process.js'
import { httpView } from '../../score/tshark-views.js'
import type { Conversation } from '../conversation.js'
import { readOf, textOf } from './exchange-text.js'
import { askWeb, type WebRequest } from './web-client.js'

const configuration = (folder: string, port: number): string => `daemon off; user root; worker_processes 1;
pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events {}
http {
  access_log off; keepalive_requests 1000000; root ${folder}/www; client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  gzip on; gzip_types text/plain;
  server {
    listen 127.0.0.1:${port};
    location = /created { return 201 "made\\n"; }
    location = /moved { return 302 /small.txt; }
    location = /empty { return 204; }
  }
}`

const BODY = JSON.stringify({ name: 'x'.repeat(300) })

function nth(i: number): WebRequest {
  switch (i % 10) {
    case 4:
      return { method: 'GET', path: `/large.txt?page=${i}`, headers: { 'accept-encoding': 'gzip' } }
    case 5:
      return { method: 'HEAD', path: '/large.txt' }
    case 6:
      return { method: 'POST', path: '/created', headers: { 'content-type': 'application/json' }, body: BODY }
    case 7:
      return { method: 'GET', path: '/missing' }
    case 8:
      return { method: 'GET', path: '/empty' }
    case 9:
      return { method: 'PUT', path: '/moved', body: BODY }
    default:
      return { method: 'GET', path: `/small.txt?page=${i}` }
  }
}

/** nginx and Node.js' client: kept connections, bodies with a length, in chunks and none, errors. */
export const http: Conversation = {
  name: 'http',
  goal: 10,
  allocationGoal: 1_000,
  needs: [program('nginx')],
  start: async folder => {
    await mkdir(join(folder, 'www'))
    await writeFile(join(folder, 'www', 'small.txt'), 'a small page\n'.repeat(10))
    await writeFile(join(folder, 'www', 'large.txt'), 'all work and no play\n'.repeat(400))
    const port = await freePort()
    const path = join(folder, 'nginx.conf')
    await writeFile(path, configuration(folder, port))
    const command = '/usr/sbin/nginx'
    const args = ['-p', folder, '-c', path]
    const server = await startServerProcess({ command, args, cwd: folder, ready: () => accepts(port) })
    return { port, talk: requests => askWeb(port, requests, nth), stop: server.stop }
  },
  tshark: httpView,
  seen: read => readOf(read, 'http').map(textOf),
}
