import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../../src/demo/free-ports.js'
import type { RunFolder } from '../../src/demo/run-folder.js'
import { startServer } from '../../src/demo/server-process.js'
import { accepts } from '../../src/demo/wait-for.js'
import type { LiveTarget } from './target.js'

/** One nginx worker that serves a file of 1 KiB over keep-alive connections: a request costs it some 20 µs. */
export async function startNginxTarget(folder: RunFolder): Promise<LiveTarget> {
  const [port] = await freePorts(1, 4_000)
  const root = join(folder.path, 'data', 'www')
  mkdirSync(root)
  writeFileSync(join(root, 'k.txt'), 'a'.repeat(1024))
  chmodSync(root, 0o755)
  const config = join(folder.path, 'etc', 'nginx.conf')
  writeFileSync(
    config,
    `daemon off; user www-data; worker_processes 1; pid ${folder.path}/run/nginx.pid;
error_log ${folder.path}/log/nginx-error.log;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 100000000;
  server { listen 127.0.0.1:${port}; root ${root}; }
}
`,
  )
  const server = await startServer(folder, {
    name: 'nginx',
    command: '/usr/sbin/nginx',
    args: ['-c', config],
    cwd: folder.path,
    ready: () => accepts(port!),
    readyMillis: 30_000,
    patienceMillis: 5_000,
  })
  return {
    url: `http://127.0.0.1:${port}/k.txt`,
    connections: 16,
    executables: ['/usr/sbin/nginx'],
    spansPerRequest: 1,
    pids: [server.identity.pid],
    stop: () => server.stop(),
  }
}
