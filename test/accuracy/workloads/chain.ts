import { dirname } from 'node:path'
import { file } from '../../support/requirements.js'
import { certain, type Workload } from '../workload.js'
import { serveNginx } from './nginx.js'

export const chain: Workload = {
  name: 'nginx-gunicorn',
  carrier: 'event loop, thread',
  about: 'three nginx processes before three synchronous gunicorn processes: every link of the chain must hold',
  needs: [file('/usr/sbin/nginx'), file('/usr/bin/gunicorn')],
  concurrency: [1, 10, 100],
  goal: certain,
  start: async lab => {
    const [behind] = lab.morePorts
    await lab.serve({
      name: 'gunicorn',
      command: '/usr/bin/gunicorn',
      args: [
        ...['--bind', `127.0.0.1:${behind}`, '--workers', '3', '--backlog', '1024'],
        ...['--chdir', dirname(lab.program('wsgi_app.py')), 'wsgi_app:application'],
      ],
      port: behind!,
    })
    await serveNginx(lab, 3, `proxy_pass http://127.0.0.1:${behind};`)
  },
}
