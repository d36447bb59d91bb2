import { file } from '../../support/requirements.js'
import type { Lab } from '../lab.js'
import { certain, type Workload } from '../workload.js'

const configuration = (lab: Lab, processes: number, proxy: string): string => `
daemon off; user root; worker_processes ${processes}; pid ${lab.folder}/run/nginx.pid; error_log ${lab.folder}/log/nginx-error.log;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 100000; client_body_temp_path ${lab.folder}/data/body; proxy_temp_path ${lab.folder}/data/proxy;
  fastcgi_temp_path ${lab.folder}/data/f; uwsgi_temp_path ${lab.folder}/data/u; scgi_temp_path ${lab.folder}/data/s;
  upstream kept { server 127.0.0.1:${lab.backendPort}; keepalive 64; }
  server { listen 127.0.0.1:${lab.port} backlog=1024; location / { ${proxy} } }
}
`

export function serveNginx(lab: Lab, processes: number, proxy: string): Promise<void> {
  const path = lab.file('nginx.conf', configuration(lab, processes, proxy))
  return lab.serve({ name: 'nginx', command: '/usr/sbin/nginx', args: ['-c', path] })
}

const nginx = (name: string, about: string, proxy: (lab: Lab) => string): Workload => ({
  name,
  carrier: 'event loop',
  about,
  needs: [file('/usr/sbin/nginx')],
  concurrency: [1, 10, 100],
  requests: 1_000,
  goal: certain,
  start: lab => serveNginx(lab, 1, proxy(lab)),
})

export const nginxNew = nginx(
  'nginx',
  'a new connection to the upstream for each request',
  lab => `proxy_pass http://127.0.0.1:${lab.backendPort};`,
)

export const nginxKept: Workload = {
  ...nginx(
    'nginx-keepalive',
    'kept connections to the upstream',
    () => 'proxy_pass http://kept; proxy_http_version 1.1; proxy_set_header Connection "";',
  ),
  short: true,
}
