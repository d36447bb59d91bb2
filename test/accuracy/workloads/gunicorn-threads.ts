import { dirname } from 'node:path'
import { file } from '../../support/requirements.js'
import { certain, type Workload } from '../workload.js'

export const gunicornThreads: Workload = {
  name: 'gunicorn-threads',
  carrier: 'thread',
  about: 'gunicorn gthread, two processes of 20 threads, shared connections, background calls',
  needs: [file('/usr/bin/gunicorn')],
  concurrency: [1, 10, 100],
  goal: certain,
  short: true,
  start: lab =>
    lab.serve({
      name: 'gunicorn',
      command: '/usr/bin/gunicorn',
      args: [
        ...['--bind', `127.0.0.1:${lab.port}`, '--worker-class', 'gthread', '--workers', '2', '--threads', '20'],
        ...['--keep-alive', '30', '--backlog', '1024', '--chdir', dirname(lab.program('wsgi_app.py'))],
        'wsgi_app:application',
      ],
    }),
}
