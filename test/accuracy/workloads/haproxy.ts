import { file } from '../../support/requirements.js'
import type { Lab } from '../lab.js'
import type { Workload } from '../workload.js'

const configuration = (lab: Lab): string => `
global
  maxconn 4000
  nbthread 1
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 5s
frontend load
  bind 127.0.0.1:${lab.port}
  default_backend servers
backend servers
  server one 127.0.0.1:${lab.backendPort}
`

export const haproxy: Workload = {
  name: 'haproxy',
  carrier: 'event loop',
  about: 'reads requests in batches; each asks for something else, and content says which is passed on',
  needs: [file('/usr/sbin/haproxy')],
  concurrency: [1, 10, 100],
  requests: 1_000,
  evidence: ['wire', 'context', 'content'],
  goal: { sure: 0, precision: 0.999, recall: 0.999 },
  short: true,
  start: lab =>
    lab.serve({
      name: 'haproxy',
      command: '/usr/sbin/haproxy',
      args: ['-db', '-f', lab.file('haproxy.cfg', configuration(lab))],
    }),
}
